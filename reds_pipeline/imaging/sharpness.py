"""How sharp a picture is, whatever it shows.

What belongs here: the one figure. What does not: the size at which it is taken (scores.py) and its
threshold (quality.py).
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

# Pixels over which the picture is blurred again for comparison. Found on real photographs among
# 5, 7 and 9: shorter ones miss strong motion, longer ones slight blur.
_WINDOW = 5


def sharpness(grey: NDArray[np.uint8]) -> float:
    """Return how much of the contrast between neighbours a further blur would take away.

    The blur effect of Crete, Dolmiere, Ladret and Nicolas (2007), turned round: a sharp picture
    loses much by being blurred once more, a blurred one nearly nothing. The figure does not depend
    on how much contrast there is. It is taken along rows and along columns, and the smaller one
    counts, because a moving camera blurs in one direction.

    Args:
        grey: Shape (height, width), uint8, at the size at which sharpness matters.

    Returns:
        0 (blurred, or nothing to see) to 1.
    """
    return min(_along_columns(grey), _along_columns(np.ascontiguousarray(grey.T)))


def _along_columns(grey: NDArray[np.uint8]) -> float:
    before = _WINDOW // 2
    neighbours = byte_distance(grey[before + 1 : len(grey) - before], grey[before : -before - 1])
    # The difference of two neighbouring means over the window is that of the two pixels in which
    # the windows differ, divided by the window; both sides are kept in whole numbers.
    blurred = byte_distance(grey[_WINDOW:], grey[:-_WINDOW])
    contrast = neighbours * np.uint16(_WINDOW)
    total = int(contrast.sum(dtype=np.uint64))
    kept = int(np.minimum(contrast, blurred).sum(dtype=np.uint64))
    return 1.0 - kept / total if total else 0.0


def byte_distance(one: NDArray[np.uint8], other: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Return the absolute difference of two equally shaped arrays of bytes.

    Bytes with the larger minuend cannot wrap round and take half the time of wider integers.
    """
    return np.maximum(one, other) - np.minimum(one, other)
