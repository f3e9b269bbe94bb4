from __future__ import annotations

import struct
from concurrent.futures import ThreadPoolExecutor
from io import BytesIO

import imagehash
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image, ImageFile, ImageOps

from reds_pipeline.errors import ImageRejected
from reds_pipeline.imaging.examine import ExaminedImage, ImageLimits, examine_image
from reds_pipeline_tests.imaging.pictures import (
    FORMATS,
    encoded,
    jpeg_segment,
    pixels,
    png_chunk,
    png_header,
    riff_chunk,
    scene,
    with_orientation,
)

PICTURE = scene()
# Large enough to be decoded at a quarter of its size.
LARGE = scene(1200, 1100, seed=3)
LARGE_FILES = {
    "baseline": encoded(LARGE, quality=92),
    "progressive": encoded(LARGE, quality=92, progressive=True),
}
FILES = {file_format: encoded(PICTURE, file_format) for file_format in FORMATS}
TWO_PICTURES = {"save_all": True, "append_images": [scene(seed=1)]}
REASONS = {
    "empty",
    "too_many_bytes",
    "not_an_image",
    "unsupported_format",
    "too_many_pixels",
    "too_small",
    "animated",
    "truncated",
    "undecodable",
}


def _reason(data: bytes, limits: ImageLimits | None = None) -> str:
    with pytest.raises(ImageRejected) as refusal:
        examine_image(data, limits or ImageLimits())
    return refusal.value.reason


@pytest.mark.parametrize(
    ("file_format", "extension"),
    [("JPEG", "jpg"), ("PNG", "png"), ("WEBP", "webp"), ("GIF", "png"), ("AVIF", "png")],
)
def test_each_format_is_described(file_format: str, extension: str) -> None:
    examined = examine_image(FILES[file_format])
    assert (examined.format, examined.extension) == (file_format, extension)
    assert (examined.width, examined.height) == PICTURE.size
    with Image.open(BytesIO(FILES[file_format])) as image:
        picture = image.convert("RGB")
    assert examined.perceptual_hash == str(imagehash.phash(picture))
    assert examined.mirrored_hash == str(imagehash.phash(ImageOps.mirror(picture)))
    assert np.array_equal(pixels(examined.data), pixels(FILES[file_format]))
    assert examined.colour_spread > 50


@pytest.mark.req("R-IMG-12")
@pytest.mark.parametrize("file_format", ["JPEG", "PNG", "WEBP", "AVIF"])
@pytest.mark.parametrize("orientation", range(1, 9))
def test_size_and_hash_are_those_of_the_upright_picture(file_format: str, orientation: int) -> None:
    file = with_orientation(PICTURE, orientation, file_format)
    examined = examine_image(file)
    with Image.open(BytesIO(file)) as image:
        turned = ImageOps.exif_transpose(image).convert("RGB")
    assert (examined.width, examined.height) == turned.size
    assert examined.perceptual_hash == str(imagehash.phash(turned))
    assert examined.mirrored_hash == str(imagehash.phash(ImageOps.mirror(turned)))
    with Image.open(BytesIO(examined.data)) as stored:
        assert ImageOps.exif_transpose(stored).size == turned.size


HUGE_HEADERS = {
    "PNG": png_header(60_000, 60_000),
    "JPEG": b"\xff\xd8" + jpeg_segment(0xC0, struct.pack(">BHHB", 8, 60_000, 60_000, 3) + bytes(9)),
    "GIF": b"GIF89a"
    + struct.pack("<HH", 60_000, 60_000)
    + b"\x00\x00\x00"
    + b","
    + struct.pack("<HHHHB", 0, 0, 60_000, 60_000, 0)
    + b"\x02\x00;",
    "WebP": b"RIFF\x16\x00\x00\x00WEBP"
    + riff_chunk(b"VP8X", bytes(4) + (59_999).to_bytes(3, "little") * 2),
    "lossless WebP": b"RIFF\x16\x00\x00\x00WEBP"
    + riff_chunk(b"VP8L", b"\x2f\xff\xff\xff\x0f" + bytes(5)),
    "lossy WebP": b"RIFF\x16\x00\x00\x00WEBP"
    + riff_chunk(b"VP8 ", bytes(6) + struct.pack("<HH", 16_383, 16_383)),
}


