"""Deciding whether downloaded bytes are a usable image, and what it looks like.

What belongs here: the checks in the order of their cost, and the one decode that serves them
all. What does not: how each check is done (the other modules of this package) and whether the
image is wanted (cleaning.py).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from PIL import ImageFile

from reds_pipeline.errors import ImageRejected
from reds_pipeline.imaging.colour import colour_spread
from reds_pipeline.imaging.decoding import decode_pixels, is_animated, opaque_rgb, open_image
from reds_pipeline.imaging.formats import JPEG, PNG, WEBP, sniff_format
from reds_pipeline.imaging.hashing import perceptual_hash
from reds_pipeline.imaging.jpeg_container import jpeg_size
from reds_pipeline.imaging.metadata import CLEANED_IN_PLACE, as_png, strip_metadata
from reds_pipeline.imaging.orientation import image_orientation, upright, upright_size
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
class ExaminedImage:
    """A file that was decoded from end to end, and what was learnt on the way.

    Attributes:
        data: The file without metadata, ready to be stored.
        extension: Of ``data``, without a dot: ``jpg``, ``png`` or ``webp``.
        format: What was downloaded: ``JPEG``, ``PNG``, ``WEBP``, ``GIF`` or ``AVIF``.
        width: In pixels, of the upright picture.
        height: In pixels, of the upright picture.
        perceptual_hash: 16 hexadecimal digits, of the upright picture on white; of a JPEG as it
            is decoded at the smallest scale that leaves 256 pixels a side.
        colour_spread: 0 to 255; see ``colour.colour_spread``.
    """

    data: bytes
    extension: str
    format: str
    width: int
    height: int
    perceptual_hash: str
    colour_spread: float


_DEFAULT_LIMITS = ImageLimits()
# Pixels a side from which a JPEG's hash and colours are taken. Of 100 photographs of 1080 pixels,
# the hash of 92 is that of all pixels, and of 8 it differs in 2 of 64 bits; copies may differ in 8.
_ENOUGH_TO_DESCRIBE = 256


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
        image, size = _decoded(clean, file_format, limits)
        stored_format = file_format
    else:
        image, size = _decoded(data, file_format, limits)
        clean = as_png(image)
        stored_format = PNG
    orientation = image_orientation(image)
    picture = opaque_rgb(image)
    width, height = upright_size(size, orientation)
    return ExaminedImage(
        data=clean,
        extension=_EXTENSIONS[stored_format],
        format=file_format,
        width=width,
        height=height,
        # Turning the grey version gives the same hash for a quarter of the memory.
        perceptual_hash=perceptual_hash(upright(picture.convert("L"), orientation)),
        colour_spread=colour_spread(picture),
    )


def _decoded(
    data: bytes, file_format: str, limits: ImageLimits
) -> tuple[ImageFile.ImageFile, tuple[int, int]]:
    """Return a file's pixels, read to its end, and its true size."""
    image = open_image(data, file_format)
    # The header that Pillow read is checked too: some formats have no other, and no file may
    # show one size to us and another to the decoder.
    _check_size(image.size, limits)
    if is_animated(image):
        raise ImageRejected("animated")
    size = image.size
    if file_format == JPEG:
        # The decoder reads every byte either way and is as strict about them, but makes an
        # eighth to a half of the pixels, which is all that hash and colours need.
        image.draft(None, (_ENOUGH_TO_DESCRIBE, _ENOUGH_TO_DESCRIBE))
    decode_pixels(image)
    return image, size


def _check_size(size: tuple[int, int], limits: ImageLimits) -> None:
    width, height = size
    if width * height > limits.max_pixels:
        raise ImageRejected("too_many_pixels")
    if min(width, height) < 1:
        raise ImageRejected("undecodable")
    if min(width, height) < limits.min_side:
        raise ImageRejected("too_small")
