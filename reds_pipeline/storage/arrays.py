"""Rows of numbers by key: tensors and embeddings, in NumPy shards beside Parquet indexes.

What belongs here: storing and finding arrays whose rows all have one shape and type. What does
not: what the numbers mean or how they were made. Each append writes one shard and then its
index, so a shard without an index (a kill in between) is invisible and is overwritten by name
never: names are random. What is kept here can be made again, so a pair of files that is damaged
counts as absent too, and the next run replaces its rows.
"""

from __future__ import annotations

import logging
import time
import uuid
from collections.abc import Collection, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from reds_pipeline.errors import TakenAway
from reds_pipeline.storage.atomic import replacing
from reds_pipeline.storage.locks import WITHDRAWAL_SECONDS, exclusive

_LOGGER = logging.getLogger(__name__)
_LOCK = ".erasing.lock"


class RowsAbsent(TakenAway, KeyError):
    """Rows were asked for that are not there, or not any more.

    What is read has been made before, so this is a withdrawal that came in between.
    """

    # A KeyError would put its sentence into quotation marks.
    __str__ = Exception.__str__


class ArrayStore:
    """Keyed rows of one shape and dtype.

    Args:
        root: The directory; made on first use.
        row_shape: Shape of one row, such as ``(224, 224, 3)``.
        dtype: NumPy type name, such as ``"uint8"``.
    """

    def __init__(self, root: Path, row_shape: tuple[int, ...], dtype: str) -> None:
        self.root = root
        self.row_shape = row_shape
        self.dtype = np.dtype(dtype)

    @classmethod
    def found_at(cls, root: Path) -> ArrayStore | None:
        """Return the store at ``root`` with the shape and type of its rows, or None if empty."""
        for path in sorted(root.glob("[0-9a-f]*.npy")):
            try:
                shard = np.load(path, mmap_mode="r", allow_pickle=False)
            except (OSError, EOFError, ValueError) as error:
                _LOGGER.info("%s is left out: %s", path, error)
                continue
            return cls(root, shard.shape[1:], str(shard.dtype))
        return None

    def keys(self) -> set[str]:
        """Return every key that has a row."""
        return set(self._places())

    def missing(self, keys: Sequence[str]) -> list[str]:
        """Return the keys without a row, in the order given and each once."""
        present = self._places()
        return [key for key in dict.fromkeys(keys) if key not in present]

    def append(
        self,
        keys: Sequence[str],
        rows: NDArray[Any],
        extra: Mapping[str, Sequence[Any]] | None = None,
    ) -> None:
        """Store one shard.

        Args:
            keys: One key a row.
            rows: Array of shape ``(len(keys), *row_shape)`` and the store's dtype.
            extra: Further index columns, each as long as ``keys``.

        Raises:
            ValueError: Shape or dtype differ from the store's, or a key comes twice.
        """
        if rows.shape != (len(keys), *self.row_shape) or rows.dtype != self.dtype:
            raise ValueError(
                f"a shard of {self.root.name} must be {self.dtype} of shape "
                f"{(len(keys), *self.row_shape)}, not {rows.dtype} of shape {rows.shape}"
            )
        if len(set(keys)) != len(keys):
            raise ValueError("a shard holds each key once")
        if not keys:
            return
        name = uuid.uuid4().hex
        with replacing(self.root / f"{name}.npy") as temporary, temporary.open("wb") as file:
            np.save(file, rows, allow_pickle=False)
        index = pa.table(
            {
                "key": pa.array(keys, pa.string()),
                "shard": pa.array([name] * len(keys), pa.string()),
                "row": pa.array(range(len(keys)), pa.int64()),
                **{column: pa.array(list(values)) for column, values in (extra or {}).items()},
            }
        )
        with replacing(self.root / f"{name}.parquet") as temporary:
            pq.write_table(index, temporary)

    def read(self, keys: Sequence[str]) -> NDArray[Any]:
        """Return the rows of ``keys`` in that order, shape ``(len(keys), *row_shape)``.

        Raises:
            RowsAbsent: A key has no row.
        """
        return self._read(keys, self._places())

    def batches(self, keys: Sequence[str], size: int) -> Iterator[tuple[list[str], NDArray[Any]]]:
        """Yield ``(keys, rows)`` of at most ``size`` rows, so memory stays bounded."""
        places = self._places()
        for start in range(0, len(keys), size):
            chunk = list(keys[start : start + size])
            yield chunk, self._read(chunk, places)

    def index(self) -> pa.Table:
        """Return the columns ``key``, ``shard``, ``row`` and the extra ones, one row a key."""
        tables = self._sound_indexes()
        if not tables:
            return pa.table(
                {
                    "key": pa.array([], pa.string()),
                    "shard": pa.array([], pa.string()),
                    "row": pa.array([], pa.int64()),
                }
            )
        return pa.concat_tables(tables, promote_options="default")

    def erase(self, keys: Collection[str]) -> int:
        """Remove the rows of ``keys`` from disk; returns how many there were.

        What else is in their shards is written anew before the old shards go, so a kill in
        between leaves rows twice, which reads the same, and never loses one.

        Raises:
            RedsError: Another process has been erasing for half a minute, or the disk is full.
        """
        gone = set(keys)
        if not gone:
            return 0
        # Two at a time would each write anew what the other one is erasing.
        lock = self.root / _LOCK
        with exclusive(lock, "erasing rows", patience_seconds=WITHDRAWAL_SECONDS):
            return self._erase(gone)

    def _erase(self, gone: set[str]) -> int:
        erased = 0
        for path in self._indexes():
            table = self._sound_index(path)
            if table is None:
                continue
            rest = [row for row, key in enumerate(table["key"].to_pylist()) if key not in gone]
            if len(rest) == len(table):
                continue
            erased += len(table) - len(rest)
            left = table.take(pa.array(rest, pa.int64())).to_pydict()
            shard = np.load(path.with_suffix(".npy"), mmap_mode="r", allow_pickle=False)
            extra = {name: left[name] for name in left if name not in {"key", "shard", "row"}}
            self.append(left["key"], np.asarray(shard[left["row"]]), extra)
            path.unlink()
            path.with_suffix(".npy").unlink(missing_ok=True)
        return erased

    def settled_keys(self, older_than_seconds: float) -> set[str]:
        """Return the keys of which no row was written lately.

        Args:
            older_than_seconds: Rows of younger shards do not count.
        """
        latest = time.time() - older_than_seconds
        index = self.index()
        age = {
            name: _last_change(self.root / f"{name}.npy")
            for name in set(index["shard"].to_pylist())
        }
        pairs = list(zip(index["key"].to_pylist(), index["shard"].to_pylist(), strict=True))
        young = {key for key, shard in pairs if age[shard] > latest}
        return {key for key, _ in pairs} - young

    def unindexed(self, older_than_seconds: float) -> list[Path]:
        """Return shards that no sound index describes, so whose rows nobody can name or erase.

        Args:
            older_than_seconds: Younger ones are left out: a shard stands without its index for
                the moment between the two writes.
        """
        latest = time.time() - older_than_seconds
        return [
            shard
            for shard in sorted(self.root.glob("[0-9a-f]*.npy"))
            if self._sound_index(shard.with_suffix(".parquet")) is None
            and _last_change(shard) <= latest
        ]

    def discard_unindexed(self, older_than_seconds: float) -> int:
        """Remove the shards that ``unindexed`` names, and return how many there were."""
        shards = self.unindexed(older_than_seconds)
        for shard in shards:
            shard.with_suffix(".parquet").unlink(missing_ok=True)
            shard.unlink(missing_ok=True)
        return len(shards)

    def _read(self, keys: Sequence[str], places: Mapping[str, tuple[str, int]]) -> NDArray[Any]:
        try:
            return self._read_from(keys, places)
        except FileNotFoundError:
            # An erasure has written what is left of a shard anew since the places were looked up.
            return self._read_from(keys, self._places())

    def _read_from(
        self, keys: Sequence[str], places: Mapping[str, tuple[str, int]]
    ) -> NDArray[Any]:
        if absent := set(keys) - places.keys():
            raise RowsAbsent(
                f"{len(absent)} of {len(keys)} pictures have no numbers in {self.root} (any more), "
                "perhaps because they were withdrawn a moment ago; run again."
            )
        result = np.empty((len(keys), *self.row_shape), self.dtype)
        by_shard: dict[str, list[tuple[int, int]]] = {}
        for position, key in enumerate(keys):
            shard, row = places[key]
            by_shard.setdefault(shard, []).append((position, row))
        for shard, moves in by_shard.items():
            array = np.load(self.root / f"{shard}.npy", mmap_mode="r", allow_pickle=False)
            positions, rows = zip(*moves, strict=True)
            result[list(positions)] = array[list(rows)]
        return result

    def _sound_indexes(self) -> list[pa.Table]:
        """Return every index that describes a sound shard, as they stand at one time."""
        while True:
            paths = self._indexes()
            tables = [table for path in paths if (table := self._sound_index(path))]
            # An erasure takes away what was listed; by then the rest of it stands elsewhere.
            if all(path.exists() for path in paths):
                return tables

    def _sound_index(self, path: Path) -> pa.Table | None:
        """Return the index at ``path``, or None where it or its shard is gone or cut short."""
        try:
            with pq.ParquetFile(path) as file:
                table = file.read()
            shard = np.load(path.with_suffix(".npy"), mmap_mode="r", allow_pickle=False)
        except (OSError, EOFError, ValueError, pa.ArrowException) as error:
            _LOGGER.info("%s is left out: %s", path, error)
            return None
        return table if len(shard) >= len(table) else None

    def _indexes(self) -> list[Path]:
        return sorted(self.root.glob("[0-9a-f]*.parquet"))

    def _places(self) -> dict[str, tuple[str, int]]:
        index = self.index().select(["key", "shard", "row"]).to_pydict()
        return {
            key: (shard, row)
            for key, shard, row in zip(index["key"], index["shard"], index["row"], strict=True)
        }


def _last_change(path: Path) -> float:
    """Return when a file was last written, in seconds; one that has gone meanwhile is ancient."""
    try:
        return path.stat().st_mtime
    except FileNotFoundError:
        return 0.0
