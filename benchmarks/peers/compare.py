"""The comparison over directories in memory; see benchmarks/README.md."""

import os
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

import options  # noqa: E402
from tools.borg import Borg  # noqa: E402
from tools.cinder import Cinder  # noqa: E402
from harness import machine, report, rounds, workplace  # noqa: E402
from harness.plot import BOUND, OURS, PEERS, bars  # noqa: E402
from harness.reserve import MemoryReserve  # noqa: E402
from harness.samples import Samples  # noqa: E402
from harness.targets import Target, targets_json, targets_table  # noqa: E402
from images import Images, make, needed_bytes  # noqa: E402
from tools.own import BackupEngine, RawBound  # noqa: E402
from tools.restic import Restic  # noqa: E402

MIB = report.MIB
ALL_STEPS = ["full", "unchanged", "incremental", "restore"]
# One after the other when nothing is chosen: what is compared most closely stands side by side.
NAMES = [
    "raw-bound", "ours", "raw-bound-1", "ours-1-worker", "borg-fixed", "ours-zstd", "restic", "borg", "cinder-none", "cinder-zlib", "borg-fixed-sparse"]
PEER_NAMES = ["restic", "borg-fixed", "borg-fixed-sparse", "borg", "cinder-none", "cinder-zlib"]
DEFAULTS = [name for name in NAMES if name != "borg-fixed-sparse"]
BORG_FIXED = ["--chunker-params", "fixed,65536"]


def create_tool(name: str, place: Path, images: Images, restic: str) -> rounds.Tool:
    cores = os.cpu_count() or 1
    match name:
        case "raw-bound":
            return RawBound(name, f"raw bound, {cores} threads", images, cores)
        case "raw-bound-1":
            return RawBound(name, "raw bound, 1 thread", images, 1)
        case "ours":
            return BackupEngine(name, "backup-engine", place, images, [], ALL_STEPS)
        case "ours-1-worker":
            return BackupEngine(name, "backup-engine, 1 worker", place, images, ["--workers", "1"], ["full", "unchanged", "incremental"])
        case "ours-zstd":
            return BackupEngine(name, "backup-engine, zstd:1", place, images, ["--compression", "zstd:1"], ALL_STEPS)
        case "restic":
            return Restic(place, images, restic)
        case "borg":
            return Borg(name, "borg, lz4", place, images, [])
        case "borg-fixed":
            return Borg(name, "borg, lz4, fixed 64 KiB", place, images, BORG_FIXED)
        case "borg-fixed-sparse":
            return Borg(name, "borg, lz4, fixed 64 KiB, --sparse", place, images, [*BORG_FIXED, "--sparse"])
        case _:
            compression = name.removeprefix("cinder-")
            return Cinder(name, f"Cinder chunked, {compression}", place, images, compression)


def written_bytes(size_mib: int, data_mib: int, names: list[str]) -> int:
    """What one tool has at its most: its repository and what it restored. Cinder without compression stores all of the volume."""
    stored = size_mib if "cinder-none" in names else data_mib // 2
    return (stored + size_mib + 512) * MIB


def targets(samples: Samples) -> list[Target]:
    peers = [name for name in PEER_NAMES if samples.median(name, "full")]

    def fastest(step: str) -> str | None:
        return min(peers, key=lambda name: samples.median(name, step) or 0, default=None)

    def times(peer: str | None, step: str, own: str = "ours") -> float | None:
        return samples.ratio(peer, step, own) if peer else None

    def share(bound: str, step: str, name: str = "seconds", own: str = "ours") -> float | None:
        return samples.ratio(bound, step, own, name=name)

    lz4, zstd = samples.median("ours", "full", "stored_bytes"), samples.median("ours-zstd", "full", "stored_bytes")
    return [
        Target("full: speed against borg, fixed 64 KiB, lz4", times("borg-fixed", "full"), 2.5),
        Target("full: speed against restic", times("restic", "full"), 5),
        Target("full: share of the raw bound, whole processes", share("raw-bound", "full"), 0.85),
        Target("full: share of the raw bound, work alone", share("raw-bound", "full", "inner_seconds"), 0.85),
        Target("full, 1 worker: share of the raw bound on 1 thread", share("raw-bound-1", "full", own="ours-1-worker"), 0.85),
        Target("incremental: speed against borg, fixed 64 KiB, lz4", times("borg-fixed", "incremental"), 5),
        Target("incremental: speed against restic", times("restic", "incremental"), 8),
        Target("unchanged: share of bare reads and hashes, whole processes", share("raw-bound", "unchanged"), 0.6),
        Target("unchanged: share of bare reads and hashes, work alone", share("raw-bound", "unchanged", "inner_seconds"), 0.6),
        Target(f"restore: speed against the fastest peer ({fastest('restore')})", times(fastest("restore"), "restore"), 4),
        Target("full: one worker to two", samples.ratio("ours-1-worker", "full", "ours"), 1.7),
        Target("peak memory of any step", max(map(samples.peak, ("ours", "ours-1-worker", "ours-zstd"))) / MIB or None, 256, at_least=False, unit="MiB"),
        Target("zstd:1: stored against lz4", zstd / lz4 if zstd and lz4 else None, 0.85, at_least=False),
        Target(f"zstd:1: full, speed against the fastest peer ({fastest('full')})", times(fastest("full"), "full", "ours-zstd"), 1),
    ]


