"""borg, without encryption: with its own chunker, and with fixed chunks of our size."""

import shutil
import subprocess
from pathlib import Path

from harness import files, process
from harness.samples import Sample
from images import Images


class Borg:
    is_slow = False
    package = "borgbackup"

    def __init__(self, name: str, label: str, place: Path, images: Images, options: list[str]):
        self.name, self.label = name, label
        self._images, self._options = images, options
        self._place = place / name
        self._volume = self._place / "volume.img"
        self._repository = self._place / "repository"

    @staticmethod
    def is_installed() -> bool:
        return shutil.which("borg") is not None

    @staticmethod
    def version() -> str:
        return subprocess.run(["borg", "--version"], capture_output=True, text=True, check=True).stdout.strip()

    def begin(self) -> None:
        files.make_empty(self._place)
        self._borg("init", "--encryption", "none", self._repository)

    def steps(self) -> list[str]:
        return ["full", "incremental", "restore"]

    def run(self, step: str) -> Sample:
        if step == "restore":
            return self._restore()
        files.switch(self._volume, self._images.after if step == "incremental" else self._images.before)
        before = files.tree_bytes(self._repository)
        usage = self._borg("create", "--compression", "lz4", *self._options, f"{self._repository}::{step}", self._volume.name, cwd=self._place)
        return Sample(usage.seconds, usage.cpu_seconds, usage.peak_rss_bytes, files.tree_bytes(self._repository) - before)

    def end(self) -> None:
        files.remove(self._place)

    def _restore(self) -> Sample:
        target = files.make_empty(self._place / "restored")
        usage = self._borg("extract", "--sparse", f"{self._repository}::incremental", cwd=target)
        files.require_same(target / self._volume.name, self._images.after)
        files.remove(target)
        return Sample(usage.seconds, usage.cpu_seconds, usage.peak_rss_bytes)

    def _borg(self, *arguments: str | Path, cwd: Path | None = None) -> process.Usage:
        return process.run(["borg", *arguments], cwd=cwd, env={
            "BORG_BASE_DIR": str(self._place / "home"),
            "BORG_UNKNOWN_UNENCRYPTED_REPO_ACCESS_IS_OK": "yes",
        })
