"""Which exports were made, and which pictures each of them holds.

What belongs here: the table ``exports`` of a home, one partition an export. What does not:
making exports (``export.py``) and withdrawing (``withdrawal``). An export has left the reach of
this program, so the least it owes a person who takes a picture back is to say which exports hold
it. A picture that is withdrawn leaves this memory too; the number of those stays.
"""

from __future__ import annotations

import shutil
from collections.abc import Collection
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa

from reds_pipeline.errors import RedsError
from reds_pipeline.storage.atomic import TEMPORARY_PREFIX
from reds_pipeline.storage.home import Home
from reds_pipeline.storage.locks import WITHDRAWAL_SECONDS, exclusive
from reds_pipeline.storage.partitions import partitions
from reds_pipeline.storage.tables import read_rows, write_rows

EXPORTS = pa.schema(
    [
        ("export_id", pa.string()),
        ("at", pa.string()),
        ("format", pa.string()),
        ("sharing", pa.string()),
        ("dataset_digest", pa.string()),
        ("directory", pa.string()),
        ("sha256s", pa.list_(pa.string())),
        ("withdrawn", pa.int64()),
    ]
)

_TABLE = "exports"


@dataclass(frozen=True)
class RememberedExport:
    """One export.

    Attributes:
        export_id: By which its card names it.
        at: When it was made.
        format: Of its files.
        sharing: Which licences it took.
        dataset_digest: Name of the data set it was made of.
        directory: Name of the directory; not its place, which may have changed.
        sha256s: The pictures in it that nobody has withdrawn.
        withdrawn: How many pictures in it were withdrawn since.
    """

    export_id: str
    at: str
    format: str
    sharing: str
    dataset_digest: str
    directory: str
    sha256s: frozenset[str]
    withdrawn: int = 0

    def row(self) -> dict[str, Any]:
        """Return the row of the table."""
        return {**vars(self), "sha256s": sorted(self.sha256s)}


def remember(home: Home, export: RememberedExport) -> None:
    """Write down an export, before the first picture is copied.

    An export that was then never finished costs nothing; copies that nobody knows of would.
    """
    with _locked(home):
        write_rows(home.table(_TABLE, export.export_id), [export.row()], EXPORTS)


def forget_export(home: Home, export_id: str) -> None:
    """Take back that an export was made, because it was not."""
    with _locked(home):
        home.table(_TABLE, export_id).unlink(missing_ok=True)


def unfinished_copy(directory: Path, export_id: str) -> Path:
    """Return where an export is put together before it gets its name."""
    return directory.parent / f"{_unfinished(directory)}{export_id}"


def remove_unfinished_copies(home: Home, directory: Path) -> None:
    """Remove what killed exports into a directory left beside it, and that they are remembered.

    Args:
        home: Whose exports.
        directory: Where they should have been written to.

    Raises:
        OSError: They cannot be removed.
    """
    prefix = _unfinished(directory)
    for path in [path for path in directory.parent.iterdir() if path.name.startswith(prefix)]:
        shutil.rmtree(path)
        forget_export(home, path.name.removeprefix(prefix))


def forget_deleted(home: Home, directory: Path) -> None:
    """Take out the exports of a directory of which, somebody says, no copy is left.

    What a killed export left beside it is removed.

    Raises:
        RedsError: The directory is still there, or no export of its name was made.
    """
    if directory.exists():
        raise RedsError(
            f"{directory} still holds the export; delete it, and every copy of it, and then say "
            "so again."
        )
    made = [export for export in remembered_exports(home) if export.directory == directory.name]
    if not made:
        raise RedsError(
            f"No export named {directory.name} is remembered; `reds status --details` lists "
            "those that are."
        )
    if directory.absolute().parent.is_dir():
        remove_unfinished_copies(home, directory.absolute())
    for export in made:
        forget_export(home, export.export_id)


def remembered_exports(home: Home) -> list[RememberedExport]:
    """Return every export, the oldest first."""
    exports = [
        RememberedExport(**{**row, "sha256s": frozenset(row["sha256s"])})
        for part in partitions(home, _TABLE)
        for row in read_rows(part.table, EXPORTS)
    ]
    return sorted(exports, key=lambda export: (export.at, export.export_id))


def exports_holding(home: Home, sha256s: Collection[str]) -> list[RememberedExport]:
    """Return the exports that hold any of some pictures, the oldest first."""
    return [export for export in remembered_exports(home) if export.sha256s & set(sha256s)]


def forget(home: Home, sha256s: Collection[str], *, write: bool = True) -> int:
    """Take withdrawn pictures out of the memory of exports, and count them there.

    Args:
        home: Whose exports.
        sha256s: The pictures.
        write: Whether to change anything, or only to count.

    Returns:
        How many entries went; 0 when this was done before.

    Raises:
        RedsError: The disk is full.
    """
    gone = frozenset(sha256s)
    forgotten = 0
    with _locked(home):
        for part in partitions(home, _TABLE):
            forgotten += _forget_in(part.table, gone, write)
    return forgotten


def _forget_in(table: Path, gone: frozenset[str], write: bool) -> int:
    forgotten = 0
    rows = read_rows(table, EXPORTS)
    for row in rows:
        left = [sha256 for sha256 in row["sha256s"] if sha256 not in gone]
        lost = len(row["sha256s"]) - len(left)
        row |= {"sha256s": left, "withdrawn": row["withdrawn"] + lost}
        forgotten += lost
    if forgotten and write:
        write_rows(table, rows, EXPORTS)
    return forgotten


def _unfinished(directory: Path) -> str:
    """Return how the names of unfinished exports into a directory begin."""
    return f"{TEMPORARY_PREFIX}{directory.name}-"


def _locked(home: Home) -> AbstractContextManager[None]:
    return exclusive(
        home.lock("exports table"),
        "changing the list of exports",
        patience_seconds=WITHDRAWAL_SECONDS,
    )
