from __future__ import annotations

import struct
import zlib
from io import BytesIO

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import ExifTags, Image, PngImagePlugin

from reds_pipeline.errors import ImageRejected
from reds_pipeline.imaging.metadata import as_png, strip_metadata
from reds_pipeline.imaging.orientation import orientation_tiff
from reds_pipeline_tests.imaging.pictures import (
    FORMATS,
    IN_PLACE_FORMATS,
    colour_profile,
    encoded,
    jpeg_segment,
    pixels,
    png_chunk,
    riff_chunk,
    scene,
    with_orientation,
)

PICTURE = scene()
JPEG = encoded(PICTURE, "JPEG")
PNG = encoded(PICTURE, "PNG")
# With a profile, so that it is of the extended kind, the only one that can hold more chunks.
WEBP = encoded(PICTURE, "WEBP", icc_profile=colour_profile())
GIF = encoded(PICTURE, "GIF")


FADING = PICTURE.convert("RGBA")
FADING.putalpha(Image.linear_gradient("L").resize(PICTURE.size))


def _in_jpeg(segment: bytes) -> bytes:
    return JPEG[:2] + segment + JPEG[2:]


def _in_png(chunk: bytes) -> bytes:
    return PNG[:33] + chunk + PNG[33:]


def _in_webp(chunk: bytes) -> bytes:
    body = WEBP[8:] + chunk
    return b"RIFF" + struct.pack("<I", len(body)) + body


def _exif(secret: bytes) -> bytes:
    exif = Image.Exif()
    exif[ExifTags.Base.ImageDescription] = secret
    exif[ExifTags.Base.Orientation] = 6
    place = exif.get_ifd(ExifTags.IFD.GPSInfo)
    place[ExifTags.GPS.GPSLatitudeRef] = "N"
    place[ExifTags.GPS.GPSAreaInformation] = secret
    return exif.tobytes()


HIDING_PLACES = {
    "JPEG comment": lambda secret: ("JPEG", _in_jpeg(jpeg_segment(0xFE, secret))),
    "JPEG EXIF with GPS": lambda secret: ("JPEG", _in_jpeg(jpeg_segment(0xE1, _exif(secret)))),
    "JPEG XMP": lambda secret: (
        "JPEG",
        _in_jpeg(jpeg_segment(0xE1, b"http://ns.adobe.com/xap/1.0/\x00" + secret)),
    ),
    "JPEG IPTC": lambda secret: (
        "JPEG",
        _in_jpeg(jpeg_segment(0xED, b"Photoshop 3.0\x00" + secret)),
    ),
    "JPEG JFIF thumbnail": lambda secret: (
        "JPEG",
        b"\xff\xd8"
        + jpeg_segment(0xE0, b"JFIF\x00\x01\x01\x00\x00\x01\x00\x01\x01\x01" + secret)
        + JPEG[20:],
    ),
    "JPEG JFXX thumbnail": lambda secret: (
        "JPEG",
        _in_jpeg(jpeg_segment(0xE0, b"JFXX\x00\x10" + secret)),
    ),
    "JPEG false profile": lambda secret: (
        "JPEG",
        _in_jpeg(jpeg_segment(0xE2, b"ICC_PROFILE\x00\x01\x01" + secret)),
    ),
    "JPEG behind Adobe": lambda secret: (
        "JPEG",
        _in_jpeg(jpeg_segment(0xEE, b"Adobe\x00\x64\x00\x00\x00\x00\x01" + secret)),
    ),
    "JPEG between segments": lambda secret: ("JPEG", _in_jpeg(secret)),
    "JPEG behind the end": lambda secret: ("JPEG", JPEG + secret),
    "PNG text": lambda secret: ("PNG", _in_png(png_chunk(b"tEXt", b"Comment\x00" + secret))),
    "PNG EXIF": lambda secret: ("PNG", _in_png(png_chunk(b"eXIf", _exif(secret)[6:]))),
    "PNG unknown chunk": lambda secret: ("PNG", _in_png(png_chunk(b"prVt", secret))),
    "PNG long gamma": lambda secret: (
        "PNG",
        _in_png(png_chunk(b"gAMA", b"\x00\x00\xb1\x8f" + secret)),
    ),
    "PNG profile name": lambda secret: ("PNG", _in_png(png_chunk(b"iCCP", secret + b"\x00\x00x"))),
    "PNG suggested palette": lambda secret: (
        "PNG",
        _in_png(png_chunk(b"PLTE", (secret * 3)[:768])),
    ),
    "PNG behind the end": lambda secret: ("PNG", PNG + secret),
    "WebP EXIF": lambda secret: ("WEBP", _in_webp(riff_chunk(b"EXIF", _exif(secret)))),
    "WebP XMP": lambda secret: ("WEBP", _in_webp(riff_chunk(b"XMP ", secret))),
    "WebP unknown chunk": lambda secret: ("WEBP", _in_webp(riff_chunk(b"prVt", secret))),
    "WebP behind the end": lambda secret: ("WEBP", WEBP + secret),
    "GIF comment": lambda secret: ("GIF", encoded(PICTURE, "GIF", comment=secret)),
    "GIF behind the end": lambda secret: ("GIF", GIF + secret),
}