def results_table(tools: list[rounds.Tool], samples: Samples) -> str:
    rows = []
    for tool in tools:
        row = [tool.label]
        for step in ALL_STEPS:
            row += [report.number(samples.median(tool.name, step)), report.number(samples.median(tool.name, step, "cpu_seconds"))]
            if step in ("full", "incremental"):
                stored = samples.median(tool.name, step, "stored_bytes")
                row.append(report.number(stored / MIB if stored is not None else None, 1))
        row.append(report.number(samples.peak(tool.name) / MIB, 0))
        row += [report.number(samples.ratio(tool.name, step, "ours"), 2) for step in ("full", "incremental", "restore")]
        rows.append(row)
    return report.table(
        ["", "full, s", "CPU s", "stored MiB", "unchanged, s", "CPU s", "incremental, s", "CPU s", "added MiB", "restore, s", "CPU s",
         "peak MiB", "full / ours", "incr. / ours", "restore / ours"], rows)


def plot(tools: list[rounds.Tool], samples: Samples) -> str:
    def colour(name: str) -> str:
        return OURS if name.startswith("ours") else BOUND if name.startswith("raw") else PEERS

    panels = []
    for step in ALL_STEPS:
        items = [(tool.label, median, colour(tool.name)) for tool in tools if (median := samples.median(tool.name, step)) is not None]
        panels.append((f"{step}, seconds (less is better)", sorted(items, key=lambda item: item[1])))
    return bars("Backup of one volume in memory: medians", panels)


def main() -> None:
    chosen = options.parse(options.parser(__doc__ or "", "peers", NAMES, DEFAULTS))
    kinds = {"restic": Restic, "borg": Borg, "cinder": Cinder}
    wanted = [kind for prefix, kind in kinds.items() if any(name.startswith(prefix) for name in chosen.tools)]
    options.prepare(chosen, [kind for kind in wanted if kind is not Restic or chosen.restic == "restic"])
    names = [name for name in NAMES if name in chosen.tools]
    written = written_bytes(chosen.size_mib, chosen.data_mib, names)
    with workplace.workplace(chosen.work, needed_bytes(chosen.data_mib * MIB) + written) as place:
        images = make(place / "images", chosen.size_mib * MIB, chosen.data_mib * MIB, chosen.source)
        tools = [create_tool(name, place, images, chosen.restic) for name in names]
        with MemoryReserve(place, written) as reserve:
            samples = rounds.run_rounds(tools, chosen.rounds, chosen.warm_up_rounds, chosen.rounds_of, reserve)

    versions = sorted({tool.version() for tool in tools if hasattr(tool, "version")})
    described = machine.describe()
    settings = {"rounds": chosen.rounds, **({"rounds of": chosen.rounds_of} if chosen.rounds_of else {}), **images.settings, "peers": ", ".join(versions)}
    goals = targets(samples)
    markdown = "\n".join([
        "# Comparison with peers\n",
        "Medians. Volume and repositories in memory. `benchmarks/README.md` says what each figure means.\n",
        report.machine_lines(described, settings), results_table(tools, samples), targets_table(goals), f"![]({chosen.name}.svg)\n"])
    data = {"machine": described, "settings": settings, "targets": targets_json(goals), "samples": samples.to_json()}
    report.write(chosen.results, chosen.name, markdown, data, plot(tools, samples))


if __name__ == "__main__":
    main()
