"""The engine's programs, built as they are shipped."""

import subprocess
from pathlib import Path

from .machine import ROOT

CLI = ROOT / "artifacts/bin/BackupEngine.Cli/release/backup-engine"
BENCHMARKS = ROOT / "artifacts/bin/BackupEngine.Benchmarks/release/BackupEngine.Benchmarks"


def build() -> None:
    for project in ("src/BackupEngine.Cli", "benchmarks/BackupEngine.Benchmarks"):
        subprocess.run(["dotnet", "build", ROOT / project, "-c", "Release", "-v", "q", "--nologo", "--disable-build-servers"], check=True)


def require(*programs: Path) -> None:
    for program in programs:
        if not program.exists():
            raise SystemExit(f"error: {program} is missing; run without --no-build")