@pytest.mark.parametrize("place", HIDING_PLACES)
@settings(max_examples=15, deadline=None)
@given(secret=st.binary(min_size=8, max_size=200))
def test_nothing_that_was_planted_survives_and_no_pixel_changes(place: str, secret: bytes) -> None:
    # The start makes sure that it does not occur in the compressed pixels by chance.
    secret = b"\xfe5ecret#" + secret
    if place == "JPEG between segments":
        # There an FF would begin a segment, which is the subject of other places.
        secret = secret.replace(b"\xff", b"x")
    file_format, planted = HIDING_PLACES[place](secret)
    clean = strip_metadata(planted, file_format)
    assert secret in planted
    assert secret not in clean
    original = {"JPEG": JPEG, "PNG": PNG, "WEBP": WEBP, "GIF": GIF}[file_format]
    assert np.array_equal(pixels(clean), pixels(original))


def test_the_place_a_photo_was_taken_is_gone_and_its_orientation_stays() -> None:
    photo = encoded(PICTURE, "JPEG", exif=_exif(b"my garden"))
    with Image.open(BytesIO(photo)) as before:
        assert before.getexif().get_ifd(ExifTags.IFD.GPSInfo)
    with Image.open(BytesIO(strip_metadata(photo, "JPEG"))) as after:
        assert dict(after.getexif()) == {ExifTags.Base.Orientation: 6}
        assert not after.getexif().get_ifd(ExifTags.IFD.GPSInfo)


@pytest.mark.parametrize("file_format", IN_PLACE_FORMATS)
@pytest.mark.parametrize("orientation", range(1, 9))
def test_orientation_survives_alone(file_format: str, orientation: int) -> None:
    file = with_orientation(PICTURE, orientation, file_format)
    clean = strip_metadata(file, file_format)
    with Image.open(BytesIO(clean)) as image:
        stated = dict(image.getexif())
    assert stated == ({ExifTags.Base.Orientation: orientation} if orientation > 1 else {})
    assert np.array_equal(pixels(clean), pixels(file))


@pytest.mark.parametrize("file_format", FORMATS)
def test_a_true_colour_profile_stays(file_format: str) -> None:
    file = encoded(PICTURE, file_format, icc_profile=colour_profile())
    with (
        Image.open(BytesIO(file)) as before,
        Image.open(BytesIO(strip_metadata(file, file_format))) as after,
    ):
        assert after.info.get("icc_profile") == before.info.get("icc_profile")


def test_of_two_orientations_the_first_counts() -> None:
    stated = [jpeg_segment(0xE1, b"Exif\x00\x00" + orientation_tiff(value)) for value in (6, 3)]
    with Image.open(BytesIO(strip_metadata(_in_jpeg(b"".join(stated)), "JPEG"))) as image:
        assert dict(image.getexif()) == {ExifTags.Base.Orientation: 6}


def test_a_profile_of_many_segments_is_put_together_again() -> None:
    # Printing profiles fill several JPEG segments of 64 KiB.
    profile = bytearray(colour_profile().ljust(200_000, b"\x00"))
    profile[:4] = len(profile).to_bytes(4, "big")
    file = encoded(PICTURE, "JPEG", icc_profile=bytes(profile))
    with Image.open(BytesIO(strip_metadata(file, "JPEG"))) as image:
        assert image.info["icc_profile"] == bytes(profile)


