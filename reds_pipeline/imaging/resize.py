"""The square picture that a backbone gets to see: 224 x 224 pixels for nearly all of them.

What belongs here: the 0.9 to 1.1 rule and the resampling (R-IMG-3, 4, 5, 7, 10, 12). What does
not: scaling to 0..1 and the normalisation of a backbone, which belong to that backbone.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from reds_pipeline.imaging.decoding import decode_reduced, opaque_rgb, open_image
from reds_pipeline.imaging.formats import sniff_format
from reds_pipeline.imaging.orientation import (
    image_orientation,
    stored_box,
    upright,
    upright_size,
)

SIDE = 224
# At twice the target the result cannot be told from that of all pixels (performance.md section 1).
_DECODED_FOR_EACH = 2
ENOUGH_TO_RESIZE = _DECODED_FOR_EACH * SIDE
"""Pixels a side that a picture has to be decoded with."""


def resize_rule(side: int) -> str:
    """Return the name of the rule that makes squares of ``side`` pixels.

    Squares are kept under this name, and the store takes its shape from the side in it. Change it
    whenever the same file would give other pixels.
    """
    return f"square{side}-aspect0.9to1.1-bicubic-draft{_DECODED_FOR_EACH * side}-v1"


RESIZE_RULE = resize_rule(SIDE)


def crop_box(width: int, height: int) -> tuple[tuple[int, int, int, int], bool]:
    """Return the part of a picture that becomes the square (R-IMG-3, R-IMG-4, R-IMG-5).

    Up to ten per cent wider or narrower than high (0.9 <= width / height <= 1.1, bounds
    included) the whole picture is squeezed; otherwise the middle square is cut out.

    Args:
        width: In pixels, of the upright picture (R-IMG-12).
        height: In pixels, of the upright picture.

    Returns:
        ((left, top, right, bottom) in pixels, whether something is cut off).
    """
    # In whole numbers, because 1.1 has no exact binary form and the bounds belong to the range.
    if 9 * height <= 10 * width <= 11 * height:
        return (0, 0, width, height), False
    side = min(width, height)
    left = (width - side) // 2
    top = (height - side) // 2
    return (left, top, left + side, top + side), True


def square_224(data: bytes) -> tuple[NDArray[np.uint8], bool]:
    """Return ``square(data, 224)``, which nearly all backbones see."""
    return square(data, SIDE)


def square(data: bytes, side: int) -> tuple[NDArray[np.uint8], bool]:
    """Decode an image file into the square that backbones see.

    EXIF orientation is honoured before the shape is measured, and the shape is measured on the
    original size, not on the reduced one that a fast decode gives. Transparency becomes white.

    Args:
        data: A file that ``examine_image`` let through; sizes are not checked again here.
        side: Of the square, in pixels.

    Returns:
        (pixels of shape (side, side, 3) and dtype uint8 in RGB, whether the sides were cropped).

    Raises:
        ImageRejected: The file is not an image or does not decode.
    """
    image = open_image(data, sniff_format(data))
    size = image.size
    orientation = image_orientation(image)
    scale = decode_reduced(image, _DECODED_FOR_EACH * side)
    return resized_square(opaque_rgb(image), size, scale, orientation, side)


def resized_square(
    picture: Image.Image,
    size: tuple[int, int],
    scale: float,
    orientation: int,
    side: int = SIDE,
) -> tuple[NDArray[np.uint8], bool]:
    """Return the square of a picture that is decoded already.

    Args:
        picture: Mode RGB, as it is stored, not turned upright.
        size: Stored (width, height) in pixels before the decoder reduced them.
        scale: What ``decode_reduced`` returned for twice the side.
        orientation: 1 to 8.
        side: Of the square, in pixels.

    Returns:
        As ``square``.
    """
    box, cropped = crop_box(*upright_size(size, orientation))
    return resized_box(picture, box, size, scale, orientation, side=side), cropped


def resized_box(
    picture: Image.Image,
    box: tuple[int, int, int, int],
    size: tuple[int, int],
    scale: float,
    orientation: int,
    *,
    side: int,
) -> NDArray[np.uint8]:
    """Return any part of a decoded picture as a square.

    Args:
        picture: As in `resized_square`.
        box: (left, top, right, bottom) in pixels of the upright picture.
        size: As in `resized_square`.
        scale: As in `resized_square`.
        orientation: 1 to 8.
        side: Of the square, in pixels.

    Returns:
        uint8 (side, side, 3) in RGB, upright.
    """
    left, top, right, bottom = (edge * scale for edge in stored_box(box, size, orientation))
    small = picture.resize((side, side), Image.Resampling.BICUBIC, box=(left, top, right, bottom))
    return np.array(upright(small, orientation))
