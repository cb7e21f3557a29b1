"""Runs one program and writes what it took as JSON: measured.py RESULT PROGRAM [ARGUMENT...].

A process of its own, because the kernel counts into a program's peak memory what the process held that started it: this one holds little.
"""

import os
import sys
import time


def main(result: str, argv: list[str]) -> int:
    began = time.perf_counter()
    child = os.fork()
    if child == 0:
        try:
            os.execvp(argv[0], argv)
        except OSError as error:
            os.write(2, f"{argv[0]}: {error.strerror}\n".encode())
        finally:
            os._exit(127)
    _, status, usage = os.wait4(child, 0)
    seconds = time.perf_counter() - began
    with open(result, "w") as file:
        file.write(f'{{"seconds": {seconds}, "cpu_seconds": {usage.ru_utime + usage.ru_stime}, "peak_rss_bytes": {usage.ru_maxrss * 1024}}}')
    return os.waitstatus_to_exitcode(status) & 0xFF


if __name__ == "__main__":
    sys.exit(main(sys.argv[1], sys.argv[2:]))
