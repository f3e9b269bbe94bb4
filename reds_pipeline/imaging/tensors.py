"""Squares and descriptions of pictures, each made once and kept.

What belongs here: the ways into the tensor store: as pictures come, from the image store, and
together with a description that an older version of REDS did not make. What does not: how one
picture becomes a square (``resize.py``) or is described (``description.py``). Shards stay uint8
on disk (R-IMG-10).
"""

from __future__ import annotations

import os
import sys
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray
from tqdm import tqdm

from reds_pipeline.errors import ImageRejected, RedsError, TakenAway
from reds_pipeline.imaging.description import describe_stored
from reds_pipeline.imaging.resize import square
from reds_pipeline.imaging.scores import SCORES_VERSION
from reds_pipeline.storage.arrays import ArrayStore
from reds_pipeline.storage.images import ImageStore

Row = Mapping[str, Any]
_Made = TypeVar("_Made")

SHARD_ROWS = 256
"""Pictures a shard: 38 MB in memory, and at most so many to do again after a kill."""


class TensorWriter:
    """Puts squares into a tensor store one at a time, from any number of threads.

    It holds one shard in memory and writes it when it is full and at the end of the ``with``
    block, whatever ended that. A kill loses what it holds and nothing else: ``resize_missing``
    makes those again from the stored pictures.

    Args:
        tensors: Where uint8 (side, side, 3) rows go; the index gets the column ``cropped``.

    Attributes:
        added: How many squares it took that the store did not have.
    """

    def __init__(self, tensors: ArrayStore) -> None:
        self.added = 0
        self._tensors = tensors
        self._present = tensors.keys()
        self._shard = np.empty((SHARD_ROWS, *tensors.row_shape), tensors.dtype)
        self._keys: list[str] = []
        self._cropped: list[bool] = []
        self._lock = threading.Lock()

    def __enter__(self) -> TensorWriter:
        """Return the writer itself."""
        return self

    def __exit__(self, *error: object) -> None:
        """Write what is held, after an error too: these squares are whole."""
        self.flush()

    def add(self, sha256: str, square: NDArray[np.uint8], cropped: bool) -> None:
        """Keep the square of a picture, unless the store has it already.

        Args:
            sha256: Of the stored file.
            square: uint8 (side, side, 3), RGB; copied.
            cropped: Whether its sides were cut off.

        Raises:
            OSError: A full shard cannot be written.
        """
        with self._lock:
            # One picture may be shown at two addresses, which two threads fetch at a time.
            if sha256 in self._present:
                return
            self._shard[len(self._keys)] = square
            self._present.add(sha256)
            self.added += 1
            self._keys.append(sha256)
            self._cropped.append(cropped)
            if len(self._keys) == SHARD_ROWS:
                self._write()

    def flush(self) -> None:
        """Write what is held, as a shard of its own."""
        with self._lock:
            self._write()

    def _write(self) -> None:
        keys, cropped = self._keys, self._cropped
        self._keys, self._cropped = [], []
        self._tensors.append(keys, self._shard[: len(keys)], {"cropped": cropped})


def resize_missing(
    rows: Sequence[Row],
    images: ImageStore,
    tensors: ArrayStore,
    workers: int | None = None,
) -> int:
    """Resize those pictures that have no tensor yet.

    Args:
        rows: Anything with ``sha256`` and ``extension`` of stored pictures.
        images: Where the pictures are.
        tensors: Where uint8 (side, side, 3) rows go; the index gets the column ``cropped``. The
            squares are as large as its rows.
        workers: Threads; decoding runs outside Python's lock, so one a core.

    Returns:
        How many pictures were resized.

    Raises:
        RedsError: A picture is gone from the image store, or no longer decodes.
    """
    extensions = {row["sha256"]: row["extension"] for row in rows}
    missing = tensors.missing(list(extensions))
    if not missing:
        return 0
    side = tensors.row_shape[0]
    with TensorWriter(tensors) as writer:

        def resize(sha256: str) -> None:
            pixels, cropped = _of_stored(
                images, sha256, extensions[sha256], lambda data: square(data, side)
            )
            writer.add(sha256, pixels, cropped)

        return sum(1 for _ in _side_by_side(resize, missing, "resizing", workers))


