"""Letting go of pictures that are older than any that is needed.

What belongs here: which stored pictures those are, and taking them out of everything. What does
not: which pictures a class learns from (``imaging.picture_window``), pictures that somebody took
back (``withdrawal``), whose steps do the erasing, and files that nothing mentions.

A class keeps its newest ``REDS_RAW_PER_CLASS`` stored pictures, whatever became of them. An older
one stays as long as the data set learns from it or tests with it, a person decided about it, or it
is among the newest of another class. All others become rows that say ``outdated``: their files,
squares and embeddings go, and they are never asked for again.

The row of such a picture keeps its keyed hashes and its SHA-256 until its post goes too, because
models may have learnt from it: should its author take it back now, they are still found.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from typing import Any

from reds_pipeline.fediverse.media.download import OUTDATED, REJECTED, STORED
from reds_pipeline.housekeeping.free_partitions import free_partitions
from reds_pipeline.imaging.picture_window import recency
from reds_pipeline.review.decisions import DecisionBook
from reds_pipeline.storage.home import Home
from reds_pipeline.storage.ledger import Ledger
from reds_pipeline.storage.partitions import partitions
from reds_pipeline.storage.tables import CURATED, IMAGES, read_rows, write_rows
from reds_pipeline.tracking import Tracking
from reds_pipeline.withdrawal.withdraw import finish_withdrawals

Row = Mapping[str, Any]

# What was written about the picture, and what only matters while it is there.
_EMPTIED: Row = {
    "tags": [],
    "alt_text": "",
    "licence": "",
    "url": "",
    "bytes": None,
    "width": None,
    "height": None,
    "colour_spread": None,
    "scores": None,
}


@dataclass(frozen=True)
class OldPictures:
    """What was let go of or, in a dry run, would be.

    Attributes:
        pictures: How many files.
        bytes: What they take together with their squares and embeddings.
        busy: Classes that are being collected, or whose collection was cut short; theirs are left
            for the next time.
    """

    pictures: int = 0
    bytes: int = 0
    busy: tuple[str, ...] = ()


def outdated_pictures(
    images: Mapping[str, Sequence[Row]], newest: int, needed: Collection[str]
) -> dict[str, set[str]]:
    """Return the pictures that no class needs, as media keys by class.

    Args:
        images: Rows of the table ``IMAGES``, by class; those that are not stored are passed over.
        newest: How many stored pictures each class keeps whatever became of them.
        needed: SHA-256 of the pictures that stay however old they are.
    """
    stored = {
        name: sorted((row for row in rows if row["status"] == STORED), key=recency, reverse=True)
        for name, rows in images.items()
    }
    in_a_window = {row["media_key"] for rows in stored.values() for row in rows[:newest]}
    return {
        name: {
            row["media_key"]
            for row in rows[newest:]
            if row["media_key"] not in in_a_window and row["sha256"] not in needed
        }
        for name, rows in stored.items()
    }


def let_old_pictures_go(
    home: Home,
    ledger: Ledger,
    tracking: Tracking,
    decisions: DecisionBook,
    newest: int,
    *,
    dry_run: bool = False,
) -> OldPictures:
    """Take pictures that nothing needs any more out of everything.

    The rows go first. By them every later collection, training and housekeeping knows what to
    erase, so a kill at any point loses nothing that is needed and leaves nothing for good. Where
    nothing is old or left behind, tables are read and nothing else happens.

    Args:
        home: What is kept.
        ledger: What was withdrawn; whatever is left of that is erased too.
        tracking: Where models stand.
        decisions: What people decided about pictures.
        newest: ``REDS_RAW_PER_CLASS``.
        dry_run: Whether only to count.

    Raises:
        RedsError: A table is damaged, or the disk is full.
    """
    curated = read_rows(home.table("curated_dataset"), CURATED)
    if not curated:
        # Nobody knows yet what is needed.
        return OldPictures()
    with ExitStack() as held:
        free, busy = free_partitions(home, ("images",), held)
        images = {part.stem: read_rows(part.table, IMAGES) for part in partitions(home, "images")}
        needed = {row["sha256"] for row in curated if row["kept"]} | {
            row["sha256"]
            for rows in images.values()
            for row in rows
            if row["status"] == STORED and decisions.of(row["sha256"]) is not None
        }
        old = outdated_pictures(images, newest, needed)
        after = dict(images)
        for part in partitions(home, "images"):
            if part.stem in free and old[part.stem]:
                after[part.stem] = [
                    _outdated(row) if row["media_key"] in old[part.stem] else row
                    for row in images[part.stem]
                ]
                if not dry_run:
                    write_rows(part.table, after[part.stem], IMAGES)
    files, left = {**_left_behind(home, images), **_files(images)}, _files(after)
    gone = {sha256: size for sha256, size in files.items() if sha256 not in left}
    size = sum(gone.values()) + _bytes_of_numbers(home, set(gone))
    if (gone or after != images) and not dry_run:
        finish_withdrawals(home, ledger, tracking)
    return OldPictures(len(gone), size, busy)


def _files(images: Mapping[str, Sequence[Row]]) -> dict[str, int]:
    """Return the size in bytes of every stored file, by SHA-256."""
    return {
        row["sha256"]: row["bytes"] or 0
        for rows in images.values()
        for row in rows
        if row["status"] == STORED
    }


def _left_behind(home: Home, images: Mapping[str, Sequence[Row]]) -> dict[str, int]:
    """Return the same of files that were to go when a kill came in between; they go last."""
    paths = {
        row["sha256"]: home.images.path(row["sha256"], row["extension"])
        for rows in images.values()
        for row in rows
        if row["reason"] == OUTDATED and row["sha256"]
    }
    return {sha256: path.stat().st_size for sha256, path in paths.items() if path.exists()}


def _bytes_of_numbers(home: Home, sha256s: Collection[str]) -> int:
    """Return how much the squares and embeddings of some pictures take."""
    if not sha256s:
        return 0
    return sum(
        len(store.keys() & set(sha256s)) * math.prod(store.row_shape) * store.dtype.itemsize
        for store in home.array_stores()
    )


def _outdated(row: Row) -> dict[str, Any]:
    """Return what stays of the row of a picture that is let go."""
    return {**row, **_EMPTIED, "status": REJECTED, "reason": OUTDATED}
