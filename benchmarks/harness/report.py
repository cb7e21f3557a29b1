"""Writes results down."""

import json
from pathlib import Path

from .machine import ROOT

RESULTS = ROOT / "benchmarks/results"
MIB = 2**20


def number(value: float | None, digits: int = 2) -> str:
    return "" if value is None else f"{value:,.{digits}f}"


def table(header: list[str], rows: list[list[str]]) -> str:
    """A Markdown table; all columns but the first to the right."""
    lines = [header, ["---", *["---:"] * (len(header) - 1)], *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines) + "\n"


def machine_lines(machine: dict[str, object], settings: dict[str, object]) -> str:
    said = {**machine, **settings}
    return "\n".join(f"- {name.replace('_', ' ')}: {value}" for name, value in said.items()) + "\n"


def write(directory: Path, name: str, markdown: str, data: dict[str, object], svg: str | None = None) -> None:
    directory.mkdir(parents=True, exist_ok=True)
    (directory / f"{name}.md").write_text(markdown)
    (directory / f"{name}.json").write_text(json.dumps(data, indent=1) + "\n")
    if svg is not None:
        (directory / f"{name}.svg").write_text(svg)
    print(markdown)
