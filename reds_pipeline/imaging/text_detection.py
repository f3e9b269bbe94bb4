"""How much of a picture is writing: screenshots, documents and posters against photographs.

What belongs here: the one figure, from local contrasts alone. What does not: reading the writing,
and the threshold (quality.py). Writing is hard strokes, dark to light and back within a few pixels,
on ground that is even; leaves, fur and gravel have the strokes without the even ground, and the
outline of something before a plain background has the ground with one edge only.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from reds_pipeline.imaging.sharpness import byte_distance

TILE = 16
"""Side of the squares that are writing or not, in pixels."""
# Steps between neighbours, of 255. Compression leaves noise below the lower one; the strokes of
# letters that a person can still read in a reduced screenshot are above the upper one.
_EVEN = 3
_STROKE = 40
# Shares of a tile's pixels: rising, falling and vertical steps that make strokes, the even ground
# around them, and what makes a tile blank.
_ENOUGH_STROKES = 0.05
_ENOUGH_GROUND = 0.4
_BLANK_GROUND = 0.95
_BLANK_STROKES = 0.02
# A few letters on an empty page are little content; below this share it no longer counts as all.
_LEAST_CONTENT = 0.2


def text_share(levels: Sequence[NDArray[np.uint8]]) -> float:
    """Return the share of writing in what a picture shows.

    Each tile of 16 x 16 pixels is writing, blank or something else; the figure is writing divided
    by all that is not blank, because a page is a page however much of it is empty. It is taken at
    each size and the largest counts: letters that fill several tiles are strokes when reduced.

    Args:
        levels: The upright grey picture at one or more sizes, shapes (height, width), uint8.

    Returns:
        0 (no writing) to 1 (nothing else); 0 also for a picture smaller than two tiles a side.
    """
    return max((_share_at_one_size(grey) for grey in levels), default=0.0)


def _share_at_one_size(grey: NDArray[np.uint8]) -> float:
    if min(grey.shape) < 2 * TILE:
        return 0.0
    # Whole tiles and one pixel more, which the last differences need.
    rows, columns = ((side - 1) // TILE * TILE for side in grey.shape)
    here = grey[:rows, :columns]
    right, below = grey[:rows, 1 : columns + 1], grey[1 : rows + 1, :columns]
    lighter = np.maximum(here, right)
    masks = np.empty((4, rows, columns), np.bool_)
    np.greater_equal(lighter - here, _STROKE, out=masks[0])
    np.greater_equal(lighter - right, _STROKE, out=masks[1])
    np.greater_equal(byte_distance(here, below), _STROKE, out=masks[2])
    np.less_equal(byte_distance(here, right), _EVEN, out=masks[3])
    rising, falling, upright, even = _tile_shares(masks)
    strokes = np.minimum(np.minimum(rising, falling), upright)
    writing = (strokes >= _ENOUGH_STROKES) & (even >= _ENOUGH_GROUND)
    blank = (even >= _BLANK_GROUND) & (upright <= _BLANK_STROKES)
    return float(writing.mean() / max(1.0 - blank.mean(), _LEAST_CONTENT))


def _tile_shares(masks: NDArray[np.bool_]) -> NDArray[np.float64]:
    """Return the share of true pixels in each tile.

    Args:
        masks: Shape (n, height, width), both multiples of ``TILE``.

    Returns:
        Shape (n, height / TILE, width / TILE).
    """
    count, height, width = masks.shape
    bands = masks.view(np.uint8).reshape(count, height // TILE, TILE, width)
    # Rows first: adding whole rows of bytes is several times faster than adding within them.
    summed = bands.sum(axis=2, dtype=np.uint8).reshape(count, -1, width // TILE, TILE)
    return summed.sum(axis=3, dtype=np.uint16) / (TILE * TILE)
