"""What was measured, and the medians of it."""

import statistics
from collections import defaultdict
from dataclasses import asdict, dataclass, field


@dataclass(frozen=True)
class Sample:
    """One run of one step."""

    seconds: float
    cpu_seconds: float
    peak_rss_bytes: int
    stored_bytes: int = 0
    # Of the work alone, as the program itself says it, without its start; None when it does not.
    inner_seconds: float | None = None
    requests: dict[str, int] | None = None


@dataclass
class Samples:
    """All runs, by tool and step."""

    runs: dict[str, dict[str, list[Sample]]] = field(default_factory=lambda: defaultdict(lambda: defaultdict(list)))

    def add(self, tool: str, step: str, sample: Sample) -> None:
        self.runs[tool][step].append(sample)

    def median(self, tool: str, step: str, name: str = "seconds") -> float | None:
        """The median of one figure, or None when it was not measured."""
        values = [getattr(sample, name) for sample in self.runs.get(tool, {}).get(step, [])]
        values = [value for value in values if value is not None]
        return statistics.median(values) if values else None

    def peak(self, tool: str) -> int:
        """The most memory that any step of any round took."""
        return max((sample.peak_rss_bytes for runs in self.runs.get(tool, {}).values() for sample in runs), default=0)

    def ratio(self, tool: str, step: str, base: str, base_step: str | None = None, name: str = "seconds") -> float | None:
        """How many times as much a tool takes as another one."""
        mine, others = self.median(base, base_step or step, name), self.median(tool, step, name)
        return others / mine if mine and others else None

    def to_json(self) -> dict[str, dict[str, list[dict[str, object]]]]:
        return {tool: {step: [asdict(sample) for sample in runs] for step, runs in steps.items()} for tool, steps in self.runs.items()}
