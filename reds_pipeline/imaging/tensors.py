"""Turning stored pictures into the squares that backbones see, each once.

What belongs here: the loop from the image store to the tensor store. What does not: how one
picture becomes a square (``resize.py``). Shards stay uint8 on disk (R-IMG-10).
"""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
from numpy.typing import NDArray
from tqdm import tqdm

from reds_pipeline.errors import ImageRejected, RedsError
from reds_pipeline.imaging.resize import square_224
from reds_pipeline.storage.arrays import ArrayStore
from reds_pipeline.storage.images import ImageStore

SHARD_ROWS = 256
"""Pictures a shard: 38 MB in memory, and at most so many to do again after a kill."""


def resize_missing(
    rows: Sequence[Mapping[str, Any]],
    images: ImageStore,
    tensors: ArrayStore,
    workers: int | None = None,
) -> int:
    """Resize those pictures that have no tensor yet.

    Args:
        rows: Anything with ``sha256`` and ``extension`` of stored pictures.
        images: Where the pictures are.
        tensors: Where uint8 (224, 224, 3) rows go; the index gets the column ``cropped``.
        workers: Threads; decoding runs outside Python's lock, so one a core.

    Returns:
        How many pictures were resized.

    Raises:
        RedsError: A picture is gone from the image store, or no longer decodes.
    """

    def square(key: str) -> tuple[NDArray[np.uint8], bool]:
        try:
            return square_224(images.read(key, extensions[key]))
        except FileNotFoundError as error:
            raise RedsError(
                f"The picture {images.path(key, extensions[key])} is gone from the store; collect "
                "its class again, which fetches it anew or takes it out of the data."
            ) from error
        except ImageRejected as error:
            raise RedsError(
                f"The picture {images.path(key, extensions[key])} is damaged ({error.reason}); "
                "delete that file and collect its class again, which fetches it anew."
            ) from error

    extensions = {row["sha256"]: row["extension"] for row in rows}
    missing = tensors.missing(list(extensions))
    with (
        ThreadPoolExecutor(workers or os.cpu_count()) as pool,
        tqdm(
            total=len(missing),
            desc="resizing",
            unit="image",
            disable=None,
            file=sys.stderr,
            leave=False,
        ) as progress,
    ):
        for start in range(0, len(missing), SHARD_ROWS):
            keys = missing[start : start + SHARD_ROWS]
            squares = list(pool.map(square, keys))
            tensors.append(
                keys,
                np.stack([pixels for pixels, _ in squares]),
                {"cropped": [cropped for _, cropped in squares]},
            )
            progress.update(len(keys))
    return len(missing)
