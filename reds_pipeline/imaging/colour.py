"""How colourful a picture is, and whether it is really grey.

What belongs here: the one figure and its threshold (R-SCR-5). What does not: dropping images,
which cleaning.py does. A grey photograph is usually stored as RGB with three equal channels,
which the file's mode does not reveal.
"""

from __future__ import annotations

import numpy as np
from PIL import Image

GREYSCALE_TOLERANCE = 8.0
# Large enough that a small coloured object in a grey scene still covers some pixels, small
# enough that averaging removes the coloured specks that JPEG compression leaves.
_SMALL_SIDE = 128
_PERCENTILE = 99.0


def colour_spread(image: Image.Image) -> float:
    """Return the largest difference between the channels of a pixel, leaving out rare pixels.

    The picture is averaged down to about 128 pixels on its longer side; the figure is the 99th
    percentile, over those pixels, of the largest minus the smallest of red, green and blue.

    Args:
        image: Mode RGB.

    Returns:
        0 (all pixels grey) to 255.
    """
    small = image.reduce(max(1, max(image.size) // _SMALL_SIDE))
    red, green, blue = (np.asarray(channel) for channel in small.split())
    # Three whole channels at a time take a tenth of the time of three values at a time.
    largest = np.maximum(np.maximum(red, green), blue)
    differences = largest - np.minimum(np.minimum(red, green), blue)
    return float(np.percentile(differences, _PERCENTILE))


def is_greyscale(spread: float, tolerance: float = GREYSCALE_TOLERANCE) -> bool:
    """Return whether a picture with this colour spread is grey to the eye (R-SCR-5).

    Args:
        spread: From ``colour_spread``.
        tolerance: The largest spread, in 8-bit steps, that still counts as grey.
    """
    return spread <= tolerance
