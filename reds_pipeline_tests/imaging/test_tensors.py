from __future__ import annotations

from io import BytesIO
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from reds_pipeline.errors import RedsError
from reds_pipeline.imaging.resize import square_224
from reds_pipeline.imaging.tensors import resize_missing
from reds_pipeline.storage.arrays import ArrayStore
from reds_pipeline.storage.images import ImageStore


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
