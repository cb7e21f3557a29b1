"""A directory in memory for the time of a measurement."""

import contextlib
import os
import shutil
import signal
import tempfile
from collections.abc import Iterator
from pathlib import Path


@contextlib.contextmanager
def workplace(parent: Path, needed_bytes: int) -> Iterator[Path]:
    """Makes a directory and removes it, whatever happens, also when the script is told to stop."""
    free = min(shutil.disk_usage(parent).free, _available_memory())
    if free < needed_bytes:
        raise SystemExit(f"error: this needs about {needed_bytes >> 20} MiB in {parent}, and there are {free >> 20}; take a smaller --size-mib or fewer --tools")
    previous = signal.signal(signal.SIGTERM, _stop)
    directory = Path(tempfile.mkdtemp(prefix="backup-engine-measure-", dir=parent))
    try:
        yield directory
    finally:
        shutil.rmtree(directory)
        signal.signal(signal.SIGTERM, previous)


def _stop(*_: object) -> None:
    raise SystemExit(143)


def _available_memory() -> int:
    for line in Path("/proc/meminfo").read_text().splitlines():
        if line.startswith("MemAvailable:"):
            return int(line.split()[1]) << 10
    return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_AVPHYS_PAGES")
