"""What kills leave behind in a home: files that are half written, or that nothing names.

What belongs here: finding them, and removing one without harm to whoever writes. What does not:
knowing which pictures tables name, and shards of numbers (``arrays.py``).
"""

from __future__ import annotations

import shutil
import time
from collections.abc import Collection, Iterable, Iterator
from pathlib import Path

from reds_pipeline.storage.atomic import TEMPORARY_PREFIX
from reds_pipeline.storage.images import ImageStore

LEFTOVER_SECONDS = 3600.0
"""What is younger may be the work of a process that runs and has not entered it anywhere yet."""


def half_written(places: Iterable[Path], older_than_seconds: float) -> Iterator[Path]:
    """Yield files and directories under a temporary name whose writer was killed.

    Args:
        places: Directories to look through; one that is absent holds nothing.
        older_than_seconds: Younger ones are left out.
    """
    for place in places:
        for path in place.rglob(f"{TEMPORARY_PREFIX}*"):
            if is_old(path, older_than_seconds):
                yield path


def unnamed_pictures(
    images: ImageStore, named: Collection[str], older_than_seconds: float
) -> Iterator[Path]:
    """Yield stored pictures that no table names.

    Args:
        images: Where pictures are.
        named: SHA-256 of those that are named.
        older_than_seconds: Younger ones are left out.
    """
    for path in images.files():
        if path.stem not in named and is_old(path, older_than_seconds):
            yield path


def is_old(path: Path, older_than_seconds: float) -> bool:
    """Return whether a file last changed so long ago; one that has gone meanwhile did not."""
    try:
        return path.lstat().st_mtime <= time.time() - older_than_seconds
    except FileNotFoundError:
        return False


def remove(path: Path) -> bool:
    """Remove a file, or a directory with all in it; returns whether it was there."""
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path, ignore_errors=True)
        return True
    try:
        path.unlink()
    except FileNotFoundError:
        return False
    return True
