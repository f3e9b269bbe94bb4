"""Erasing pictures from everything that is derived from them.

What belongs here: removing a picture's file, tensors and embeddings, and what kills left behind
that nothing refers to. What does not: finding out that a picture must go, and tables
(``withdraw.py``); models, which lose it with the next training.
"""

from __future__ import annotations

import time
from collections.abc import Collection, Sequence

from reds_pipeline.storage.home import Home
from reds_pipeline.storage.leftovers import half_written, remove, unnamed_pictures

_PLACES = ("tables", "journals", "images", "tensors", "embeddings", "figures")


def erase_pictures(home: Home, pictures: Sequence[tuple[str, str]]) -> int:
    """Erase pictures; what is gone already is passed over, so a killed erasure is repeated.

    Args:
        home: Where they are.
        pictures: SHA-256 and extension of each.

    Returns:
        How many files were there to erase.
    """
    if not pictures:
        return 0
    keys = {sha256 for sha256, _ in pictures}
    for store in home.array_stores():
        store.erase(keys)
    # The file goes last: as long as it is there, the erasure counts as not done.
    return sum(home.images.remove(sha256, extension) for sha256, extension in pictures)


def remove_leftovers(home: Home, referenced: Collection[str], older_than_seconds: float) -> int:
    """Remove what kills left behind: half-written files, shards and pictures without an entry.

    No table mentions them, so no withdrawal would ever find them by name.

    Args:
        home: Where to look.
        referenced: SHA-256 of the pictures that tables mention; others go, and what was
            computed from others, unless there are none at all: then the tables were lost.
        older_than_seconds: Younger files stay, somebody may be writing them.

    Returns:
        How many files, shards or rows of numbers were removed.
    """
    if not referenced:
        return 0
    places = (home.root / place for place in _PLACES)
    removed = sum(map(remove, half_written(places, older_than_seconds)))
    latest = time.time() - older_than_seconds
    for path in unnamed_pictures(home.images, referenced, older_than_seconds):
        removed += home.images.remove_unchanged(path, latest)
    for store in home.array_stores():
        removed += store.discard_unindexed(older_than_seconds)
        removed += store.erase(store.keys() - set(referenced))
    return removed
