from __future__ import annotations

import tracemalloc
from concurrent.futures import ThreadPoolExecutor
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from reds_pipeline.errors import RedsError
from reds_pipeline.imaging.examine import examine_image
from reds_pipeline.imaging.resize import RESIZE_RULE, resize_rule, square, square_224
from reds_pipeline.imaging.tensors import (
    SHARD_ROWS,
    TensorWriter,
    are_whole_squares,
    describe_missing,
    resize_missing,
)
from reds_pipeline.storage.arrays import ArrayStore
from reds_pipeline.storage.home import Home
from reds_pipeline.storage.images import ImageStore
from reds_pipeline_tests.imaging.pictures import encoded, scene


@pytest.fixture
def images(tmp_path: Path) -> ImageStore:
    return ImageStore(tmp_path / "images")


@pytest.fixture
def tensors(tmp_path: Path) -> ArrayStore:
    return ArrayStore(tmp_path / "tensors", (224, 224, 3), "uint8")


def stored(
    images: ImageStore, colour: tuple[int, int, int], size: tuple[int, int]
) -> dict[str, str]:
    file = BytesIO()
    Image.new("RGB", size, colour).save(file, "PNG")
    return {"sha256": images.put(file.getvalue(), "png"), "extension": "png"}


def test_each_picture_is_resized_once(images: ImageStore, tensors: ArrayStore) -> None:
    rows = [stored(images, (250, 0, 0), (300, 300)), stored(images, (0, 250, 0), (400, 200))]
    assert resize_missing([*rows, rows[0]], images, tensors) == 2
    assert resize_missing(rows, images, tensors) == 0
    rows.append(stored(images, (0, 0, 250), (200, 400)))
    assert resize_missing(rows, images, tensors) == 1
    for row in rows:
        expected, _ = square_224(images.read(row["sha256"], row["extension"]))
        np.testing.assert_array_equal(tensors.read([row["sha256"]])[0], expected)
    index = tensors.index().to_pydict()
    cropped = dict(zip(index["key"], index["cropped"], strict=True))
    assert [cropped[row["sha256"]] for row in rows] == [False, True, True]


@pytest.mark.parametrize(
    ("content", "sentence"),
    [(None, "is gone from the store; collect its class again"), (b"GIF89a", "delete that file")],
    ids=["deleted", "damaged"],
)
def test_a_stored_picture_that_cannot_be_read_is_a_sentence_and_stores_nothing(
    images: ImageStore, tensors: ArrayStore, content: bytes | None, sentence: str
) -> None:
    row = stored(images, (9, 9, 9), (300, 300))
    path = images.path(row["sha256"], row["extension"])
    path.unlink()
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(RedsError, match=sentence):
        resize_missing([row], images, tensors)
    assert tensors.keys() == set()


@pytest.fixture
def small_tensors(tmp_path: Path) -> ArrayStore:
    """A store like that of the squares whose rows take less room."""
    return ArrayStore(tmp_path / "small", (8, 8, 3), "uint8")


def _square(number: int) -> NDArray[np.uint8]:
    return np.full((8, 8, 3), number % 251, np.uint8)


def test_squares_that_come_one_at_a_time_are_kept_in_whole_shards(
    small_tensors: ArrayStore,
) -> None:
    count = 2 * SHARD_ROWS + 3
    with TensorWriter(small_tensors) as writer:
        for number in range(count):
            writer.add(str(number), _square(number), number % 3 == 0)
            assert len(small_tensors.keys()) == (number + 1) // SHARD_ROWS * SHARD_ROWS
    assert len(list(small_tensors.root.glob("*.npy"))) == 3
    keys = [str(number) for number in range(count)]
    np.testing.assert_array_equal(small_tensors.read(keys)[:, 0, 0, 0], np.arange(count) % 251)
    index = small_tensors.index().to_pydict()
    cropped = dict(zip(index["key"], index["cropped"], strict=True))
    assert [cropped[key] for key in keys] == [number % 3 == 0 for number in range(count)]


def test_threads_that_bring_the_same_pictures_store_each_once(small_tensors: ArrayStore) -> None:
    """One picture may be shown at two addresses, which two threads fetch at a time."""
    small_tensors.append(["7"], _square(7)[None], {"cropped": [False]})
    with TensorWriter(small_tensors) as writer, ThreadPoolExecutor(8) as pool:
        list(
            pool.map(
                lambda number: writer.add(str(number % 300), _square(number % 300), False),
                range(1200),
            )
        )
    assert sorted(small_tensors.index()["key"].to_pylist()) == sorted(map(str, range(300)))
    keys = [str(number) for number in range(300)]
    np.testing.assert_array_equal(small_tensors.read(keys)[:, 0, 0, 0], np.arange(300) % 251)


def test_what_was_made_before_an_error_is_kept(small_tensors: ArrayStore) -> None:
    with (
        pytest.raises(RuntimeError, match="elsewhere"),
        TensorWriter(small_tensors) as writer,
    ):
        writer.add("0", _square(0), False)
        raise RuntimeError("elsewhere")
    assert small_tensors.keys() == {"0"}


def test_nothing_brought_is_nothing_written(small_tensors: ArrayStore) -> None:
    with TensorWriter(small_tensors):
        pass
    assert not list(small_tensors.root.glob("*"))


