"""Deciding whether downloaded bytes are a usable image, and what it looks like.

What belongs here: the checks in the order of their cost. What does not: how each check is done
(the other modules of this package), the one decode and what it says (description.py) and whether
the image is wanted (cleaning.py).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from PIL import ImageFile

from reds_pipeline.errors import ImageRejected
from reds_pipeline.imaging.avif_container import avif_pixels
from reds_pipeline.imaging.decoding import is_animated, open_image
from reds_pipeline.imaging.description import PictureDescription, decode_and_describe
from reds_pipeline.imaging.formats import AVIF, JPEG, PNG, WEBP, sniff_format
from reds_pipeline.imaging.jpeg_container import jpeg_size
from reds_pipeline.imaging.metadata import CLEANED_IN_PLACE, as_png, strip_metadata
from reds_pipeline.imaging.png_container import png_size
from reds_pipeline.imaging.webp_container import webp_size

_HEADER_SIZES: dict[str, Callable[[bytes], tuple[int, int]]] = {
    JPEG: jpeg_size,
    PNG: png_size,
    WEBP: webp_size,
}
_EXTENSIONS = {JPEG: "jpg", PNG: "png", WEBP: "webp"}


@dataclass(frozen=True)
class ImageLimits:
    """What an image may cost at most and must be at least.

    Attributes:
        max_bytes: Largest file, in bytes.
        max_pixels: Largest picture, width times height, checked before anything is decoded.
        min_side: Smallest width and height in pixels.
    """

    max_bytes: int = 20_000_000
    max_pixels: int = 50_000_000
    min_side: int = 32


@dataclass(frozen=True)
class ExaminedImage(PictureDescription):
    """A file that was decoded from end to end, and what was learnt on the way.

    Attributes:
        data: The file without metadata, ready to be stored.
        extension: Of ``data``, without a dot: ``jpg``, ``png`` or ``webp``.
        format: What was downloaded: ``JPEG``, ``PNG``, ``WEBP``, ``GIF`` or ``AVIF``.
    """

    data: bytes
    extension: str
    format: str


_DEFAULT_LIMITS = ImageLimits()


def examine_image(data: bytes, limits: ImageLimits = _DEFAULT_LIMITS) -> ExaminedImage:
    """Verify a downloaded file completely and describe it; safe to call from many threads.

    Pixels are decoded once, from the bytes that will be stored, so what was verified is what is
    kept. Cheap refusals come first: a header that claims 60000 x 60000 pixels costs nothing.

    Args:
        data: The file as downloaded.
        limits: What is acceptable.

    Returns:
        The cleaned file with its description.

    Raises:
        ImageRejected: With the first reason that applies: ``empty``, ``too_many_bytes``,
            ``not_an_image``, ``unsupported_format``, ``too_many_pixels``, ``too_small``,
            ``animated``, ``truncated`` or ``undecodable``.
    """
    if not data:
        raise ImageRejected("empty")
    if len(data) > limits.max_bytes:
        raise ImageRejected("too_many_bytes")
    file_format = sniff_format(data)
    if file_format in CLEANED_IN_PLACE:
        _check_size(_HEADER_SIZES[file_format](data), limits)
        clean = strip_metadata(data, file_format)
        description = decode_and_describe(_opened(clean, file_format, limits))
        stored_format = file_format
    else:
        image = _opened(data, file_format, limits)
        description = decode_and_describe(image, stored_upright=True)
        clean = as_png(image)
        stored_format = PNG
    return ExaminedImage(
        **vars(description),
        data=clean,
        extension=_EXTENSIONS[stored_format],
        format=file_format,
    )


def _opened(data: bytes, file_format: str, limits: ImageLimits) -> ImageFile.ImageFile:
    """Open a file that is worth decoding."""
    image = open_image(data, file_format)
    # The header that Pillow read is checked too: some formats have no other, and no file may
    # show one size to us and another to the decoder.
    _check_size(image.size, limits)
    if is_animated(image):
        raise ImageRejected("animated")
    # An AVIF decoder makes frames of another size than the one that the file shows.
    if file_format == AVIF and avif_pixels(data) > limits.max_pixels:
        raise ImageRejected("too_many_pixels")
    return image


def _check_size(size: tuple[int, int], limits: ImageLimits) -> None:
    width, height = size
    if width * height > limits.max_pixels:
        raise ImageRejected("too_many_pixels")
    if min(width, height) < 1:
        raise ImageRejected("undecodable")
    if min(width, height) < limits.min_side:
        raise ImageRejected("too_small")
