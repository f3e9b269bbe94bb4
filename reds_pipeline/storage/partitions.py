"""The partitions of a table as they lie on disk, and the lock that guards each.

What belongs here: finding partitions by their files, and one name for the lock of a partition
that can be told from the file alone. What does not: reading or writing them. A stage knows a
partition by the name of its class; whoever goes through all of them knows only file names, and
both have to meet at the same lock.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from reds_pipeline.storage.home import Home, file_name
from reds_pipeline.storage.journal import Journal


@dataclass(frozen=True)
class Partition:
    """One partition of a table: its file, its journal of work in progress, and their lock.

    Attributes:
        stem: The partition's name as a file name, without an extension.
        table: The Parquet file, whether or not it exists.
        journal: What a stage that was killed has left, whether or not it exists.
        lock: The lock file that every writer of the two holds.
    """

    stem: str
    table: Path
    journal: Journal
    lock: Path


def partition_lock(home: Home, table: str, partition: str) -> Path:
    """Return the lock file of one partition.

    Args:
        home: Where it is.
        table: Name of the table, such as ``posts``.
        partition: Name of the partition, such as that of a class.
    """
    return _lock(home, table, file_name(partition))


def partitions(home: Home, table: str) -> Iterator[Partition]:
    """Yield every partition of a table that has a file or a journal, in a fixed order."""
    tables = home.root / "tables" / table
    journals = home.root / "journals" / table
    stems = {path.stem for path in tables.glob("[!.]*.parquet")}
    stems |= {path.stem for path in journals.glob("[!.]*.jsonl")}
    for stem in sorted(stems):
        yield Partition(
            stem=stem,
            table=tables / f"{stem}.parquet",
            journal=Journal(journals / f"{stem}.jsonl"),
            lock=_lock(home, table, stem),
        )


def _lock(home: Home, table: str, stem: str) -> Path:
    return home.lock(f"{table} {stem}")
