from __future__ import annotations

import multiprocessing
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

import numpy as np
import pytest

from reds_pipeline.storage.arrays import ArrayStore, RowsAbsent


@pytest.fixture
def store(tmp_path: Path) -> ArrayStore:
    return ArrayStore(tmp_path / "vectors", (3,), "float32")


def rows(*values: float) -> np.ndarray:
    return np.array([[value] * 3 for value in values], np.float32)


def test_rows_come_back_in_the_order_asked_across_shards(store: ArrayStore) -> None:
    store.append(["a", "b"], rows(1, 2))
    store.append(["c"], rows(3))
    assert store.read(["c", "a", "c"])[:, 0].tolist() == [3, 1, 3]
    assert store.missing(["z", "a", "y", "z"]) == ["z", "y"]
    batches = list(store.batches(["a", "b", "c"], 2))
    assert [keys for keys, _ in batches] == [["a", "b"], ["c"]]
    assert [array[:, 0].tolist() for _, array in batches] == [[1, 2], [3]]


def test_an_absent_key_is_an_error(store: ArrayStore) -> None:
    with pytest.raises(RowsAbsent, match=r"^1 of 1 pictures have no numbers in .*run again"):
        store.read(["a"])


def test_a_shard_whose_index_was_never_written_counts_as_absent(store: ArrayStore) -> None:
    store.append(["a"], rows(1))
    [index] = store.root.glob("*.parquet")
    index.unlink()
    assert store.keys() == set()
    store.append(["a"], rows(5))
    assert store.read(["a"])[0, 0] == 5


def _delete(path: Path) -> None:
    path.unlink()


def _cut(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-7])


@pytest.mark.parametrize(
    ("file", "damage"),
    [("*.npy", _delete), ("*.npy", _cut), ("*.parquet", _cut)],
    ids=["shard deleted", "shard cut short", "index cut short"],
)
def test_rows_of_a_damaged_shard_are_missing_and_can_be_made_again(
    store: ArrayStore, file: str, damage: Callable[[Path], None]
) -> None:
    store.append(["a"], rows(1))
    damage(next(store.root.glob(file)))
    store.append(["b"], rows(2))
    assert store.missing(["a", "b"]) == ["a"]
    store.append(["a"], rows(5))
    assert store.read(["a", "b"])[:, 0].tolist() == [5, 2]


def test_extra_columns_are_kept_in_the_index(store: ArrayStore) -> None:
    store.append(["a", "b"], rows(1, 2), {"cropped": [True, False]})
    table = store.index().to_pydict()
    assert dict(zip(table["key"], table["cropped"], strict=True)) == {"a": True, "b": False}


@pytest.mark.parametrize(
    ("keys", "array"),
    [
        (["a"], rows(1).astype(np.float64)),
        (["a", "b"], rows(1)),
        (["a", "a"], rows(1, 2)),
        (["a"], np.zeros((1, 4), np.float32)),
    ],
    ids=["other dtype", "row missing", "key twice", "other shape"],
)
def test_a_shard_that_does_not_fit_is_refused(
    store: ArrayStore, keys: list[str], array: np.ndarray
) -> None:
    with pytest.raises(ValueError, match="shard"):
        store.append(keys, array)
    assert store.keys() == set()


def test_nothing_to_append_writes_nothing(store: ArrayStore) -> None:
    store.append([], np.empty((0, 3), np.float32))
    assert not store.root.exists()


def test_erased_rows_are_gone_from_disk_and_the_others_stay(store: ArrayStore) -> None:
    store.append(["a", "b"], rows(1, 2), {"cropped": [True, False]})
    store.append(["c"], rows(3), {"cropped": [True]})
    store.append(["d"], rows(4), {"cropped": [False]})
    assert store.erase({"a", "c", "never there"}) == 2
    assert store.keys() == {"b", "d"}
    assert store.read(["d", "b"])[:, 0].tolist() == [4, 2]
    table = store.index().to_pydict()
    assert dict(zip(table["key"], table["cropped"], strict=True)) == {"b": False, "d": False}
    left = np.concatenate([np.load(path) for path in store.root.glob("*.npy")])
    assert sorted(left[:, 0].tolist()) == [2, 4]
    assert store.erase({"a"}) == 0


def test_whoever_reads_while_rows_are_erased_gets_the_others(store: ArrayStore) -> None:
    store.append(["a", "b", "c"], rows(1, 2, 3))
    batches = store.batches(["a", "b", "c"], 1)
    assert next(batches)[0] == ["a"]
    store.erase(["c"])
    keys, array = next(batches)
    assert (keys, array[:, 0].tolist()) == (["b"], [2])
    with pytest.raises(RowsAbsent) as absent:
        next(batches)
    assert absent.value.retryable, "the next attempt does not ask for it"


def erase_one(root: Path, key: str) -> None:
    store = ArrayStore.found_at(root)
    assert store is not None
    store.erase([key])


def test_two_that_erase_at_once_both_get_their_way(store: ArrayStore) -> None:
    """Each writes the rest of a shard anew; that must not hold what the other one erases."""
    names = [f"key {number}" for number in range(12)]
    for name in range(4):
        part = names[name * 3 : name * 3 + 3]
        store.append(part, rows(*range(3)))
    # A ``multiprocessing.Pool`` ends its workers by a signal that pytest-xdist's children ignore.
    with ProcessPoolExecutor(4, multiprocessing.get_context("spawn")) as pool:
        list(pool.map(erase_one, [store.root] * 11, names[:-1]))
    assert store.keys() == {names[-1]}


def test_a_store_is_found_again_with_the_shape_of_its_rows(store: ArrayStore) -> None:
    assert ArrayStore.found_at(store.root) is None
    store.append(["a"], rows(1))
    found = ArrayStore.found_at(store.root)
    assert found is not None
    assert (found.row_shape, found.dtype) == (store.row_shape, store.dtype)


@pytest.mark.parametrize(
    "damage",
    [lambda index: index.unlink(), lambda index: index.write_bytes(b"PAR1")],
    ids=["no index", "damaged index"],
)
def test_a_shard_that_no_index_describes_is_removed_once_it_is_old(
    store: ArrayStore, damage: Callable[[Path], object]
) -> None:
    store.append(["a"], rows(1))
    damage(next(store.root.glob("*.parquet")))
    store.append(["b"], rows(2))
    assert store.discard_unindexed(older_than_seconds=3600) == 0
    assert store.discard_unindexed(older_than_seconds=-1) == 1
    assert len(list(store.root.iterdir())) == 2
    assert store.keys() == {"b"}


def test_a_damaged_shard_does_not_hide_a_store(store: ArrayStore) -> None:
    store.append(["a"], rows(1))
    (store.root / "0000.npy").write_bytes(b"no array")
    found = ArrayStore.found_at(store.root)
    assert found is not None
    assert found.row_shape == (3,)
