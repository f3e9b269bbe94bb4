from __future__ import annotations

from io import BytesIO

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image, ImageOps

from reds_pipeline.imaging.orientation import (
    exif_orientation,
    image_orientation,
    orientation_tiff,
    stored_box,
    upright,
    upright_size,
)
from reds_pipeline_tests.imaging.pictures import scene, with_orientation

ORIENTATIONS = range(1, 9)


@pytest.mark.req("R-IMG-12")
@pytest.mark.parametrize("orientation", ORIENTATIONS)
def test_pictures_are_turned_as_pillow_turns_them(orientation: int) -> None:
    with Image.open(BytesIO(with_orientation(scene(), orientation, "PNG"))) as image:
        expected = ImageOps.exif_transpose(image)
        assert image_orientation(image) == orientation
        assert upright(image, orientation).tobytes() == expected.tobytes()
        assert upright_size(image.size, orientation) == expected.size


@pytest.mark.parametrize("orientation", ORIENTATIONS)
def test_a_box_of_the_upright_picture_holds_the_same_pixels_when_stored(orientation: int) -> None:
    stored = scene(50, 30)
    box = (3, 7, 12, 28)
    cut_after_turning = upright(stored, orientation).crop(box)
    cut_before_turning = stored.crop(stored_box(box, stored.size, orientation))
    assert upright(cut_before_turning, orientation).tobytes() == cut_after_turning.tobytes()


@pytest.mark.parametrize("orientation", ORIENTATIONS)
def test_what_is_written_is_read_again_here_and_by_pillow(orientation: int) -> None:
    block = orientation_tiff(orientation)
    exif = Image.Exif()
    exif.load(block)
    assert exif_orientation(block) == exif_orientation(b"Exif\x00\x00" + block) == orientation
    assert dict(exif) == {0x0112: orientation}


@pytest.mark.parametrize("endian", ["<", ">"])
def test_both_byte_orders_and_other_tags_before_are_understood(endian: str) -> None:
    exif = Image.Exif()
    exif.endian = endian
    exif[0x010F] = "Camera maker"
    exif[0x0112] = 6
    exif[0x0131] = "Software"
    assert exif_orientation(exif.tobytes()) == 6


@pytest.mark.parametrize("stated", [0, 9, 65_535])
def test_an_impossible_orientation_counts_as_upright(stated: int) -> None:
    assert exif_orientation(orientation_tiff(stated)) == 1


@given(
    st.binary(max_size=60), st.sampled_from([b"", b"II*\x00", b"MM\x00*", b"Exif\x00\x00MM\x00*"])
)
def test_damaged_exif_never_fails(rest: bytes, start: bytes) -> None:
    assert exif_orientation(start + rest) in ORIENTATIONS


@pytest.mark.parametrize("length", range(26))
def test_exif_cut_short_counts_as_upright(length: int) -> None:
    # The value itself lies at bytes 18 and 19; what follows it is padding.
    expected = 6 if length >= 20 else 1
    assert exif_orientation(orientation_tiff(6)[:length]) == expected


def test_upright_pictures_are_not_copied() -> None:
    picture = scene()
    assert upright(picture, 1) is picture
    assert np.asarray(upright(picture, 3)).shape == (64, 96, 3)
