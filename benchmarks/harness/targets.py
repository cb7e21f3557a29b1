"""What the engine is held to, and whether it got there."""

from dataclasses import dataclass

from .report import table


@dataclass(frozen=True)
class Target:
    """A figure and its bound; a figure that was not measured is None and is left out."""

    what: str
    figure: float | None
    bound: float
    at_least: bool = True
    unit: str = "x"

    @property
    def is_met(self) -> bool:
        assert self.figure is not None
        return self.figure >= self.bound if self.at_least else self.figure <= self.bound

    def row(self) -> list[str]:
        sign = ">=" if self.at_least else "<="
        return [self.what, f"{sign} {self.bound:g} {self.unit}", f"{self.figure:.2f} {self.unit}", "yes" if self.is_met else "**no**"]


def targets_table(targets: list[Target]) -> str:
    return table(["Target", "wanted", "measured", "met"], [target.row() for target in targets if target.figure is not None])


def targets_json(targets: list[Target]) -> list[dict[str, object]]:
    return [
        {"what": t.what, "measured": t.figure, "bound": t.bound, "at_least": t.at_least, "met": t.is_met}
        for t in targets if t.figure is not None]
