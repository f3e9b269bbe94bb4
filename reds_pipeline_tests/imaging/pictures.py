"""Pictures and files for these tests, drawn by code so that nothing has to be shipped."""

from __future__ import annotations

import struct
import zlib
from io import BytesIO

import numpy as np
from PIL import Image, ImageCms, ImageDraw

FORMATS = ("JPEG", "PNG", "WEBP", "GIF", "AVIF")
IN_PLACE_FORMATS = ("JPEG", "PNG", "WEBP")


def scene(width: int = 96, height: int = 64, seed: int = 0) -> Image.Image:
    """Draw a picture with soft colours and hard edges, different for each seed."""
    random = np.random.default_rng(seed)
    coarse = random.integers(0, 255, (5, 7, 3), dtype=np.uint8)
    picture = Image.fromarray(coarse).resize((width, height), Image.Resampling.BICUBIC)
    draw = ImageDraw.Draw(picture)
    for _ in range(12):
        left, top = int(random.integers(0, width)), int(random.integers(0, height))
        right = left + int(random.integers(4, max(5, width // 3)))
        bottom = top + int(random.integers(4, max(5, height // 3)))
        colour = tuple(int(value) for value in random.integers(0, 255, 3))
        draw.ellipse((left, top, right, bottom), fill=colour)
    return picture


def encoded(picture: Image.Image, file_format: str = "JPEG", **options: object) -> bytes:
    """Return a picture as a file."""
    file = BytesIO()
    picture.save(file, file_format, **options)
    return file.getvalue()


def with_orientation(picture: Image.Image, orientation: int, file_format: str = "JPEG") -> bytes:
    """Return a file whose EXIF says how to turn the stored pixels."""
    exif = Image.Exif()
    exif[0x0112] = orientation
    return encoded(picture, file_format, exif=exif)


def pixels(data: bytes) -> np.ndarray:
    """Return the stored pixels of a file, transparency included, as Pillow decodes them."""
    with Image.open(BytesIO(data)) as image:
        return np.asarray(image.convert("RGBA"))


def png_chunk(kind: bytes, payload: bytes) -> bytes:
    """Return a valid PNG chunk."""
    checksum = zlib.crc32(kind + payload)
    return struct.pack(">I", len(payload)) + kind + payload + struct.pack(">I", checksum)


def png_header(width: int, height: int) -> bytes:
    """Return the first 33 bytes of a PNG that claims a size."""
    return b"\x89PNG\r\n\x1a\n" + png_chunk(
        b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    )


def jpeg_segment(marker: int, payload: bytes) -> bytes:
    """Return a JPEG segment."""
    return struct.pack(">BBH", 0xFF, marker, len(payload) + 2) + payload


def riff_chunk(kind: bytes, payload: bytes) -> bytes:
    """Return a RIFF chunk, padded to an even length."""
    return kind + struct.pack("<I", len(payload)) + payload + b"\x00" * (len(payload) % 2)


def colour_profile() -> bytes:
    """Return a true ICC profile."""
    return ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
