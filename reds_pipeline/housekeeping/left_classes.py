"""Forgetting classes that left long ago.

What belongs here: which ones may be forgotten, and removing their tables. What does not: deciding
that a class leaves (``lexicon.class_turnover``); its pictures, which are orphans from then on
(``orphans.py``), and what was found out about them, which a withdrawal's steps take out.

A class that left keeps everything for a while, because it may come back. As long as a training
that a model may be left of, or an export, holds one of its pictures, its posts go on being looked
for: should somebody take a post back, model and export have to be told.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from contextlib import ExitStack
from datetime import datetime, timedelta
from pathlib import Path

from reds_pipeline.dataset.remembered import remembered_exports
from reds_pipeline.housekeeping.disk_use import taken
from reds_pipeline.storage.home import Home, file_name
from reds_pipeline.storage.locks import exclusive
from reds_pipeline.storage.partitions import Partition, partitions
from reds_pipeline.storage.tables import read_rows

# The posts go last: while they are there, the class selection remembers the class.
_TABLES = ("clean_images", "images", "cursors", "posts")
_LOCKED = ("images", "posts")
_JOURNALS = ("images", "recheck", "posts")


def classes_to_forget(
    home: Home,
    left: Mapping[str, str],
    keep_days: float,
    now: str,
    used_pictures: Callable[[], Collection[str] | None],
) -> list[str]:
    """Return the classes of which everything may go.

    Args:
        home: Where their tables are.
        left: The classes that left, and since when (``class_states.left_classes``).
        keep_days: ``REDS_KEEP_RUN_DAYS``.
        now: ISO 8601 in UTC.
        used_pictures: Returns the SHA-256 that trainings name, or None if one cannot be read;
            asked only where it matters.

    Raises:
        RedsError: A table is damaged.
    """
    before = datetime.fromisoformat(now) - timedelta(days=keep_days)
    long_gone = {
        file_name(name): name
        for name, since in left.items()
        if since and datetime.fromisoformat(since) < before
    }
    found = [name for name in long_gone.values() if _size(home, name)]
    if not found:
        return []
    used = used_pictures()
    if used is None:
        return []
    exported = {sha256 for export in remembered_exports(home) for sha256 in export.sha256s}
    held = {*used, *exported, *_learnt(home)}
    images = {
        part.stem: {row["sha256"] for row in read_rows(part.table)}
        for part in partitions(home, "images")
        if part.stem in long_gone
    }
    return [name for name in found if held.isdisjoint(images.get(file_name(name), set()))]


def forget(home: Home, names: Sequence[str]) -> None:
    """Remove the tables and the work in progress of classes; repeating it does what is left.

    Raises:
        RedsError: Somebody works on one of them.
    """
    for name in names:
        stem = file_name(name)
        with ExitStack() as held:
            for part in _parts(home, stem):
                held.enter_context(exclusive(part.lock, f"forgetting {name}"))
            for path in _files(home, name):
                path.unlink(missing_ok=True)


def size_of(home: Home, names: Sequence[str]) -> int:
    """Return the bytes that the tables of classes take."""
    return sum(_size(home, name) for name in names)


def _parts(home: Home, stem: str) -> list[Partition]:
    return [part for table in _LOCKED for part in partitions(home, table) if part.stem == stem]


def _files(home: Home, name: str) -> list[Path]:
    journals = [home.root / "journals" / each / f"{file_name(name)}.jsonl" for each in _JOURNALS]
    return [*journals, *(home.table(table, name) for table in _TABLES)]


def _size(home: Home, name: str) -> int:
    return sum(taken(path) for path in _files(home, name))


def _learnt(home: Home) -> set[str]:
    """Return the pictures that the data set has now."""
    rows = read_rows(home.table("curated_dataset"))
    return {row["sha256"] for row in rows if row["kept"]}