STRANGE_FILES = {
    "progressive JPEG": ("JPEG", encoded(PICTURE, "JPEG", progressive=True)),
    "JPEG with restart points": ("JPEG", encoded(PICTURE, "JPEG", restart_marker_blocks=1)),
    "JPEG of one channel": ("JPEG", encoded(PICTURE.convert("L"), "JPEG")),
    "CMYK JPEG": ("JPEG", encoded(PICTURE.convert("CMYK"), "JPEG")),
    "palette PNG with transparency": (
        "PNG",
        encoded(PICTURE.quantize(16), "PNG", transparency=bytes(range(0, 160, 10))),
    ),
    "PNG with alpha": ("PNG", encoded(PICTURE.convert("RGBA"), "PNG")),
    "PNG with a transparent colour": ("PNG", encoded(PICTURE, "PNG", transparency=(0, 0, 0))),
    "PNG of 16 bits": (
        "PNG",
        encoded(Image.fromarray(np.arange(4096, dtype=np.uint16).reshape(64, 64) * 16), "PNG"),
    ),
    "PNG of 1 bit": ("PNG", encoded(PICTURE.convert("1"), "PNG")),
    "lossless WebP with alpha": (
        "WEBP",
        encoded(PICTURE.convert("RGBA"), "WEBP", lossless=True),
    ),
    "WebP of the simple kind": ("WEBP", encoded(PICTURE, "WEBP")),
    "lossy WebP with alpha": ("WEBP", encoded(FADING, "WEBP")),
    "GIF with transparency": ("GIF", encoded(PICTURE.quantize(16), "GIF", transparency=3)),
    "AVIF with alpha": ("AVIF", encoded(PICTURE.convert("RGBA"), "AVIF")),
}


@pytest.mark.parametrize("kind", STRANGE_FILES)
def test_unusual_files_keep_every_pixel(kind: str) -> None:
    file_format, file = STRANGE_FILES[kind]
    clean = strip_metadata(file, file_format)
    assert np.array_equal(pixels(clean), pixels(file))
    if file_format in IN_PLACE_FORMATS:
        assert strip_metadata(clean, file_format) == clean, "cleaning twice changes nothing more"


def test_avif_is_stored_upright_as_png() -> None:
    file = with_orientation(PICTURE, 6, "AVIF")
    with Image.open(BytesIO(strip_metadata(file, "AVIF"))) as image:
        assert (image.format, image.size, dict(image.getexif())) == ("PNG", (64, 96), {})


def test_pixels_outside_their_palette_are_written_as_they_were_seen() -> None:
    # Found by feeding damaged GIFs; a PNG of 16 colours has no room for the index 200.
    picture = Image.new("P", (40, 40), 200)
    picture.putpalette([250, 0, 0] * 16)
    assert np.array_equal(pixels(as_png(picture)), np.asarray(picture.convert("RGBA")))


@pytest.mark.parametrize("file_format", IN_PLACE_FORMATS)
def test_every_file_that_stops_early_is_refused(file_format: str) -> None:
    file = encoded(PICTURE, file_format)
    for length in range(16, len(file) - 1, 7):
        with pytest.raises(ImageRejected) as refusal:
            strip_metadata(file[:length], file_format)
        assert refusal.value.reason == "truncated"


def test_a_wrong_checksum_is_refused() -> None:
    damaged = bytearray(PNG)
    damaged[60] ^= 1
    with pytest.raises(ImageRejected, match="undecodable"):
        strip_metadata(bytes(damaged), "PNG")


def test_a_jpeg_of_thousands_of_scans_is_refused_before_it_is_decoded() -> None:
    start = JPEG.index(b"\xff\xda")
    scan = JPEG[start:-2]
    with pytest.raises(ImageRejected, match="undecodable"):
        strip_metadata(JPEG[:start] + scan * 200 + b"\xff\xd9", "JPEG")


@pytest.mark.parametrize("fill", [1, 2, 500])
def test_fill_bytes_before_a_marker_are_no_pixels(fill: int) -> None:
    for marker in (JPEG.index(b"\xff\xda"), len(JPEG) - 2):
        filled = JPEG[:marker] + b"\xff" * fill + JPEG[marker:]
        assert strip_metadata(filled, "JPEG") == strip_metadata(JPEG, "JPEG")


def test_a_png_profile_that_unpacks_to_fifty_megabytes_is_left_out() -> None:
    packer = zlib.compressobj(9)
    bomb = packer.compress(bytes(50_000_000)) + packer.flush()
    clean = strip_metadata(_in_png(png_chunk(b"iCCP", b"x\x00\x00" + bomb)), "PNG")
    assert clean == strip_metadata(PNG, "PNG")


def test_text_chunks_that_pillow_writes_are_gone() -> None:
    text = PngImagePlugin.PngInfo()
    text.add_itxt("Author", "Somebody", zip=True)
    text.add_text("Raw profile type exif", "\nexif\n8\n4578696600", zip=True)
    with Image.open(BytesIO(strip_metadata(encoded(PICTURE, "PNG", pnginfo=text), "PNG"))) as image:
        image.load()
        assert image.info == {}
