"""Three ways of looking at a photo of any shape: its middle, the whole, or window after window.

What belongs here: which boxes of the photo become squares (R-IMP-3). What does not: pixels
(photo.py) and what the looks are worth together (tagging).
"""

from __future__ import annotations

from typing import Literal

from reds_pipeline.imaging.resize import crop_box

PhotoView = Literal["centre", "whole", "windows"]
"""``centre`` is the rule of the training, ``whole`` squeezes the photo into a square, and
``windows`` slides a square of the shorter side along the longer one."""

Box = tuple[int, int, int, int]
"""(left, top, right, bottom) in upright pixels."""

MOST_WINDOWS = 23
"""Looks at one photo. Up to 23 times as long as high they leave no pixel out; beyond, gaps."""


def view_boxes(view: PhotoView, width: int, height: int) -> tuple[Box, ...]:
    """Return the parts of a photo that become squares.

    Args:
        view: The way of looking.
        width: Of the upright photo, in pixels.
        height: The same.

    Returns:
        One box for ``centre`` and ``whole``; for ``windows`` as `window_boxes`.
    """
    if view == "centre":
        return (crop_box(width, height)[0],)
    if view == "whole":
        return ((0, 0, width, height),)
    return window_boxes(width, height)


def window_boxes(width: int, height: int) -> tuple[Box, ...]:
    """Return windows that cover a photo from one end exactly to the other.

    A window is a square of the shorter side. They stand at equal distances, to a pixel, of at
    most half their side: any thing up to half a window wide lies in one of them uncut. Their
    number is odd, so that the middle one is the square of the training and a vote of two cannot
    be a draw. A photo from which the training cuts nothing off is looked at once, as a whole.

    Args:
        width: Of the upright photo, in pixels.
        height: The same.

    Returns:
        1 to ``MOST_WINDOWS`` boxes, from left to right or from top to bottom.
    """
    box, is_cropped = crop_box(width, height)
    if not is_cropped:
        return (box,)
    side = min(width, height)
    return tuple(
        (start, 0, start + side, side) if width > height else (0, start, side, start + side)
        for start in _starts(max(width, height) - side, side)
    )


def _starts(room: int, side: int) -> list[int]:
    """Return where windows begin that can move by ``room`` pixels, the same from both ends."""
    # As many steps on either side of the middle as keep each at half a side or less.
    steps_each_way = min(-(-room // side), MOST_WINDOWS // 2)
    first_half = [number * room // (2 * steps_each_way) for number in range(steps_each_way)]
    second_half = [room - start for start in reversed(first_half)]
    return [*first_half, room // 2, *second_half]
