"""Makes the volume and the changed volume: ext4 file systems with real files, in image files."""

import contextlib
import os
import random
import shutil
import stat
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

FILE_SYSTEM_ID = "5b9d3a4e-2c3b-4b6e-9a43-0d2f5c1e7a10"
SEED = 20240229
CHANGED_SHARE, REMOVED_SHARE = 0.02, 0.005
ADDED_BYTES_PER_GIB = 10 << 20
# A few giants would make the volume that of a few files.
LARGEST_FILE_SHARE = 0.05


@dataclass(frozen=True)
class Images:
    before: Path
    after: Path
    settings: dict[str, object]


def needed_bytes(data_bytes: int) -> int:
    """Memory for both images."""
    return 2 * data_bytes + data_bytes // 20


def make(directory: Path, size_bytes: int, data_bytes: int, sources: list[Path]) -> Images:
    """Fills a new file system with files, and changes a copy of it: 2 % of the files rewritten in part, some removed, 10 MiB per GiB added."""
    files = _select(sources, data_bytes)
    before, after, mount_point = directory / "before.img", directory / "after.img", directory / "mount"
    mount_point.mkdir(parents=True)
    with before.open("wb") as image:
        image.truncate(size_bytes)
    _run("mkfs.ext4", "-q", "-F", "-m", "0", "-U", FILE_SYSTEM_ID, "-E",
         f"lazy_itable_init=0,lazy_journal_init=0,hash_seed={FILE_SYSTEM_ID}", before)
    with _mounted(before, mount_point):
        copies = [_copy(path, mount_point) for path in files]
        data = sum(copy.stat().st_size for copy in copies)
    _run("cp", "--sparse=auto", before, after)
    with _mounted(after, mount_point):
        changes = _change(copies, mount_point, ADDED_BYTES_PER_GIB * size_bytes >> 30)
    return Images(before, after, {
        "volume_mib": size_bytes >> 20, "files": len(copies), "data_mib": data >> 20,
        "allocated_mib": before.stat().st_blocks * 512 >> 20, **changes})


def _select(sources: list[Path], data_bytes: int) -> list[Path]:
    """Files of the machine in an order that only their names decide, until they are enough."""
    candidates = []
    for source in sources:
        for folder, folders, names in os.walk(source):
            folders.sort()
            for name in sorted(names):
                path = Path(folder, name)
                status = path.lstat()
                if stat.S_ISREG(status.st_mode) and 0 < status.st_size <= data_bytes * LARGEST_FILE_SHARE:
                    candidates.append((path, status.st_size))
    random.Random(SEED).shuffle(candidates)
    chosen, total = [], 0
    for path, size in candidates:
        if total >= data_bytes:
            break
        chosen.append(path)
        total += size
    if total < data_bytes * 0.95:
        raise SystemExit(f"error: {', '.join(map(str, sources))} hold {total >> 20} MiB of suitable files, not {data_bytes >> 20}; name more with --source")
    return chosen


def _copy(path: Path, mount_point: Path) -> Path:
    copy = mount_point / path.relative_to("/")
    copy.parent.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(path, copy)
    return copy


def _change(files: list[Path], mount_point: Path, added_bytes: int) -> dict[str, object]:
    chance = random.Random(SEED + 1)
    chosen = chance.sample(files, max(2, int(len(files) * (CHANGED_SHARE + REMOVED_SHARE))))
    changed_count = int(len(chosen) * CHANGED_SHARE / (CHANGED_SHARE + REMOVED_SHARE))
    for path in chosen[:changed_count]:
        _rewrite_middle(path)
    for path in chosen[changed_count:]:
        path.unlink()
    gone = set(chosen)
    added = _add([path for path in files if path not in gone], mount_point / "added", added_bytes, chance)
    return {"files_rewritten_in_part": changed_count, "files_removed": len(chosen) - changed_count, "added_mib": added >> 20}


def _rewrite_middle(path: Path) -> None:
    """Turns the middle third of a file round: new bytes that compress as the old ones did."""
    size = path.stat().st_size
    start, length = size // 3, max(1, size // 3)
    with path.open("r+b") as file:
        file.seek(start)
        old = file.read(length)
        file.seek(start)
        file.write(bytes(byte ^ 1 for byte in old[:1]) + old[:0:-1])


def _add(files: list[Path], folder: Path, wanted: int, chance: random.Random) -> int:
    folder.mkdir()
    total = 0
    while total < wanted:
        content = chance.choice(files).read_bytes()[: wanted - total][::-1]
        (folder / f"{total:012d}").write_bytes(content)
        total += len(content)
    return total


@contextlib.contextmanager
def _mounted(image: Path, mount_point: Path) -> Iterator[None]:
    _run("mount", "-o", "loop,noatime", image, mount_point)
    try:
        yield
    finally:
        _run("umount", mount_point)


def _run(*argv: str | Path) -> None:
    subprocess.run([str(part) for part in argv], check=True)
