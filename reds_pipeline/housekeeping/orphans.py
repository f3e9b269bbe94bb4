"""What no table names: pictures, rows of squares and embeddings, and what kills left half done.

What belongs here: finding it in a home at which nobody else works, and removing it. What does not:
what a table does name; stores of encoders that nobody uses (``encoders.py``).

Nothing younger than an hour is an orphan, for its writer may not have entered it anywhere yet.
Contributed photos are kept and deleted by rules of their own (``feedback``).
"""

from __future__ import annotations

import math
import time
from collections.abc import Collection, Iterable, Iterator, Sequence
from pathlib import Path

from reds_pipeline.errors import RedsError
from reds_pipeline.housekeeping.chore import Chore, in_the_way, removing
from reds_pipeline.housekeeping.disk_use import taken
from reds_pipeline.storage.arrays import ArrayStore
from reds_pipeline.storage.home import Home, file_name
from reds_pipeline.storage.leftovers import (
    LEFTOVER_SECONDS,
    half_written,
    is_old,
    unnamed_pictures,
)
from reds_pipeline.storage.partitions import partitions
from reds_pipeline.storage.tables import read_rows

KIND = "orphans"

# Tables of which each row means that its picture is kept, and of ``images`` the stored ones.
_NAMING = ("curated_dataset", "contributed_images", "contributed_dataset")
_HALF_WRITTEN_IN = (
    *("tables", "journals", "images", "tensors", "embeddings", "engines", "figures", "card"),
    "locks",
)
# What Python's ``tempfile`` calls a directory; converted networks are put together in one.
_TEMPORARY_DIRECTORIES = "tmp*"
_KINDS_OF = "kinds_of_"


def chores(
    home: Home,
    classes: Collection[str],
    stores: Iterable[ArrayStore],
    forgotten: Collection[str] = (),
) -> Iterator[Chore]:
    """Yield what nothing names.

    Args:
        home: Where to look.
        classes: The classes that there are, those that left for a while too.
        stores: Squares and embeddings to look at.
        forgotten: File names of classes whose tables are about to go.
    """
    yield from _half_written(home)
    yield from _figures(home, classes)
    try:
        named = named_pictures(home, forgotten)
    except RedsError as error:
        yield in_the_way(KIND, "pictures that no table names", str(error))
        return
    if not named:
        if any(True for _ in home.images.files()):
            reason = "no table names any picture, so the tables were probably lost"
            yield in_the_way(KIND, "pictures that no table names", reason)
        return
    yield from _pictures(home, named)
    for store in stores:
        yield from _rows(store, named)


def named_pictures(home: Home, forgotten: Collection[str] = ()) -> set[str]:
    """Return the SHA-256 of every picture that a table or work in progress names.

    Args:
        home: Where the tables are.
        forgotten: File names of classes that do not count.

    Raises:
        RedsError: A table is damaged, so that nobody knows what it names.
    """
    named: set[str] = set()
    for part in partitions(home, "images"):
        if part.stem not in forgotten:
            for row in (*read_rows(part.table), *part.journal.records()):
                if row["status"] == "stored":
                    named.add(row["sha256"])
    for part in partitions(home, "clean_images"):
        if part.stem not in forgotten:
            named |= {row["sha256"] for row in read_rows(part.table)}
    for name in _NAMING:
        named |= {row["sha256"] for row in read_rows(home.table(name))}
    return named - {"", None}


def _pictures(home: Home, named: Collection[str]) -> Iterator[Chore]:
    paths = list(unnamed_pictures(home.images, named, LEFTOVER_SECONDS))
    if paths:
        yield Chore(
            KIND,
            "pictures that no table names",
            len(paths),
            sum(map(taken, paths)),
            "their row is gone or was never written",
            lambda: _remove_pictures(home, paths),
        )


def _remove_pictures(home: Home, paths: Sequence[Path]) -> None:
    since = time.time() - LEFTOVER_SECONDS
    for path in paths:
        home.images.remove_unchanged(path, since)


def _rows(store: ArrayStore, named: set[str]) -> Iterator[Chore]:
    kind = f"{store.root.parent.name} {store.root.name}"
    gone = store.settled_keys(LEFTOVER_SECONDS) - named
    if gone:
        yield Chore(
            KIND,
            f"rows of {kind}",
            len(gone),
            len(gone) * math.prod(store.row_shape) * store.dtype.itemsize,
            "no table names their picture",
            lambda: _erase(store, gone),
        )
    shards = store.unindexed(LEFTOVER_SECONDS)
    if shards:
        yield Chore(
            KIND,
            f"shards of {kind}",
            len(shards),
            sum(map(taken, shards)),
            "no sound index says what is in them",
            lambda: _discard(store),
        )


def _erase(store: ArrayStore, keys: Collection[str]) -> None:
    store.erase(keys)


def _discard(store: ArrayStore) -> None:
    store.discard_unindexed(LEFTOVER_SECONDS)


def _half_written(home: Home) -> Iterator[Chore]:
    places = [home.root / place for place in _HALF_WRITTEN_IN]
    paths = list(half_written(places, LEFTOVER_SECONDS))
    paths += [path for path in home.root.glob(".writing-*") if is_old(path, LEFTOVER_SECONDS)]
    paths += [
        path
        for path in home.engines.glob(f"*/{_TEMPORARY_DIRECTORIES}")
        if path.is_dir() and is_old(path, LEFTOVER_SECONDS)
    ]
    if paths:
        yield Chore(
            KIND,
            "half-written files",
            len(paths),
            sum(map(taken, paths)),
            "whoever wrote them was killed",
            removing(paths),
        )


def _figures(home: Home, classes: Collection[str]) -> Iterator[Chore]:
    """Yield drawings about classes that are none any more."""
    wanted = {file_name(f"{_KINDS_OF}{name}") for name in classes}
    paths = [
        path
        for path in (home.figures / "kept").glob(f"{_KINDS_OF}*.png")
        if path.name.partition(".")[0] not in wanted and is_old(path, LEFTOVER_SECONDS)
    ]
    if paths:
        yield Chore(
            KIND,
            "figures of classes that left",
            len(paths),
            sum(map(taken, paths)),
            "they are drawn again should the class come back",
            removing(paths),
        )
