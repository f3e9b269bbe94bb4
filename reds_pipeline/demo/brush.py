"""Drawing with Pillow in comfortable coordinates: soft backgrounds and smooth turned shapes.

Belongs here: how to draw. What a cat looks like is ``subjects``; how a whole picture is put
together and encoded is ``pictures``.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import pairwise
from random import Random

from PIL import Image, ImageDraw

Colour = tuple[int, int, int]
Point = tuple[float, float]

SUPERSAMPLING = 2
"""Drawn pixels per final pixel and side: smooths the edges when the picture is reduced."""

_ELLIPSE_CORNERS = 40


def shade(colour: Colour, factor: float) -> Colour:
    """Return a colour darkened (``factor`` below 1) or lightened towards white (above 1)."""
    if factor <= 1:
        return tuple(round(channel * factor) for channel in colour)  # type: ignore[return-value]
    return blend(colour, (255, 255, 255), factor - 1)


def blend(first: Colour, second: Colour, share: float) -> Colour:
    """Return the mix of two colours; ``share`` in 0..1 is that of the second."""
    return tuple(  # type: ignore[return-value]
        round(one + (other - one) * share) for one, other in zip(first, second, strict=True)
    )


def varied(colour: Colour, chance: Random, spread: int = 18) -> Colour:
    """Return a colour near the given one, each channel within ``spread``."""
    return tuple(  # type: ignore[return-value]
        min(255, max(0, channel + chance.randint(-spread, spread))) for channel in colour
    )


def soft_background(size: tuple[int, int], colours: Sequence[Sequence[Colour]]) -> Image.Image:
    """Return a picture that passes smoothly through a grid of colours, row by row.

    Args:
        size: Width and height in pixels.
        colours: Rows of colours, all of the same length.
    """
    grid = Image.new("RGB", (len(colours[0]), len(colours)))
    for row, line in enumerate(colours):
        for column, colour in enumerate(line):
            grid.putpixel((column, row), colour)
    return grid.resize(size, Image.Resampling.BICUBIC)


class Brush:
    """Draws shapes given in the subject's own coordinates.

    The subject's coordinates have their origin at its centre, x to the right, y downwards, and
    reach from about -1 to 1. The brush places, scales, turns and mirrors them.
    """

    def __init__(
        self,
        image: Image.Image,
        centre: Point,
        scale: float,
        turn: float = 0.0,
        mirrored: bool = False,
    ) -> None:
        """Place the subject.

        Args:
            image: RGB picture to draw on.
            centre: Where the subject's origin goes, in pixels.
            scale: Pixels per unit.
            turn: Clockwise turn in radians.
            mirrored: Whether left and right change places.
        """
        self.image = image
        self._draw = ImageDraw.Draw(image, "RGBA")
        self._centre = centre
        self._scale = scale
        self._cosine, self._sine = math.cos(turn), math.sin(turn)
        self._turn = turn
        self._mirrored = mirrored

    def at(self, point: Point, scale: float = 1.0, turn: float = 0.0) -> Brush:
        """Return a brush for a part: its own origin at ``point``, scaled and turned further."""
        further = -turn if self._mirrored else turn
        return Brush(
            self.image,
            self._placed(point),
            self._scale * scale,
            self._turn + further,
            self._mirrored,
        )

    def _placed(self, point: Point) -> Point:
        across, down = point
        if self._mirrored:
            across = -across
        return (
            self._centre[0] + self._scale * (across * self._cosine - down * self._sine),
            self._centre[1] + self._scale * (across * self._sine + down * self._cosine),
        )

    def polygon(self, points: Sequence[Point], colour: Colour, opacity: int = 255) -> None:
        """Fill a polygon; ``opacity`` is 0..255."""
        self._draw.polygon([self._placed(point) for point in points], fill=(*colour, opacity))

    def ellipse(
        self, centre: Point, radii: Point, colour: Colour, turn: float = 0.0, opacity: int = 255
    ) -> None:
        """Fill an ellipse with the given half axes, turned clockwise by ``turn`` radians."""
        cosine, sine = math.cos(turn), math.sin(turn)
        corners = []
        for corner in range(_ELLIPSE_CORNERS):
            angle = math.tau * corner / _ELLIPSE_CORNERS
            across, down = radii[0] * math.cos(angle), radii[1] * math.sin(angle)
            corners.append(
                (
                    centre[0] + across * cosine - down * sine,
                    centre[1] + across * sine + down * cosine,
                )
            )
        self.polygon(corners, colour, opacity)

    def curve(
        self, points: Sequence[Point], width: float, colour: Colour, tip_width: float | None = None
    ) -> None:
        """Draw a smooth thick line through the quadratic or cubic curve of three or four points.

        Args:
            points: Start, one or two control points, end.
            width: Width at the start, in units.
            colour: Its colour.
            tip_width: Width at the end; the same as at the start by default.
        """
        end_width = width if tip_width is None else tip_width
        steps = 18
        for step in range(steps + 1):
            share = step / steps
            across, down = _bezier(points, share)
            radius = (width + (end_width - width) * share) / 2
            self.ellipse((across, down), (radius, radius), colour)
            if step < steps:
                following = _bezier(points, (step + 1) / steps)
                self._bridge((across, down), following, radius, colour)

    def line(self, start: Point, end: Point, width: float, colour: Colour) -> None:
        """Draw a straight line ``width`` units thick with square ends."""
        self._bridge(start, end, width / 2, colour)

    def _bridge(self, start: Point, end: Point, radius: float, colour: Colour) -> None:
        along = (end[0] - start[0], end[1] - start[1])
        length = math.hypot(*along) or 1.0
        side = (-along[1] / length * radius, along[0] / length * radius)
        self.polygon(
            [
                (start[0] + side[0], start[1] + side[1]),
                (end[0] + side[0], end[1] + side[1]),
                (end[0] - side[0], end[1] - side[1]),
                (start[0] - side[0], start[1] - side[1]),
            ],
            colour,
        )


def _bezier(points: Sequence[Point], share: float) -> Point:
    """Return the point of a Bezier curve by de Casteljau's construction."""
    current = list(points)
    while len(current) > 1:
        current = [
            (
                first[0] + (second[0] - first[0]) * share,
                first[1] + (second[1] - first[1]) * share,
            )
            for first, second in pairwise(current)
        ]
    return current[0]
