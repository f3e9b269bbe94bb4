"""What the header of a photo says: its format, its size, and the memory that reading it takes.

What belongs here: everything that is known before a pixel is decoded. What does not: whether
that is acceptable (photo.py).
"""

from __future__ import annotations

from dataclasses import dataclass

from reds_pipeline.imaging.decoding import open_image
from reds_pipeline.imaging.formats import AVIF, GIF, HEIC, JPEG, PNG, WEBP, sniff_photo_format
from reds_pipeline.imaging.heic import open_heic
from reds_pipeline.imaging.jpeg_container import jpeg_frame
from reds_pipeline.imaging.png_container import png_size
from reds_pipeline.imaging.resize import SIDE
from reds_pipeline.imaging.webp_container import webp_size

# Peak of reading, looking in three ways, preview and clean copy, measured in a process of its own
# on 48 million pixels of each kind and rounded up (docs/photo_views.md).
_BYTES_PER_PIXEL = {JPEG: 9, PNG: 9, WEBP: 21, GIF: 16, AVIF: 21, HEIC: 12}
# Interpreter, codec tables, squares and the file that is written.
_FIXED_BYTES = 8_000_000
_BYTES_PER_COEFFICIENT = 2
_JPEG_REDUCTIONS = (8, 4, 2, 1)


@dataclass(frozen=True)
class PhotoHeader:
    """The beginning of a photo.

    Attributes:
        format: As ``formats.sniff_photo_format`` says.
        width: As it is stored, in pixels.
        height: As it is stored, in pixels.
        coefficients_per_pixel: What a JPEG decoder has to keep of each pixel of the original
            until the last scan; 0 for what is decoded row by row.
    """

    format: str
    width: int
    height: int
    coefficients_per_pixel: float = 0.0

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
            return self.pixels
        enough = min(self.width, self.height) // (2 * side)
        reduction = next((step for step in _JPEG_REDUCTIONS if enough >= step), 1)
        return -(-self.width // reduction) * -(-self.height // reduction)

    def memory(self, side: int = SIDE) -> int:
        """Return the bytes that reading and looking take at most, besides the file."""
        coefficients = self.coefficients_per_pixel * _BYTES_PER_COEFFICIENT * self.pixels
        decoded = _BYTES_PER_PIXEL[self.format] * self.decoded_pixels(side)
        return int(coefficients + decoded) + _FIXED_BYTES


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
        return PhotoHeader(JPEG, frame.width, frame.height, coefficients)
    if file_format == PNG:
        return PhotoHeader(PNG, *png_size(data))
    if file_format == WEBP:
        # Pillow would allocate the whole canvas on opening it.
        return PhotoHeader(WEBP, *webp_size(data))
    picture = open_heic(data) if file_format == HEIC else open_image(data, file_format)
    return PhotoHeader(file_format, *picture.size)
