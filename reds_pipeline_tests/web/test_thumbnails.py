"""Small versions of pictures."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from io import BytesIO
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from reds_pipeline.errors import ImageRejected
from reds_pipeline.storage.images import ImageStore
from reds_pipeline.web.thumbnails import SIDES, Thumbnails, make_thumbnail
from reds_pipeline_tests.imaging.pictures import encoded, scene, with_orientation


def opened(data: bytes) -> Image.Image:
    picture = Image.open(BytesIO(data))
    assert picture.format == "JPEG"
    return picture


@pytest.mark.parametrize("file_format", ["JPEG", "PNG", "WEBP"])
@pytest.mark.parametrize(
    ("size", "expected"), [((1000, 500), (256, 128)), ((300, 900), (85, 256)), ((90, 60), (90, 60))]
)
def test_the_whole_picture_fits_and_keeps_its_shape(
    file_format: str, size: tuple[int, int], expected: tuple[int, int]
) -> None:
    assert opened(make_thumbnail(encoded(scene(*size), file_format), 256)).size == expected


@pytest.mark.parametrize("orientation", range(1, 9))
def test_it_is_upright(orientation: int) -> None:
    """Pixels are stored as the camera held them; people see them the right way up."""
    picture = Image.new("RGB", (400, 300), "blue")
    picture.paste((255, 0, 0), (0, 0, 400, 150))
    turned_back = {
        1: None,
        2: Image.Transpose.FLIP_LEFT_RIGHT,
        3: Image.Transpose.ROTATE_180,
        4: Image.Transpose.FLIP_TOP_BOTTOM,
        5: Image.Transpose.TRANSPOSE,
        6: Image.Transpose.ROTATE_90,
        7: Image.Transpose.TRANSVERSE,
        8: Image.Transpose.ROTATE_270,
    }[orientation]
    stored = picture if turned_back is None else picture.transpose(turned_back)
    small = opened(make_thumbnail(with_orientation(stored, orientation), 128))
    assert small.size == (128, 96)
    above, below = np.asarray(small)[20, 64], np.asarray(small)[76, 64]
    assert above[0] > 200 and above[2] < 60
    assert below[2] > 200 and below[0] < 60


@pytest.mark.parametrize("mode", ["L", "CMYK", "RGBA", "P", "1", "I;16", "LA"])
def test_every_kind_of_pixels_can_be_shown(mode: str) -> None:
    file_format = "JPEG" if mode == "CMYK" else "PNG"
    source = scene(300, 200)
    picture = source.convert("L").convert("I;16") if mode == "I;16" else source.convert(mode)
    assert opened(make_thumbnail(encoded(picture, file_format), 128)).mode == "RGB"


def test_what_is_transparent_is_white() -> None:
    clear = Image.new("RGBA", (300, 300), (0, 0, 0, 0))
    small = opened(make_thumbnail(encoded(clear, "PNG"), 128))
    assert np.asarray(small).min() == 255


def test_a_broken_file_is_refused() -> None:
    with pytest.raises(ImageRejected):
        make_thumbnail(encoded(scene(300, 200))[:400], 128)


def test_a_side_that_is_not_made_is_answered_by_the_next_larger_one(tmp_path: Path) -> None:
    store = ImageStore(tmp_path)
    sha256 = store.put(encoded(scene(2000, 1000)), "jpg")
    thumbnails = Thumbnails(store)
    for asked, made in ((1, SIDES[0]), (200, 256), (256, 256), (5000, SIDES[-1])):
        data = thumbnails.thumbnail(sha256, "jpg", asked)
        assert data is not None
        assert opened(data).size[0] == made


def test_what_is_broken_or_gone_has_none(tmp_path: Path) -> None:
    store = ImageStore(tmp_path)
    broken = store.put(b"\xff\xd8\xff not a picture", "jpg")
    whole = store.put(encoded(scene()), "jpg")
    thumbnails = Thumbnails(store)
    assert thumbnails.thumbnail(broken, "jpg", 256) is None
    assert thumbnails.thumbnail("f" * 64, "jpg", 256) is None
    assert thumbnails.thumbnail(whole, "jpg", 256) is not None
    store.remove(whole, "jpg")
    assert thumbnails.thumbnail(whole, "jpg", 256) is None


def test_those_made_before_are_remembered_until_there_are_too_many(tmp_path: Path) -> None:
    store = ImageStore(tmp_path)
    names = [store.put(encoded(scene(300, 200, seed)), "jpg") for seed in range(3)]
    sizes = [len(make_thumbnail(store.read(name, "jpg"), 256)) for name in names]
    thumbnails = Thumbnails(store, kept_bytes=sum(sizes) - 1)
    made = [thumbnails.thumbnail(name, "jpg", 256) for name in names]
    again = [thumbnails.thumbnail(name, "jpg", 256) for name in reversed(names)]
    remembered = [one is other for one, other in zip(made, reversed(again), strict=True)]
    assert remembered == [False, True, True]
    assert made == again[::-1]


def test_threads_that_ask_for_the_same_get_the_same(tmp_path: Path) -> None:
    store = ImageStore(tmp_path)
    name = store.put(encoded(scene(600, 400)), "jpg")
    thumbnails = Thumbnails(store)
    with ThreadPoolExecutor(8) as pool:
        made = list(pool.map(lambda _: thumbnails.thumbnail(name, "jpg", 256), range(16)))
    assert len(set(made)) == 1
    assert made[0] is not None
