"""Erasing pictures from everything that is derived from them.

What belongs here: removing a picture's file, tensors and embeddings. What does not: finding out
that a picture must go; and data sets and models, which lose it with the next training.
"""

from __future__ import annotations

from collections.abc import Sequence

from reds_pipeline.storage.home import Home


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
