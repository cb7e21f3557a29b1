"""Files and directories of a measurement."""

import os
import shutil
import subprocess
from pathlib import Path


def tree_bytes(directory: Path) -> int:
    """Bytes of all files below a directory."""
    total = 0
    for folder, _, names in os.walk(directory):
        total += sum(os.lstat(os.path.join(folder, name)).st_size for name in names)
    return total


def make_empty(directory: Path) -> Path:
    remove(directory)
    directory.mkdir(parents=True)
    return directory


def remove(path: Path) -> None:
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)


def require_same(restored: Path, image: Path) -> None:
    """Compares every byte."""
    if subprocess.run(["cmp", str(restored), str(image)]).returncode != 0:
        raise SystemExit(f"error: {restored} is not what was backed up; nothing that was measured counts")


def switch(volume: Path, image: Path) -> None:
    """Puts an image in the volume's place: same path, other file, as a volume that was written to meanwhile. Costs no memory."""
    new = volume.with_suffix(".new")
    new.unlink(missing_ok=True)
    os.link(image, new)
    os.replace(new, volume)
