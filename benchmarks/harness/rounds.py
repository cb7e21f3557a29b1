"""Runs tools in turn."""

import sys
from typing import Protocol

from .reserve import MemoryReserve
from .samples import Sample, Samples


class Tool(Protocol):
    """Something that backs up and restores; makes a fresh repository for each round and removes it after."""

    name: str
    label: str
    # Whether it takes so long that it is not run to warm up.
    is_slow: bool

    def begin(self) -> None: ...

    def steps(self) -> list[str]: ...

    def run(self, step: str) -> Sample: ...

    def end(self) -> None: ...


def run_rounds(tools: list[Tool], rounds: int, warm_up_rounds: int, rounds_of: dict[str, int], reserve: MemoryReserve) -> Samples:
    """First rounds that do not count, then rounds in which every tool has its turn, beginning with another one each time."""
    for _ in range(warm_up_rounds):
        _run_round("warm-up", [tool for tool in tools if not tool.is_slow], Samples(), reserve)
    samples = Samples()
    for number in range(rounds):
        taking_part = [tool for tool in tools if number < rounds_of.get(tool.name, rounds)]
        first = number % len(tools)
        _run_round(f"round {number + 1} of {rounds}", taking_part[first:] + taking_part[:first], samples, reserve)
    return samples


def _run_round(title: str, tools: list[Tool], samples: Samples, reserve: MemoryReserve) -> None:
    for tool in tools:
        tool.begin()
        try:
            for step in tool.steps():
                reserve.refill()
                sample = tool.run(step)
                samples.add(tool.name, step, sample)
                print(
                    f"{title}: {tool.name} {step}: {sample.seconds:.2f} s, CPU {sample.cpu_seconds:.2f} s, "
                    f"{sample.peak_rss_bytes >> 20} MiB, stored {sample.stored_bytes / 2**20:.1f} MiB", file=sys.stderr, flush=True)
        finally:
            tool.end()