def are_whole_squares(tensors: ArrayStore, keys: Sequence[str], side: int) -> bool:
    """Say whether every key has a square of whole bytes in three channels (R-IMG-7, R-IMG-10).

    The headers of the shards tell, so the cost does not grow with the pixels.

    Args:
        tensors: The store.
        keys: Pictures that must be there.
        side: In pixels.
    """
    if tensors.missing(keys):
        return False
    shards = (np.load(path, mmap_mode="r", allow_pickle=False) for path in _shards(tensors))
    return all(shard.shape[1:] == (side, side, 3) and shard.dtype == np.uint8 for shard in shards)


def _shards(tensors: ArrayStore) -> list[Path]:
    names = tensors.index()["shard"].unique().to_pylist()
    return [tensors.root / f"{name}.npy" for name in names]


def describe_missing(
    rows: Sequence[Row],
    images: ImageStore,
    tensors: ArrayStore,
    workers: int | None = None,
) -> list[dict[str, Any]]:
    """Complete the rows that an older version of REDS wrote, decoding each picture once.

    The hashes, colours and scores of a row always come from the same pixels, so all of them are
    made anew; the squares go into the tensor store in the same pass.

    Args:
        rows: Rows of the images table, of any status.
        images: Where the pictures are.
        tensors: As ``resize_missing`` takes it.
        workers: Threads.

    Returns:
        The rows in their order; those that lacked nothing are equal to what was given.

    Raises:
        RedsError: A picture is gone from the image store, or no longer decodes.
    """
    extensions = {row["sha256"]: row["extension"] for row in rows if _is_undescribed(row)}
    if not extensions:
        return [dict(row) for row in rows]
    with TensorWriter(tensors) as writer:

        def describe(sha256: str) -> dict[str, Any]:
            made = _of_stored(images, sha256, extensions[sha256], describe_stored)
            writer.add(sha256, made.square, made.cropped)
            return {
                "perceptual_hash": made.perceptual_hash,
                "mirrored_hash": made.mirrored_hash,
                "colour_spread": made.colour_spread,
                "scores": dict(made.scores),
            }

        descriptions = list(_side_by_side(describe, list(extensions), "describing", workers))
    described = dict(zip(extensions, descriptions, strict=True))
    return [dict(row) | (described[row["sha256"]] if _is_undescribed(row) else {}) for row in rows]


def _is_undescribed(row: Row) -> bool:
    """Return whether the row is about a stored picture and lacks what is written today."""
    if row["status"] != "stored":
        return False
    scores = row.get("scores")
    return not row.get("mirrored_hash") or not scores or scores["version"] != SCORES_VERSION


def _of_stored(
    images: ImageStore, sha256: str, extension: str, make: Callable[[bytes], _Made]
) -> _Made:
    """Return what ``make`` makes of a stored picture.

    Raises:
        RedsError: The picture is gone or damaged.
    """
    try:
        return make(images.read(sha256, extension))
    except FileNotFoundError as error:
        raise TakenAway(
            f"The picture {images.path(sha256, extension)} is gone from the store; collect "
            "its class again, which fetches it anew or takes it out of the data."
        ) from error
    except ImageRejected as error:
        raise RedsError(
            f"The picture {images.path(sha256, extension)} is damaged ({error.reason}); "
            "delete that file and collect its class again, which fetches it anew."
        ) from error


def _side_by_side(
    make: Callable[[str], _Made], keys: Sequence[str], title: str, workers: int | None
) -> Iterator[_Made]:
    """Yield ``make(key)`` of each key in its order, made by several threads.

    The first error comes out of it, and what was not begun by then is not begun.
    """
    with (
        ThreadPoolExecutor(workers or os.cpu_count()) as pool,
        tqdm(
            total=len(keys), desc=title, unit="image", disable=None, file=sys.stderr, leave=False
        ) as progress,
    ):
        for made in pool.map(make, keys):
            yield made
            progress.update()
