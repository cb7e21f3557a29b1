"""Runs programs and measures what they took."""

import json
import os
import signal
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

MEASURED = Path(__file__).with_name("measured.py")


class ProgramFailed(Exception):
    """A program ended with an error; the message holds what it said last."""


@dataclass(frozen=True)
class Usage:
    """What a process and all its finished children took."""

    seconds: float
    cpu_seconds: float
    peak_rss_bytes: int
    output: str


def run(argv: list[str | Path], cwd: Path | None = None, env: dict[str, str] | None = None) -> Usage:
    """Runs a program to its end.

    CPU time is user and system time of the process tree; peak memory is that of the largest process in it, as the kernel counts it.
    """
    with tempfile.TemporaryDirectory() as directory:
        result, out, err = (Path(directory, name) for name in ("result", "out", "err"))
        with out.open("wb") as out_file, err.open("wb") as err_file:
            # -S and -E keep the starter small; it is the leader of a group, so that it can be stopped together with what it started.
            child = subprocess.Popen(
                [sys.executable, "-E", "-S", MEASURED, result, *map(str, argv)], cwd=cwd, env={**os.environ, **(env or {})},
                stdin=subprocess.DEVNULL, stdout=out_file, stderr=err_file, start_new_session=True)
            try:
                code = child.wait()
            except BaseException:
                os.killpg(child.pid, signal.SIGKILL)
                child.wait()
                raise
        output = out.read_text(errors="replace")
        if code != 0:
            said = (output + err.read_text(errors="replace")).strip()[-2000:]
            raise ProgramFailed(f"{' '.join(map(str, argv))}\nended with {code}: {said}")
        return Usage(**json.loads(result.read_text()), output=output)
