"""What the header of a photo says: its format, its size, and the memory that reading it takes.

What belongs here: everything that is known before a pixel is decoded. What does not: whether
that is acceptable (photo.py).
"""

from __future__ import annotations

from dataclasses import dataclass

from reds_pipeline.imaging.avif_container import avif_pixels
from reds_pipeline.imaging.decoding import open_image
from reds_pipeline.imaging.formats import AVIF, GIF, HEIC, JPEG, PNG, WEBP, sniff_photo_format
from reds_pipeline.imaging.heic import open_heic
from reds_pipeline.imaging.jpeg_container import jpeg_frame
from reds_pipeline.imaging.png_container import png_size
from reds_pipeline.imaging.resize import SIDE
from reds_pipeline.imaging.webp_container import webp_size

# Peak for each decoded pixel of reading, looking in three ways and writing a clean copy, measured
# in a process of its own on 24 to 48 million pixels of several kinds of each format and rounded up
# (docs/photo_views.md). WebP and AVIF decoders keep the picture several times.
_BYTES_PER_PIXEL = {JPEG: 9, PNG: 10, WEBP: 19, GIF: 8, AVIF: 23, HEIC: 14}
# A preview decodes a JPEG again to up to twice its 1024 pixels a side.
_BYTES_PER_PREVIEW_PIXEL = 8
_MOST_PREVIEW_PIXELS = 2048 * 2048
# Codec tables, squares and small files.
_FIXED_BYTES = 4_000_000
# Metadata is left out by copying the rest twice: as parts, and joined.
_COPIES_OF_FILE = 2
_BYTES_PER_COEFFICIENT = 2
_JPEG_REDUCTIONS = (8, 4, 2, 1)


@dataclass(frozen=True)
class PhotoHeader:
    """The beginning of a photo.

    Attributes:
        format: As ``formats.sniff_photo_format`` says.
        width: As it is stored, in pixels.
        height: As it is stored, in pixels.
        file_bytes: Of the whole file.
        coefficients_per_pixel: What a JPEG decoder has to keep of each pixel of the original
            until the last scan; 0 for what is decoded row by row.
        hidden_pixels: What an AVIF decoder makes beyond the picture: alpha, layers, tiles, or
            frames that are larger than the file says.
    """

    format: str
    width: int
    height: int
    file_bytes: int
    coefficients_per_pixel: float = 0.0
    hidden_pixels: int = 0

    @property
    def pixels(self) -> int:
        """Width times height."""
        return self.width * self.height

    @property
    def is_buffered(self) -> bool:
        """Whether it is a JPEG whose decoder keeps the whole original."""
        return self.coefficients_per_pixel > 0

    def decoded_pixels(self, side: int = SIDE) -> int:
        """Return how many pixels the decoder makes for squares of ``side`` pixels."""
        if self.format != JPEG:
            return self.pixels + self.hidden_pixels
        enough = min(self.width, self.height) // (2 * side)
        reduction = next((step for step in _JPEG_REDUCTIONS if enough >= step), 1)
        return -(-self.width // reduction) * -(-self.height // reduction)

    def memory(self, side: int = SIDE) -> int:
        """Return the bytes that reading and looking take at most, besides the file."""
        coefficients = self.coefficients_per_pixel * _BYTES_PER_COEFFICIENT * self.pixels
        decoded = _BYTES_PER_PIXEL[self.format] * self.decoded_pixels(side)
        preview = _BYTES_PER_PREVIEW_PIXEL * min(self.pixels, _MOST_PREVIEW_PIXELS)
        copies = _COPIES_OF_FILE * self.file_bytes
        return int(coefficients + decoded) + preview + copies + _FIXED_BYTES


def photo_header(data: bytes) -> PhotoHeader:
    """Read the header of a photo.

    Args:
        data: The file.

    Raises:
        ImageRejected: ``not_an_image``, ``unsupported_format``, ``heic_not_installed``,
            ``animated``, ``truncated`` or ``undecodable``.
    """
    file_format = sniff_photo_format(data)
    if file_format == JPEG:
        frame = jpeg_frame(data)
        coefficients = frame.samples_per_pixel if frame.is_buffered else 0.0
        return PhotoHeader(JPEG, frame.width, frame.height, len(data), coefficients)
    if file_format == PNG:
        return PhotoHeader(PNG, *png_size(data), len(data))
    if file_format == WEBP:
        # Pillow would allocate the whole canvas on opening it.
        return PhotoHeader(WEBP, *webp_size(data), len(data))
    picture = open_heic(data) if file_format == HEIC else open_image(data, file_format)
    width, height = picture.size
    hidden = max(0, avif_pixels(data) - width * height) if file_format == AVIF else 0
    return PhotoHeader(file_format, width, height, len(data), hidden_pixels=hidden)
