"""The comparison over S3; see benchmarks/README.md. S3_ENDPOINT, AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY say where."""

import os
import sys
import uuid
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

import options  # noqa: E402
from harness import files, machine, report, rounds, workplace  # noqa: E402
from harness.plot import OURS, PEERS, bars  # noqa: E402
from harness.reserve import MemoryReserve  # noqa: E402
from harness.samples import Samples  # noqa: E402
from harness.targets import Target, targets_json, targets_table  # noqa: E402
from images import Images, make, needed_bytes  # noqa: E402
from tools.own import BackupEngine  # noqa: E402
from tools.restic import Restic  # noqa: E402
from s3 import Bucket  # noqa: E402

MIB = report.MIB
STEPS = ["full", "incremental", "restore"]


class BackupEngineS3(BackupEngine):
    def __init__(self, place: Path, images: Images, bucket: Bucket):
        super().__init__("ours", "backup-engine", place, images, [], STEPS)
        self._bucket, self._store = bucket, f"s3://{bucket.name}"

    def end(self) -> None:
        super().end()
        self._bucket.remove()

    def _environment(self) -> dict[str, str]:
        return {"AWS_ENDPOINT_URL": self._bucket.endpoint}


class ResticS3(Restic):
    def __init__(self, place: Path, images: Images, program: str, bucket: Bucket):
        super().__init__(place, images, program)
        self._bucket = bucket

    def end(self) -> None:
        files.remove(self._place)
        self._bucket.remove()

    def _repository(self) -> str:
        return f"s3:{self._bucket.endpoint}/{self._bucket.name}"

    def _environment(self) -> dict[str, str]:
        return {"AWS_DEFAULT_REGION": os.environ.get("AWS_REGION", "us-east-1")}

    def _stored_bytes(self) -> int:
        return self._bucket.size_bytes()


def targets(samples: Samples) -> list[Target]:
    stored = samples.median("ours", "full", "stored_bytes")
    runs = samples.runs["ours"]["full"]
    requests = max((sum(run.requests.values()) for run in runs if run.requests), default=None)
    return [
        Target("full: speed against restic", samples.ratio("restic", "full", "ours"), 1.8),
        Target("incremental: speed against restic", samples.ratio("restic", "incremental", "ours"), 2.5),
        Target("requests of the full (bound: stored bytes / 24 MiB + 10)",
               requests, round(stored / (24 * MIB) + 10, 1) if stored else 0, at_least=False, unit="requests"),
        Target("peak memory of any step", samples.peak("ours") / MIB or None, 256, at_least=False, unit="MiB"),
    ]


def results_table(tools: list[rounds.Tool], samples: Samples) -> str:
    rows = []
    for tool in tools:
        row = [tool.label]
        for step in STEPS:
            row += [report.number(samples.median(tool.name, step)), report.number(samples.median(tool.name, step, "cpu_seconds"))]
            if step != "restore":
                stored = samples.median(tool.name, step, "stored_bytes")
                row.append(report.number(stored / MIB if stored is not None else None, 1))
        row.append(report.number(samples.peak(tool.name) / MIB, 0))
        row += [report.number(samples.ratio(tool.name, step, "ours")) for step in STEPS]
        rows.append(row)
    return report.table(
        ["", "full, s", "CPU s", "stored MiB", "incremental, s", "CPU s", "added MiB", "restore, s", "CPU s", "peak MiB",
         "full / ours", "incr. / ours", "restore / ours"], rows)


def requests_table(samples: Samples) -> str:
    kinds = ["put", "get", "head", "list", "delete"]
    rows = [[step, *(str((samples.runs["ours"][step][-1].requests or {}).get(kind, "")) for kind in kinds)] for step in STEPS if samples.runs["ours"][step]]
    return "Requests of backup-engine, as it counts them:\n\n" + report.table(["", *kinds], rows)


def plot(tools: list[rounds.Tool], samples: Samples) -> str:
    panels = []
    for step in STEPS:
        items = [(tool.label, median, OURS if tool.name == "ours" else PEERS) for tool in tools if (median := samples.median(tool.name, step)) is not None]
        panels.append((f"{step}, seconds (less is better)", sorted(items, key=lambda item: item[1])))
    return bars("Backup of one volume to S3: medians", panels)


def main() -> None:
    chosen = options.parse(options.parser(__doc__ or "", "peers-s3", ["ours", "restic"], ["ours", "restic"]))
    lacking = [name for name in ("S3_ENDPOINT", "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY") if not os.environ.get(name)]
    if lacking:
        raise SystemExit(f"error: set {', '.join(lacking)}")
    options.prepare(chosen, [Restic] if "restic" in chosen.tools and chosen.restic == "restic" else [])
    endpoint, mark = os.environ["S3_ENDPOINT"], uuid.uuid4().hex[:10]
    written = (chosen.size_mib + 512) * MIB
    with workplace.workplace(chosen.work, needed_bytes(chosen.data_mib * MIB) + written) as place:
        images = make(place / "images", chosen.size_mib * MIB, chosen.data_mib * MIB, chosen.source)
        tools: list[rounds.Tool] = []
        if "ours" in chosen.tools:
            tools.append(BackupEngineS3(place, images, Bucket(endpoint, f"compare-ours-{mark}")))
        if "restic" in chosen.tools:
            tools.append(ResticS3(place, images, chosen.restic, Bucket(endpoint, f"compare-restic-{mark}")))
        with MemoryReserve(place, written) as reserve:
            samples = rounds.run_rounds(tools, chosen.rounds, chosen.warm_up_rounds, chosen.rounds_of, reserve)

    described = machine.describe()
    versions = ", ".join(tool.version() for tool in tools if isinstance(tool, Restic))
    settings = {"rounds": chosen.rounds, **images.settings, "peers": versions}
    goals = targets(samples)
    markdown = "\n".join([
        "# Comparison over S3\n",
        "Medians. The volume is in memory, the S3 server on the same machine. `benchmarks/README.md` says what each figure means.\n",
        report.machine_lines(described, settings), results_table(tools, samples), targets_table(goals), requests_table(samples),
        f"![]({chosen.name}.svg)\n"])
    data = {"machine": described, "settings": settings, "targets": targets_json(goals), "samples": samples.to_json()}
    report.write(chosen.results, chosen.name, markdown, data, plot(tools, samples))


if __name__ == "__main__":
    main()
