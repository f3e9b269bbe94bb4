from __future__ import annotations

from functools import cache
from io import BytesIO

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray
from PIL import Image, ImageOps

from reds_pipeline.errors import ImageRejected
from reds_pipeline.imaging.resize import crop_box, square_224
from reds_pipeline_tests.imaging.pictures import encoded, scene, with_orientation


def _plain_path(data: bytes) -> NDArray[np.uint8]:
    """Return the square by the slow and obvious way: decode all, turn, cut, resize."""
    with Image.open(BytesIO(data)) as image:
        picture = ImageOps.exif_transpose(image).convert("RGB")
    box, _cropped = crop_box(*picture.size)
    return np.asarray(picture.crop(box).resize((224, 224), Image.Resampling.BICUBIC))


def _decibels(one: NDArray[np.uint8], other: NDArray[np.uint8]) -> float:
    """Return the peak signal-to-noise ratio of two pictures."""
    error = float(np.mean((one.astype(float) - other) ** 2))
    return float(10 * np.log10(255**2 / max(error, 1e-9)))


@cache
def _photo_like(width: int, height: int, seed: int) -> Image.Image:
    """Draw detail at every scale with a few objects, as sharp as a lens would make them."""
    random = np.random.default_rng(seed)
    total = np.full((height, width, 3), 128.0, dtype=np.float32)
    for cells in (6, 24, 96):
        coarse = random.normal(0, 160 / np.sqrt(cells), (cells, cells, 3)).astype(np.float32)
        for channel in range(3):
            layer = Image.fromarray(coarse[..., channel])
            total[..., channel] += np.asarray(layer.resize((width, height)))
    picture = Image.fromarray(np.clip(total, 0, 255).astype(np.uint8))
    objects = scene(width, height, seed).reduce(2)
    picture.paste(objects, (width // 4, height // 4))
    return picture


@pytest.mark.req("R-IMG-5")
@pytest.mark.parametrize(
    ("size", "box", "cropped"),
    [
        pytest.param((900, 1000), (0, 0, 900, 1000), False, id="0.9 is inside"),
        pytest.param((899, 1000), (0, 50, 899, 949), True, id="just narrower"),
        pytest.param((1100, 1000), (0, 0, 1100, 1000), False, id="1.1 is inside"),
        pytest.param((1101, 1000), (50, 0, 1050, 1000), True, id="just wider"),
        pytest.param((1080, 1350), (0, 135, 1080, 1215), True, id="Pixelfed portrait"),
        pytest.param((4000, 3000), (500, 0, 3500, 3000), True, id="camera"),
        pytest.param((224, 224), (0, 0, 224, 224), False, id="square"),
        pytest.param((1, 5000), (0, 2499, 1, 2500), True, id="a line"),
    ],
)
def test_the_aspect_rule(
    size: tuple[int, int], box: tuple[int, int, int, int], cropped: bool
) -> None:
    assert crop_box(*size) == (box, cropped)


@pytest.mark.req("R-IMG-3")
@pytest.mark.req("R-IMG-4")
@given(st.integers(1, 10_000), st.integers(1, 10_000))
def test_the_box_is_the_whole_picture_or_its_middle_square(width: int, height: int) -> None:
    (left, top, right, bottom), cropped = crop_box(width, height)
    assert cropped is not (9 * height <= 10 * width <= 11 * height)
    if cropped:
        assert right - left == bottom - top == min(width, height)
        assert abs(left - (width - right)) <= 1
        assert abs(top - (height - bottom)) <= 1
    else:
        assert (left, top, right, bottom) == (0, 0, width, height)


@pytest.mark.req("R-IMG-7")
@pytest.mark.req("R-IMG-10")
@pytest.mark.parametrize(
    "size", [(500, 300), (300, 500), (100, 100), (105, 100), (40, 900), (2000, 1500)]
)
def test_every_picture_becomes_the_same_shape_of_bytes(size: tuple[int, int]) -> None:
    square, cropped = square_224(encoded(scene(*size)))
    assert (square.shape, square.dtype) == ((224, 224, 3), np.dtype("uint8"))
    assert square[..., 0].size == 50_176
    assert square.flags.writeable
    assert cropped is crop_box(*size)[1]


def test_the_fast_decode_cannot_be_told_from_the_full_one() -> None:
    scores = []
    sizes = [(1600, 1200), (1080, 1350), (2000, 1900), (2600, 1500), (901, 2003)]
    for seed, size in enumerate(sizes):
        data = encoded(_photo_like(*size, seed), "JPEG", quality=88)
        scores.append(_decibels(square_224(data)[0], _plain_path(data)))
    assert np.median(scores) >= 50
    # Cutting a single pixel aside already costs more than this.
    assert min(scores) >= 47


@pytest.mark.req("R-IMG-12")
@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize(
    ("size", "decibels"),
    [
        pytest.param((408, 301), 55, id="cut"),
        pytest.param((400, 361), 55, id="squeezed"),
        pytest.param((1207, 901), 47, id="cut, fast decode"),
        pytest.param((1000, 905), 47, id="squeezed, fast decode"),
    ],
)
def test_pictures_are_turned_before_they_are_measured_and_cut(
    size: tuple[int, int], decibels: float, orientation: int
) -> None:
    data = with_orientation(_photo_like(*size, seed=0), orientation)
    assert _decibels(square_224(data)[0], _plain_path(data)) >= decibels


@pytest.mark.req("R-IMG-12")
@pytest.mark.parametrize(("orientation", "cropped"), [(1, False), (6, True), (8, True), (3, False)])
def test_the_rule_is_not_the_same_lying_and_standing(orientation: int, cropped: bool) -> None:
    # 0.9 wide is squeezed; turned by a quarter it is 1.11 wide and is cut.
    data = with_orientation(scene(900, 1000), orientation)
    assert square_224(data)[1] is cropped


@pytest.mark.parametrize(
    ("size", "reduced", "cropped"),
    [
        # A fast decode halves these sizes and rounds up, which moves them across the bound of 1.1.
        pytest.param((1001, 910), (501, 455), False, id="only the reduced size is too wide"),
        pytest.param((1102, 1001), (551, 501), True, id="only the original is too wide"),
    ],
)
def test_the_shape_is_measured_on_the_original_size(
    size: tuple[int, int], reduced: tuple[int, int], cropped: bool
) -> None:
    assert crop_box(*reduced)[1] is not cropped, "the two sizes disagree, which is the point"
    assert square_224(encoded(scene(*size)))[1] is cropped


@pytest.mark.parametrize("file_format", ["PNG", "WEBP"])
def test_other_formats_are_decoded_in_full(file_format: str) -> None:
    data = encoded(scene(700, 500), file_format)
    assert _decibels(square_224(data)[0], _plain_path(data)) >= 55


def test_transparency_becomes_white() -> None:
    square, _cropped = square_224(encoded(Image.new("RGBA", (300, 300), (200, 0, 0, 0)), "PNG"))
    assert square.min() == 255


@pytest.mark.parametrize("mode", ["L", "CMYK"])
def test_other_colour_modes_become_rgb(mode: str) -> None:
    square, _cropped = square_224(encoded(Image.new(mode, (1000, 1000)), "JPEG"))
    expected = 0 if mode == "L" else 255
    assert np.all(np.abs(square.astype(int) - expected) <= 2)


@pytest.mark.parametrize(
    ("data", "reason"),
    [(b"<html>", "not_an_image"), (encoded(scene(500, 500))[:-300], "truncated")],
)
def test_bad_files_are_refused(data: bytes, reason: str) -> None:
    with pytest.raises(ImageRejected, match=reason):
        square_224(data)
