"""The engine's programs, built as they are shipped."""

import platform
import subprocess
from pathlib import Path

from .machine import ROOT

_RUNTIME = {"x86_64": "linux-x64", "aarch64": "linux-arm64"}[platform.machine()]
CLI = ROOT / f"artifacts/publish/BackupEngine.Cli/release_{_RUNTIME}/backup-engine"
BENCHMARKS = ROOT / "artifacts/bin/BackupEngine.Benchmarks/release/BackupEngine.Benchmarks"


def build() -> None:
    options = ["-c", "Release", "-v", "q", "--nologo", "--disable-build-servers"]
    subprocess.run(["dotnet", "publish", ROOT / "src/BackupEngine.Cli", "-r", _RUNTIME, *options], check=True)
    subprocess.run(["dotnet", "build", ROOT / "benchmarks/BackupEngine.Benchmarks", *options], check=True)


def require(*programs: Path) -> None:
    for program in programs:
        if not program.exists():
            raise SystemExit(f"error: {program} is missing; run without --no-build")
