from __future__ import annotations

import io

import imagehash
import numpy as np
import pytest
from PIL import Image, ImageOps, UnidentifiedImageError

from reds_pipeline.demo.pictures import picture_file
from reds_pipeline.demo.uploads import (
    ENORMOUS_SIDE,
    PLANTED_CAMERA_OWNER,
    TREATMENTS,
)

GPS_DIRECTORY = 0x8825
ORIENTATION = 0x0112


@pytest.fixture(scope="module")
def original() -> bytes:
    return picture_file("cat", 3)


def treated(name: str, data: bytes) -> bytes:
    return TREATMENTS[name].apply(data)


def pixels(data: bytes) -> np.ndarray:
    return np.asarray(ImageOps.exif_transpose(Image.open(io.BytesIO(data))).convert("RGB"))


def hash_distance(first: bytes, second: bytes) -> int:
    hashes = [imagehash.phash(Image.fromarray(pixels(data))) for data in (first, second)]
    return int(hashes[0] - hashes[1])


@pytest.mark.parametrize("name", sorted(TREATMENTS))
def test_a_treatment_gives_the_same_bytes_every_time(name: str, original: bytes) -> None:
    assert treated(name, original) == treated(name, original)


def test_located_files_carry_a_position_and_the_pixels_of_the_original(original: bytes) -> None:
    located = treated("located", original)
    assert PLANTED_CAMERA_OWNER.encode() in located
    assert Image.open(io.BytesIO(located)).getexif().get_ifd(GPS_DIRECTORY)[1] == "N"
    assert np.array_equal(pixels(located), pixels(original))


def test_a_position_is_planted_in_jpeg_files_only() -> None:
    assert treated("located", b"RIFF....WEBP") == b"RIFF....WEBP"


def test_turned_files_lie_on_their_side_until_the_orientation_is_honoured(original: bytes) -> None:
    image = Image.open(io.BytesIO(treated("turned", original)))
    upright = Image.open(io.BytesIO(original))
    assert image.getexif()[ORIENTATION] == 6
    assert image.size == upright.size[::-1]
    difference = np.abs(
        pixels(treated("turned", original)).astype(int) - pixels(original).astype(int)
    )
    assert difference.mean() < 4, "upright again, it must show the same picture"


@pytest.mark.parametrize("name", ["smaller", "recompressed"])
@pytest.mark.parametrize("class_name", ["cat", "dog", "flower", "bird", "car"])
def test_copies_differ_in_bytes_but_stay_near_to_the_eye(name: str, class_name: str) -> None:
    picture = picture_file(class_name, 5)
    copy = treated(name, picture)
    assert copy != picture
    assert hash_distance(copy, picture) <= 8


def test_grey_files_have_three_equal_channels(original: bytes) -> None:
    image = Image.open(io.BytesIO(treated("grey", original)))
    assert image.mode == "RGB"
    assert np.ptp(np.asarray(image).astype(int), axis=2).max() <= 2


def test_files_cut_short_begin_well_and_cannot_be_decoded(original: bytes) -> None:
    data = treated("cut_short", original)
    image = Image.open(io.BytesIO(data))
    assert image.format == "JPEG"
    with pytest.raises(OSError, match="truncated"):
        image.load()


def test_the_enormous_file_is_tiny_and_claims_sixty_thousand_pixels_a_side(
    original: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    data = treated("enormous", original)
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", None)
    assert len(data) < 200
    assert Image.open(io.BytesIO(data)).size == (ENORMOUS_SIDE, ENORMOUS_SIDE)


def test_moving_files_have_several_frames(original: bytes) -> None:
    image = Image.open(io.BytesIO(treated("moving", original)))
    assert image.format == "GIF"
    assert getattr(image, "n_frames", 1) == 3


@pytest.mark.parametrize(("name", "image_format"), [("png", "PNG"), ("webp", "WEBP")])
def test_other_formats_keep_the_size(name: str, image_format: str, original: bytes) -> None:
    image = Image.open(io.BytesIO(treated(name, original)))
    assert image.format == image_format
    assert image.size == Image.open(io.BytesIO(original)).size


@pytest.mark.parametrize("name", ["web_page", "film"])
def test_what_is_no_picture_does_not_open_as_one(name: str, original: bytes) -> None:
    with pytest.raises(UnidentifiedImageError):
        Image.open(io.BytesIO(treated(name, original)))


def test_mislabelled_files_are_png_under_another_name(original: bytes) -> None:
    assert TREATMENTS["mislabelled"].extension == "jpg"
    assert Image.open(io.BytesIO(treated("mislabelled", original))).format == "PNG"


def test_oversized_files_are_good_pictures_above_twenty_megabytes(original: bytes) -> None:
    data = treated("oversized", original)
    assert len(data) > 20 * 1024 * 1024
    assert np.array_equal(pixels(data), pixels(original))
