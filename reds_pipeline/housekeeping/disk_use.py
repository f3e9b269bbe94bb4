"""What a home takes of its disk, by kind, and whether that is too much.

What belongs here: adding up, and the one sentence for whoever has to make room. What does not:
making room (``keep_house.py``) and telling somebody (``notices.py``).
"""

from __future__ import annotations

import os
import shutil
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Any

from reds_pipeline.settings import Settings

_BLOCK = 512
"""Bytes in the unit in which ``stat`` counts what a file takes, whatever the file system."""

_KINDS = MappingProxyType(
    {
        "images": "pictures",
        "contributions": "contributed photos",
        "tensors": "squares",
        "embeddings": "embeddings",
        "engines": "embeddings",
        "mlflow-artifacts": "models",
        "mlflow.sqlite": "models",
        "dagster": "runs",
        "tables": "tables",
        "journals": "tables",
        "ledger.sqlite": "tables",
        "figures": "figures",
        "card": "figures",
    }
)
_REST = "rest"

_LEAST_GB = 0.5
"""What a run needs besides pictures: tables, squares and embeddings of a few thousand, its logs."""


@dataclass(frozen=True)
class DiskUse:
    """What a home takes, and what is left beside it.

    Attributes:
        kinds: Bytes on disk by kind, the largest first.
        free: Bytes that are free where the home lies.
    """

    kinds: Mapping[str, int]
    free: int

    @property
    def total(self) -> int:
        """Bytes that the home takes on disk."""
        return sum(self.kinds.values())

    def as_dict(self) -> dict[str, Any]:
        """Return it as JSON."""
        return {"bytes": self.total, "kinds": dict(self.kinds), "free_bytes": self.free}


def disk_use(home: Path) -> DiskUse:
    """Add up what each kind of thing takes; a home that is not there yet takes nothing.

    Args:
        home: ``REDS_HOME``.
    """
    sizes: Counter[str] = Counter()
    for path in _entries(home):
        # What stands beside a database, such as its log of latest changes, counts with it.
        first = path.name.removesuffix("-wal").removesuffix("-shm").removesuffix("-journal")
        sizes[_KINDS.get(first, _REST)] += taken(path)
    return DiskUse({kind: size for kind, size in sizes.most_common() if size}, free_disk(home))


def free_disk(place: Path) -> int:
    """Return the bytes that are free where ``place`` lies or will lie."""
    while not place.exists():
        place = place.parent
    return shutil.disk_usage(place).free


def has_room(home: Path, settings: Settings) -> bool:
    """Return whether more pictures may be collected without filling the disk.

    Args:
        home: ``REDS_HOME``.
        settings: ``free_disk_gb`` below half a GB is taken for the least that may be left.
    """
    return free_disk(home) >= min(settings.free_disk_gb, _LEAST_GB) * 1e9


def taken(path: Path) -> int:
    """Return the bytes that a file, or a directory with all in it, takes on disk."""
    try:
        entry = path.lstat()
    except FileNotFoundError:
        return 0
    size = entry.st_blocks * _BLOCK
    return size + _below(path) if path.is_dir() and not path.is_symlink() else size


def complaint(use: DiskUse, settings: Settings) -> str:
    """Return what is wrong with the disk and what to do about it, or nothing.

    Args:
        use: What was added up.
        settings: With the budget and the least that should be free.
    """
    budget, least = settings.disk_budget_gb, settings.free_disk_gb
    largest = ", ".join(f"{kind} {size / 1e9:.1f} GB" for kind, size in list(use.kinds.items())[:3])
    advice = (
        "`reds prune` says what may go; lower REDS_RAW_PER_CLASS, REDS_KEEP_RUN_DAYS or "
        "REDS_KEEP_VERSIONS to keep less"
    )
    if budget and use.total > budget * 1e9:
        return (
            f"REDS takes {use.total / 1e9:.1f} GB ({largest}), more than the {budget:g} GB of "
            f"REDS_DISK_BUDGET_GB; {advice}, or raise the budget."
        )
    if use.free < least * 1e9:
        return (
            f"Only {use.free / 1e9:.1f} GB are free where REDS keeps everything, less than the "
            f"{least:g} GB of REDS_FREE_DISK_GB; {advice}, free {least:g} GB, set REDS_HOME to a "
            "larger disk, or set REDS_FREE_DISK_GB to what is enough here."
        )
    return ""


def _entries(directory: Path) -> Iterator[Path]:
    if directory.is_dir():
        yield from directory.iterdir()


def _below(directory: Path) -> int:
    size = 0
    waiting = [str(directory)]
    while waiting:
        try:
            with os.scandir(waiting.pop()) as entries:
                for entry in entries:
                    size += entry.stat(follow_symlinks=False).st_blocks * _BLOCK
                    if entry.is_dir(follow_symlinks=False):
                        waiting.append(entry.path)
        except FileNotFoundError:
            # Whoever works here has removed or renamed it meanwhile.
            continue
    return size
