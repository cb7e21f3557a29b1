"""Options that both comparisons have."""

import argparse
import os
import subprocess
from pathlib import Path

from harness import engine, report


def parser(description: str, name: str, tools: list[str], defaults: list[str]) -> argparse.ArgumentParser:
    options = argparse.ArgumentParser(description=description, formatter_class=argparse.ArgumentDefaultsHelpFormatter)
    options.add_argument("--size-mib", type=int, default=4096, help="size of the volume")
    options.add_argument("--data-mib", type=int, help="bytes of files in it (default: two thirds of its size)")
    options.add_argument("--source", type=Path, action="append", help="where files are taken from, more than once if need be (default: /usr)")
    options.add_argument("--rounds", type=int, default=5, help="rounds that count")
    options.add_argument("--rounds-of", action="append", default=[], metavar="TOOL=N", help="fewer rounds for a slow tool")
    options.add_argument("--warm-up-rounds", type=int, default=1, help="rounds before that do not count; slow tools take no part")
    options.add_argument("--tools", nargs="+", choices=tools, default=defaults, metavar="TOOL", help=f"of {', '.join(tools)}")
    options.add_argument("--restic", default="restic", metavar="PROGRAM", help="another restic than the installed one")
    options.add_argument("--work", type=Path, default=Path("/dev/shm"), help="where everything is made; in memory, or a disk is measured")
    options.add_argument("--results", type=Path, default=report.RESULTS, help="where results are written")
    options.add_argument("--name", default=name, help="name of the result files")
    options.add_argument("--no-build", action="store_true", help="use what was built last")
    options.add_argument("--no-install", action="store_true", help="do not install what is missing")
    return options


def parse(options: argparse.ArgumentParser) -> argparse.Namespace:
    chosen = options.parse_args()
    if os.geteuid() != 0:
        options.error("this mounts images: run it as root")
    chosen.source = chosen.source or [Path("/usr")]
    chosen.data_mib = chosen.data_mib or chosen.size_mib * 2 // 3
    try:
        chosen.rounds_of = {tool: int(count) for tool, _, count in (text.partition("=") for text in chosen.rounds_of)}
    except ValueError:
        options.error("--rounds-of wants TOOL=N")
    return chosen


def prepare(chosen: argparse.Namespace, peers: list[type]) -> None:
    """Installs the peers that are missing and builds the engine."""
    missing = sorted({peer.package for peer in peers if not peer.is_installed()})
    if missing and chosen.no_install:
        raise SystemExit(f"error: install {', '.join(missing)} first")
    if missing:
        environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
        subprocess.run(["apt-get", "update", "-q"], check=True, env=environment)
        subprocess.run(["apt-get", "install", "-y", "-q", "--no-install-recommends", *missing], check=True, env=environment)
    if not chosen.no_build:
        engine.build()
    engine.require(engine.CLI, engine.BENCHMARKS)
