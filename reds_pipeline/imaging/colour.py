"""How colourful a picture is (R-SCR-5).

What belongs here: the one figure. What does not: from where on a picture is grey (quality.py). A
grey photograph is usually stored as RGB with three equal channels, which the file's mode does not
reveal.
"""

from __future__ import annotations

import math
from bisect import bisect_right
from itertools import accumulate

from PIL import Image, ImageChops

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
    red, green, blue = small.split()
    largest = ImageChops.lighter(ImageChops.lighter(red, green), blue)
    smallest = ImageChops.darker(ImageChops.darker(red, green), blue)
    # Counted bytes give every percentile without sorting, and without the interpreter's lock.
    counts = ImageChops.difference(largest, smallest).histogram()
    return _percentile(counts, _PERCENTILE)


def _percentile(counts: list[int], percent: float) -> float:
    """Return the percentile of counted whole numbers, as ``numpy.percentile`` defines it."""
    up_to = list(accumulate(counts))
    rank = (up_to[-1] - 1) * percent / 100
    below = bisect_right(up_to, math.floor(rank))
    above = bisect_right(up_to, math.ceil(rank))
    return below + (above - below) * (rank - math.floor(rank))