@pytest.mark.parametrize("kind", HUGE_HEADERS)
def test_a_huge_claim_is_refused_from_the_header_alone(kind: str) -> None:
    # None of these files holds a pixel: any attempt to decode one would end as another reason.
    assert _reason(HUGE_HEADERS[kind]) == "too_many_pixels"


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize(
    "side", [10_000, 20_000], ids=["where Pillow warns", "where Pillow raises"]
)
def test_a_gif_whose_frame_outgrows_its_screen_is_refused(side: int) -> None:
    frame = b"," + struct.pack("<HHHHB", 0, 0, side, side, 0) + b"\x02\x01\x00\x00;"
    assert _reason(b"GIF89a" + struct.pack("<HH", 64, 64) + b"\x80\x00\x00" + bytes(6) + frame) == (
        "too_many_pixels"
    )


@pytest.mark.filterwarnings("error")
def test_a_picture_that_pillow_would_warn_of_is_judged_by_our_limits_alone() -> None:
    # Pillow warns above 89 million pixels; what counts is the limit that was asked for.
    file = encoded(Image.new("1", (10_000, 9_000)), "PNG")
    assert _reason(file) == "too_many_pixels"
    assert examine_image(file, ImageLimits(max_pixels=100_000_000)).width == 10_000


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        pytest.param(b"", "empty", id="nothing"),
        pytest.param(b"<html>404</html>", "not_an_image", id="HTML named .jpg"),
        pytest.param(encoded(PICTURE, "BMP"), "unsupported_format", id="BMP"),
        pytest.param(encoded(PICTURE, "TIFF"), "unsupported_format", id="TIFF"),
        pytest.param(encoded(scene(96, 31), "PNG"), "too_small", id="too low"),
        pytest.param(encoded(scene(31, 96), "JPEG"), "too_small", id="too narrow"),
        pytest.param(png_header(0, 40), "undecodable", id="no width"),
        pytest.param(encoded(PICTURE, "GIF", **TWO_PICTURES), "animated", id="animated GIF"),
        pytest.param(encoded(PICTURE, "WEBP", **TWO_PICTURES), "animated", id="animated WebP"),
        pytest.param(encoded(PICTURE, "PNG", **TWO_PICTURES), "animated", id="animated PNG"),
        pytest.param(encoded(PICTURE, "AVIF", **TWO_PICTURES), "animated", id="AVIF sequence"),
        pytest.param(b"\xff\xd8\xff", "truncated", id="the start of a JPEG"),
        pytest.param(b"\x89PNG\r\n\x1a\n", "truncated", id="the start of a PNG"),
        pytest.param(b"RIFF\x10\x00\x00\x00WEBP", "truncated", id="the start of a WebP"),
        pytest.param(b"GIF89a", "undecodable", id="the start of a GIF"),
        pytest.param(FILES["JPEG"][:-2], "truncated", id="JPEG without its last two bytes"),
        pytest.param(
            png_header(64, 64) + png_chunk(b"IDAT", b"junk") + png_chunk(b"IEND", b""),
            "undecodable",
            id="PNG of junk",
        ),
    ],
)
def test_bad_files_have_a_reason(data: bytes, reason: str) -> None:
    assert _reason(data) == reason


@pytest.mark.parametrize("file_format", FORMATS)
@pytest.mark.parametrize("share", [0.3, 0.6, 0.9, 0.99])
def test_no_format_gets_through_cut_short(file_format: str, share: float) -> None:
    file = encoded(scene(300, 200), file_format)
    assert _reason(file[: int(len(file) * share)]) in {"truncated", "undecodable"}


@pytest.mark.parametrize("kind", LARGE_FILES)
@settings(deadline=None, max_examples=40)
@given(share=st.floats(0.01, 0.9999))
def test_a_large_jpeg_cut_anywhere_is_not_a_picture(kind: str, share: float) -> None:
    """Fewer pixels are made of it than it has, but every byte is read."""
    file = LARGE_FILES[kind]
    assert _reason(file[: int(len(file) * share)]) in {"truncated", "undecodable"}


