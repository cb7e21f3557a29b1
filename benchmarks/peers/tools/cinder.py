"""Cinder's chunked backup driver with the posix store, run by cinder_runner.py."""

import importlib.util
import json
import subprocess
from pathlib import Path

from harness import files, process
from harness.samples import Sample
from images import Images

RUNNER = Path(__file__).resolve().parents[1] / "cinder_runner.py"


class Cinder:
    package = "python3-cinder"

    def __init__(self, name: str, label: str, place: Path, images: Images, compression: str):
        self.name, self.label, self._compression, self._images = name, label, compression, images
        self.is_slow = compression != "none"
        self._place = place / name
        self._volume = self._place / "volume.img"
        self._store = self._place / "store"

    @staticmethod
    def is_installed() -> bool:
        return importlib.util.find_spec("cinder") is not None

    @staticmethod
    def version() -> str:
        query = ["dpkg-query", "--show", "--showformat", "cinder ${Version}", "python3-cinder"]
        return subprocess.run(query, capture_output=True, text=True, check=True).stdout

    def begin(self) -> None:
        files.make_empty(self._place)
        self._store.mkdir()

    def steps(self) -> list[str]:
        return ["full", "incremental", "restore"]

    def run(self, step: str) -> Sample:
        if step == "restore":
            return self._restore()
        files.switch(self._volume, self._images.after if step == "incremental" else self._images.before)
        before = files.tree_bytes(self._store)
        return self._run(step, self._volume, before)

    def end(self) -> None:
        files.remove(self._place)

    def _restore(self) -> Sample:
        target = self._place / "restored.img"
        # A service restores into a volume that exists.
        with target.open("wb") as image:
            image.truncate(self._images.after.stat().st_size)
        sample = self._run("restore", target, files.tree_bytes(self._store))
        files.require_same(target, self._images.after)
        files.remove(target)
        return sample

    def _run(self, step: str, volume: Path, stored_before: int) -> Sample:
        """Cinder is a service that runs already: its time is that of the work alone, without the seconds that it takes to start."""
        usage = process.run(["/usr/bin/python3", RUNNER, step, volume, self._store, self._place / "database.json", self._compression])
        said = json.loads(usage.output.splitlines()[-1])
        return Sample(
            said["seconds"], said["cpu_seconds"], usage.peak_rss_bytes, files.tree_bytes(self._store) - stored_before, said["seconds"])