def test_memory_holds_one_shard_however_many_squares_come(small_tensors: ArrayStore) -> None:
    shard_bytes = SHARD_ROWS * 8 * 8 * 3
    tracemalloc.start()
    try:
        with TensorWriter(small_tensors) as writer:
            tracemalloc.reset_peak()
            before, _ = tracemalloc.get_traced_memory()
            for number in range(SHARD_ROWS - 1):
                writer.add(str(number), _square(number), False)
            _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    # The shard itself was there before; what is held beside it is names.
    assert peak - before < shard_bytes


def _row(
    images: ImageStore, data: bytes, *, described: bool = False, **changes: Any
) -> dict[str, Any]:
    """A row of the images table, as written today or as it was before there were scores."""
    examined = examine_image(data)
    row = {
        "media_key": "m",
        "status": "stored",
        "sha256": images.put(examined.data, examined.extension),
        "extension": examined.extension,
        "perceptual_hash": examined.perceptual_hash,
        "colour_spread": examined.colour_spread,
        "mirrored_hash": examined.mirrored_hash if described else None,
        "scores": dict(examined.scores) if described else None,
    }
    return row | changes


def test_rows_of_an_older_version_are_completed_in_one_pass(
    images: ImageStore, tensors: ArrayStore
) -> None:
    """An old home gets what the new gates need without collecting anything again."""
    files = [encoded(scene(500, 340, seed)) for seed in range(3)]
    old = [_row(images, data) for data in files]
    new = [_row(images, data, described=True) for data in files]
    # Of one picture at two addresses, only one row may be old.
    rows = [old[0], new[0], new[1], old[2]]
    completed = describe_missing(rows, images, tensors)
    assert completed == [new[0], new[0], new[1], new[2]]
    assert tensors.keys() == {new[0]["sha256"], new[2]["sha256"]}
    for row, data in ((new[0], files[0]), (new[2], files[2])):
        np.testing.assert_array_equal(
            tensors.read([row["sha256"]])[0], square_224(examine_image(data).data)[0]
        )


def test_complete_rows_cost_no_decode(images: ImageStore, tensors: ArrayStore) -> None:
    row = _row(images, encoded(scene()), described=True)
    images.remove(row["sha256"], row["extension"])
    assert describe_missing([row], images, tensors) == [row]


def test_scores_of_an_older_version_are_made_anew(images: ImageStore, tensors: ArrayStore) -> None:
    new = _row(images, encoded(scene()), described=True)
    old = new | {"scores": new["scores"] | {"version": "of long ago", "brightness": -1.0}}
    assert describe_missing([old], images, tensors) == [new]


@pytest.mark.parametrize("status", ["failed", "rejected"])
def test_rows_without_a_picture_are_left_as_they_are(
    images: ImageStore, tensors: ArrayStore, status: str
) -> None:
    row = {"status": status, "sha256": "", "extension": "", "mirrored_hash": None, "scores": None}
    assert describe_missing([row], images, tensors) == [row]


@pytest.mark.parametrize(
    ("content", "sentence"),
    [(None, "is gone from the store; collect its class again"), (b"GIF89a", "delete that file")],
    ids=["deleted", "damaged"],
)
def test_an_old_row_whose_picture_cannot_be_read_is_a_sentence(
    images: ImageStore, tensors: ArrayStore, content: bytes | None, sentence: str
) -> None:
    row = _row(images, encoded(scene()))
    path = images.path(row["sha256"], row["extension"])
    path.unlink()
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(RedsError, match=sentence):
        describe_missing([row], images, tensors)


@pytest.mark.req("R-IMG-10")
@pytest.mark.parametrize(
    ("shard", "whole"),
    [
        pytest.param(np.zeros((2, 8, 8, 3), np.uint8), True, id="as it should be"),
        pytest.param(np.zeros((2, 8, 8, 3), np.float64), False, id="eight bytes a channel"),
        pytest.param(np.zeros((2, 9, 8, 3), np.uint8), False, id="another side"),
        pytest.param(np.zeros((2, 8, 8, 1), np.uint8), False, id="one channel"),
    ],
)
def test_the_headers_tell_whether_squares_are_whole(
    shard: NDArray[Any], whole: bool, small_tensors: ArrayStore
) -> None:
    """The report kept float64, eight times what is needed; the check must see it in the file."""
    ArrayStore(small_tensors.root, shard.shape[1:], str(shard.dtype)).append(["1", "2"], shard)
    assert are_whole_squares(small_tensors, ["1", "2"], 8) is whole
    assert not are_whole_squares(small_tensors, ["1", "3"], 8)


def test_a_store_says_how_large_its_squares_are(tmp_path: Path) -> None:
    """A network that takes 160 pixels gets squares of the original, not of those of 224."""
    home = Home(tmp_path)
    sha256 = home.images.put(encoded(scene(400, 300)), "jpg")
    store = home.tensors(resize_rule(160))
    assert resize_missing([{"sha256": sha256, "extension": "jpg"}], home.images, store) == 1
    expected, _ = square(home.images.read(sha256, "jpg"), 160)
    assert expected.shape == (160, 160, 3)
    np.testing.assert_array_equal(store.read([sha256])[0], expected)
    assert home.tensors(resize_rule(224)).root.name == RESIZE_RULE
    assert [found.row_shape for found in home.array_stores()] == [(160, 160, 3)]