@pytest.mark.req("R-SCR-7")
@pytest.mark.parametrize("kind", LARGE_FILES)
def test_a_large_jpeg_is_described_as_all_its_pixels_would_be(kind: str) -> None:
    examined = examine_image(LARGE_FILES[kind])
    assert (examined.width, examined.height) == LARGE.size
    with Image.open(BytesIO(LARGE_FILES[kind])) as image:
        whole, mirrored = imagehash.phash(image), imagehash.phash(ImageOps.mirror(image))
    assert whole - imagehash.hex_to_hash(examined.perceptual_hash) <= 2
    assert mirrored - imagehash.hex_to_hash(examined.mirrored_hash) <= 2


def test_limits_are_inclusive() -> None:
    file = FILES["PNG"]
    exact = ImageLimits(max_bytes=len(file), max_pixels=96 * 64, min_side=64)
    assert examine_image(file, exact).width == 96
    assert _reason(file, ImageLimits(max_bytes=len(file) - 1)) == "too_many_bytes"
    assert _reason(file, ImageLimits(max_pixels=96 * 64 - 1)) == "too_many_pixels"
    assert _reason(file, ImageLimits(min_side=65)) == "too_small"


@pytest.mark.parametrize("file_format", ["JPEG", "PNG", "WEBP", "GIF"])
def test_what_hangs_behind_a_file_is_not_stored(file_format: str) -> None:
    payload = b"PK\x03\x04 an archive behind a picture"
    examined = examine_image(FILES[file_format] + payload)
    assert payload not in examined.data
    assert examined == examine_image(FILES[file_format])


def test_a_gif_of_one_picture_is_a_picture() -> None:
    assert examine_image(encoded(PICTURE, "GIF", loop=0, comment=b"hello")).format == "GIF"


def test_a_file_full_of_exif_loses_it() -> None:
    many = b"".join(jpeg_segment(0xE1, b"Exif\x00\x00" + bytes(65_000)) for _ in range(40))
    examined = examine_image(FILES["JPEG"][:2] + many + FILES["JPEG"][2:])
    assert examined == examine_image(FILES["JPEG"])


@pytest.mark.req("R-SCR-5")
@pytest.mark.parametrize(
    "data",
    [
        pytest.param(encoded(PICTURE.convert("CMYK"), "JPEG"), id="CMYK"),
        pytest.param(encoded(PICTURE.quantize(32), "PNG", transparency=3), id="palette"),
        pytest.param(encoded(PICTURE.convert("LA"), "PNG"), id="grey with alpha"),
        pytest.param(
            encoded(Image.fromarray(np.arange(4096, dtype=np.uint16).reshape(64, 64) * 16), "PNG"),
            id="16 bits",
        ),
    ],
)
def test_unusual_modes_are_accepted(data: bytes) -> None:
    assert len(examine_image(data).perceptual_hash) == 16


@settings(max_examples=200, deadline=None)
@given(
    st.sampled_from(FORMATS),
    st.lists(st.tuples(st.floats(0, 1, exclude_max=True), st.integers(0, 255)), max_size=4),
    st.floats(0, 1),
)
def test_damaged_files_are_described_or_refused_and_nothing_else(
    file_format: str, changes: list[tuple[float, int]], share: float
) -> None:
    damaged = bytearray(FILES[file_format])
    for place, value in changes:
        damaged[int(place * len(damaged))] = value
    cut = bytes(damaged[: int(share * len(damaged)) + 1]) if share < 0.5 else bytes(damaged)
    try:
        assert isinstance(examine_image(cut), ExaminedImage)
    except ImageRejected as refusal:
        assert refusal.reason in REASONS


def test_eight_threads_agree_with_one() -> None:
    files = [encoded(scene(seed=seed), FORMATS[seed % len(FORMATS)]) for seed in range(24)]
    with ThreadPoolExecutor(8) as threads:
        together = list(threads.map(examine_image, files))
    alone = [examine_image(file) for file in files]
    assert together == alone
    for one, other in zip(together, alone, strict=True):
        np.testing.assert_array_equal(one.square, other.square)


def test_pillow_is_left_strict() -> None:
    examine_image(FILES["JPEG"])
    assert not ImageFile.LOAD_TRUNCATED_IMAGES
    assert Image.MAX_IMAGE_PIXELS == 89_478_485
