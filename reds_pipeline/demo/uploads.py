"""What can happen to a picture between the camera and the server: every treatment of the demo.

Belongs here: pure functions from the bytes of an ordinary picture to the bytes of the file that
the instance serves, good or troublesome. Which post gets which treatment is ``town.builder``'s.
"""

from __future__ import annotations

import io
import struct
import zlib
from collections.abc import Callable
from dataclasses import dataclass

from PIL import Image, ImageOps

ENORMOUS_SIDE = 60_000
"""Width and height that the header of the enormous picture claims, in pixels."""

OVERSIZED_BYTES = 21_000_000
"""Bytes behind the picture of an oversized file: more than the 20 MB of fediverse.md 4."""

PLANTED_CAMERA_OWNER = "Planted-Camera-Owner"
"""A text in the metadata of ``located`` files that must never reach the disk of the pipeline."""

_ORIENTATION_TAG = 0x0112
_ARTIST_TAG = 0x013B
_GPS_DIRECTORY = 0x8825
_ROTATED_ORIENTATION = 6


@dataclass(frozen=True)
class Treatment:
    """How a picture becomes a file.

    Attributes:
        apply: Bytes of an ordinary picture to bytes of the served file.
        extension: File name extension without dot, ``""`` to keep that of the picture.
        keeps_size: Whether width and height stay those of the picture as stored.
    """

    apply: Callable[[bytes], bytes]
    extension: str = ""
    keeps_size: bool = False


def _opened(data: bytes) -> Image.Image:
    return ImageOps.exif_transpose(Image.open(io.BytesIO(data))).convert("RGB")


def _encoded(image: Image.Image, file_format: str, **options: object) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, file_format, **options)
    return buffer.getvalue()


def _unchanged(data: bytes) -> bytes:
    return data


def _smaller(data: bytes) -> bytes:
    image = _opened(data)
    width, height = (max(64, round(side * 0.7)) for side in image.size)
    return _encoded(image.resize((width, height), Image.Resampling.LANCZOS), "JPEG", quality=80)


def _recompressed(data: bytes) -> bytes:
    return _encoded(_opened(data), "JPEG", quality=62)


def _grey(data: bytes) -> bytes:
    """Remove the colour but keep three channels, as phone filters do."""
    return _encoded(_opened(data).convert("L").convert("RGB"), "JPEG", quality=88)


def _cut_short(data: bytes) -> bytes:
    jpeg = data if data.startswith(b"\xff\xd8") else _encoded(_opened(data), "JPEG")
    return jpeg[: len(jpeg) * 6 // 10]


def _web_page(_data: bytes) -> bytes:
    return (
        b"<!DOCTYPE html>\n<html><head><title>Just a moment</title></head>"
        b"<body><p>This picture has gone for a walk.</p></body></html>\n"
    )


def _png_chunk(kind: bytes, body: bytes) -> bytes:
    checksum = zlib.crc32(kind + body)
    return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", checksum)


def _enormous(_data: bytes) -> bytes:
    """Return a well-formed PNG of about a hundred bytes whose header claims 3.6 gigapixels."""
    header = struct.pack(">IIBBBBB", ENORMOUS_SIDE, ENORMOUS_SIDE, 8, 2, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n"
        + _png_chunk(b"IHDR", header)
        + _png_chunk(b"IDAT", zlib.compress(bytes(64)))
        + _png_chunk(b"IEND", b"")
    )


def _moving(data: bytes) -> bytes:
    image = _opened(data)
    image.thumbnail((240, 240))
    frames = [ImageOps.posterize(image, 4 + step) for step in range(3)]
    indexed = [frame.quantize(64) for frame in frames]
    return _encoded(
        indexed[0], "GIF", save_all=True, append_images=indexed[1:], duration=200, loop=0
    )


def _metadata(orientation: int | None) -> bytes:
    exif = Image.Exif()
    exif[_ARTIST_TAG] = PLANTED_CAMERA_OWNER
    if orientation is not None:
        exif[_ORIENTATION_TAG] = orientation
    position = exif.get_ifd(_GPS_DIRECTORY)
    position.update({1: "N", 2: (52.0, 6.0, 0.0), 3: "E", 4: (4.0, 12.0, 0.0)})
    return exif.tobytes()


def _located(data: bytes) -> bytes:
    """Plant a position and a name without touching a pixel (JPEG; other formats stay as is)."""
    if not data.startswith(b"\xff\xd8"):
        return data
    body = _metadata(None)
    return data[:2] + b"\xff\xe1" + struct.pack(">H", len(body) + 2) + body + data[2:]


def _turned(data: bytes) -> bytes:
    """Store the picture lying on its side, with the orientation and a position in its metadata."""
    lying = _opened(data).transpose(Image.Transpose.ROTATE_90)
    return _encoded(lying, "JPEG", quality=90, exif=_metadata(_ROTATED_ORIENTATION))


def _as_png(data: bytes) -> bytes:
    return _encoded(_opened(data), "PNG", compress_level=1)


def _as_webp(data: bytes) -> bytes:
    return _encoded(_opened(data), "WEBP", quality=85, method=0)


def _film(data: bytes) -> bytes:
    """Return the beginning of an MP4 file: enough for who looks at its first bytes."""
    brand = b"ftypisom" + struct.pack(">I", 512) + b"isomiso2mp41"
    return (
        struct.pack(">I", len(brand) + 4)
        + brand
        + struct.pack(">I", 8 + len(data))
        + b"mdat"
        + data
    )


def _oversized(data: bytes) -> bytes:
    """Return a good picture with so much behind its end that no cap lets it through."""
    return data + bytes(OVERSIZED_BYTES)


TREATMENTS: dict[str, Treatment] = {
    "plain": Treatment(_unchanged, keeps_size=True),
    "located": Treatment(_located, keeps_size=True),
    "turned": Treatment(_turned, "jpg"),
    "png": Treatment(_as_png, "png", keeps_size=True),
    "webp": Treatment(_as_webp, "webp", keeps_size=True),
    "mislabelled": Treatment(_as_png, "jpg", keeps_size=True),
    "smaller": Treatment(_smaller, "jpg"),
    "recompressed": Treatment(_recompressed, "jpg", keeps_size=True),
    "grey": Treatment(_grey, "jpg", keeps_size=True),
    "cut_short": Treatment(_cut_short, "jpg", keeps_size=True),
    "web_page": Treatment(_web_page, "jpg"),
    "enormous": Treatment(_enormous, "png"),
    "moving": Treatment(_moving, "gif"),
    "film": Treatment(_film, "mp4"),
    "unnamed": Treatment(_unchanged, "bin"),
    "oversized": Treatment(_oversized),
}
"""Every treatment by name; ``Attachment.treatment`` is one of these."""
