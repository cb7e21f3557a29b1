"""Memory that a virtual machine's host does not take back between two steps.

A host that takes freed memory back (free page reporting) makes the first use of it ten times slower, and which tool pays depends on what ran
before. So free memory is held by a file in the same memory file system, which gives up as much as the measured program takes.
"""

import contextlib
import os
import threading
from pathlib import Path

# Free all the time: what a program needs for itself, and what it writes until the reserve is looked at again.
MARGIN = 768 << 20
PERIOD_SECONDS = 0.01
_BLOCK = bytes(4 << 20)


class MemoryReserve(contextlib.AbstractContextManager):
    """Holds `reserved_bytes` together with everything that is written later; on a disk it does nothing."""

    def __init__(self, directory: Path, reserved_bytes: int):
        self._file = os.open(directory / "reserve", os.O_CREAT | os.O_WRONLY, 0o600)
        in_memory = os.path.realpath(directory).startswith("/dev/shm")
        self._limit = self._used() + reserved_bytes if in_memory else 0
        self._held = 0
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._give, daemon=True)
        self._measuring = threading.Lock()
        self._thread.start()

    def refill(self) -> None:
        """Takes what was freed since, and leaves the margin; to be called before each step."""
        with self._measuring:
            while self._used() < self._limit:
                self._held += os.pwrite(self._file, _BLOCK, self._held)
            self._shrink()

    def __exit__(self, *_: object) -> None:
        self._ended.set()
        self._thread.join()
        os.close(self._file)

    def _give(self) -> None:
        while not self._ended.wait(PERIOD_SECONDS):
            with self._measuring:
                self._shrink()

    def _shrink(self) -> None:
        excess = min(self._used() + MARGIN - self._limit, self._held)
        if excess > 0:
            self._held -= excess
            os.ftruncate(self._file, self._held)

    def _used(self) -> int:
        status = os.fstatvfs(self._file)
        return (status.f_blocks - status.f_bfree) * status.f_bsize
