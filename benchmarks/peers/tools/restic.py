"""restic, as it is installed by default: zstd where it pays, chunks by content."""

import shutil
import subprocess
from pathlib import Path

from harness import files, process
from harness.samples import Sample
from images import Images


class Restic:
    name, label, is_slow = "restic", "restic", False
    package = "restic"

    def __init__(self, place: Path, images: Images, program: str = "restic"):
        self._images, self._program = images, program
        self._place = place / self.name
        self._volume = self._place / "volume.img"

    @staticmethod
    def is_installed() -> bool:
        return shutil.which("restic") is not None

    def version(self) -> str:
        return subprocess.run([self._program, "version"], capture_output=True, text=True, check=True).stdout.split(" compiled")[0].strip()

    def begin(self) -> None:
        files.make_empty(self._place)
        self._restic("init", "--repository-version", "2")

    def steps(self) -> list[str]:
        return ["full", "incremental", "restore"]

    def run(self, step: str) -> Sample:
        if step == "restore":
            return self._restore()
        files.switch(self._volume, self._images.after if step == "incremental" else self._images.before)
        before = self._stored_bytes()
        usage = self._restic("backup", "--quiet", self._volume)
        return Sample(usage.seconds, usage.cpu_seconds, usage.peak_rss_bytes, self._stored_bytes() - before)

    def end(self) -> None:
        files.remove(self._place)

    def _restore(self) -> Sample:
        target = self._place / "restored"
        usage = self._restic("restore", "latest", "--target", target, *self._sparse())
        files.require_same(target / self._volume.relative_to("/"), self._images.after)
        files.remove(target)
        return Sample(usage.seconds, usage.cpu_seconds, usage.peak_rss_bytes)

    def _sparse(self) -> list[str]:
        """Holes as holes, from the version on that can."""
        said = subprocess.run([self._program, "restore", "--help"], capture_output=True, text=True, check=True).stdout
        return ["--sparse"] if "--sparse" in said else []

    def _restic(self, command: str, *arguments: str | Path) -> process.Usage:
        return process.run(
            [self._program, command, "--repo", self._repository(), "--cache-dir", self._place / "cache", *arguments],
            env={"RESTIC_PASSWORD": "comparison", **self._environment()})

    def _repository(self) -> str:
        return str(self._place / "repository")

    def _environment(self) -> dict[str, str]:
        return {}

    def _stored_bytes(self) -> int:
        return files.tree_bytes(self._place / "repository")
