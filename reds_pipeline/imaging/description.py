"""Everything that one decode of a picture says about it.

What belongs here: which figures there are, and what they share, so that each further one costs
little. What does not: how each is computed (hashing.py, colour.py, scores.py, resize.py) and
whether the file is acceptable (examine.py).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import ImageFile

from reds_pipeline.imaging.colour import colour_spread
from reds_pipeline.imaging.decoding import decode_reduced, opaque_rgb, open_image
from reds_pipeline.imaging.formats import sniff_format
from reds_pipeline.imaging.hashing import perceptual_hashes
from reds_pipeline.imaging.orientation import (
    UPRIGHT,
    image_orientation,
    upright,
    upright_size,
)
from reds_pipeline.imaging.resize import ENOUGH_TO_RESIZE, resized_square
from reds_pipeline.imaging.scores import picture_scores, transparent_share

# Pixels on the shorter side that hash and scores are taken from: averaging whole squares of pixels
# down to these makes both several times cheaper. Of 160 photographs enlarged to 1200 pixels the
# hash of 144 is that of all pixels, and of 16 it differs in 2 to 4 of 64 bits; copies may differ
# in 8. Smaller pictures are taken as they are.
_ENOUGH_TO_DESCRIBE = 256


@dataclass(frozen=True)
class PictureDescription:
    """What a picture looks like.

    Attributes:
        width: In pixels, of the upright picture.
        height: In pixels, of the upright picture.
        perceptual_hash: 16 hexadecimal digits, of the upright picture on white, taken from 256 to
            511 pixels on its shorter side where it has so many.
        mirrored_hash: The same of its mirror image.
        colour_spread: 0 to 255; see ``colour.colour_spread``.
        scores: The columns of ``storage.tables.SCORES``; see ``scores.picture_scores``.
        square: uint8 (224, 224, 3), RGB: what ``resize.square_224`` makes of the stored file, bit
            by bit. Comparisons leave it out, because arrays do not compare as a whole.
        cropped: Whether the square leaves out something of the sides.
    """

    width: int
    height: int
    perceptual_hash: str
    mirrored_hash: str
    colour_spread: float
    scores: Mapping[str, Any]
    square: NDArray[np.uint8] = field(compare=False, repr=False)
    cropped: bool


def decode_and_describe(
    image: ImageFile.ImageFile, *, stored_upright: bool = False
) -> PictureDescription:
    """Decode an opened file to its end, once, and describe it.

    A JPEG is decoded at the smallest scale that leaves 448 pixels a side, which is as much as the
    square needs; the other figures are taken from the same pixels.

    Args:
        image: From ``open_image``; decoded afterwards.
        stored_upright: Whether the pixels will be stored turned upright, rather than as they are
            with their orientation beside them: the square is that of the stored ones.

    Returns:
        The description.

    Raises:
        ImageRejected: ``truncated`` or ``undecodable``.
    """
    size, mode = image.size, image.mode
    scale = decode_reduced(image, ENOUGH_TO_RESIZE)
    orientation = image_orientation(image)
    picture = opaque_rgb(image)
    if stored_upright:
        picture, size = upright(picture, orientation), upright_size(size, orientation)
        orientation = UPRIGHT
    square, cropped = resized_square(picture, size, scale, orientation)
    grey = picture.convert("L")
    grey = upright(grey.reduce(max(1, min(grey.size) // _ENOUGH_TO_DESCRIBE)), orientation)
    perceptual_hash, mirrored_hash = perceptual_hashes(grey)
    width, height = upright_size(size, orientation)
    return PictureDescription(
        width=width,
        height=height,
        perceptual_hash=perceptual_hash,
        mirrored_hash=mirrored_hash,
        colour_spread=colour_spread(picture),
        scores=picture_scores(grey, mode=mode, transparent_share=transparent_share(image)),
        square=square,
        cropped=cropped,
    )


def describe_stored(data: bytes) -> PictureDescription:
    """Describe a file that ``examine_image`` let through, without examining it again.

    Raises:
        ImageRejected: It does not decode any more.
    """
    return decode_and_describe(open_image(data, sniff_format(data)))
