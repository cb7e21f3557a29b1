"""backup-engine, through its command line; and the bare kernels on the same bytes."""

import json
from pathlib import Path

from harness import engine, files, process
from harness.samples import Sample
from images import Images

VOLUME_ID = "peer-comparison"


class BackupEngine:
    is_slow = False

    def __init__(self, name: str, label: str, place: Path, images: Images, options: list[str], steps: list[str]):
        self.name, self.label = name, label
        self._images, self._options, self._steps = images, options, steps
        self._place = place / name
        self._volume = self._place / "volume.img"
        self._store: str = str(self._place / "store")

    def begin(self) -> None:
        files.make_empty(self._place)

    def steps(self) -> list[str]:
        return self._steps

    def run(self, step: str) -> Sample:
        if step == "restore":
            return self._restore()
        files.switch(self._volume, self._images.after if step == "incremental" else self._images.before)
        argv = [engine.CLI, "backup", self._volume, "--store", self._store, "--volume-id", VOLUME_ID, "--json", *self._options]
        usage = process.run(argv + ([] if step == "full" else ["--incremental"]), env=self._environment())
        return self._sample(usage, "bytes_stored")

    def end(self) -> None:
        files.remove(self._place)

    def _restore(self) -> Sample:
        target = self._place / "restored.img"
        usage = process.run(
            [engine.CLI, "restore", "latest", "--store", self._store, "--volume-id", VOLUME_ID, "--to", target, "--json"], env=self._environment())
        files.require_same(target, self._images.after)
        files.remove(target)
        return self._sample(usage, None)

    def _environment(self) -> dict[str, str]:
        return {}

    @staticmethod
    def _sample(usage: process.Usage, stored: str | None) -> Sample:
        said = json.loads(usage.output)
        return Sample(
            usage.seconds, usage.cpu_seconds, usage.peak_rss_bytes, said[stored] if stored else 0, said["duration_seconds"], said.get("requests"))


class RawBound:
    """No repository: what "full" and "unchanged" cannot do without."""

    is_slow = False

    def __init__(self, name: str, label: str, images: Images, workers: int):
        self.name, self.label, self._images, self._workers = name, label, images, workers

    def begin(self) -> None:
        pass

    def steps(self) -> list[str]:
        return ["full", "unchanged"]

    def run(self, step: str) -> Sample:
        argv = [engine.BENCHMARKS, "raw-bound", self._images.before, "--workers", str(self._workers)]
        usage = process.run(argv + ([] if step == "full" else ["--no-lz4"]))
        said = json.loads(usage.output)
        return Sample(usage.seconds, usage.cpu_seconds, usage.peak_rss_bytes, said["bytes_compressed"], said["seconds"])

    def end(self) -> None:
        pass
