"""What lies behind a subject, out of focus: rooms, lawns, leaves, skies and streets.

Belongs here: one function a kind of place. They draw on a small picture that is enlarged later,
which blurs them as a lens does. Coordinates reach from -1 to 1 along the longer side.
"""

from __future__ import annotations

from random import Random

from reds_pipeline.demo.brush import Brush, Colour, Point, blend, shade, varied

_WARM_WHITE: Colour = (255, 246, 220)
_LEAF_GREENS: tuple[Colour, ...] = ((70, 120, 60), (104, 150, 70), (48, 92, 58), (140, 170, 90))
_FABRICS: tuple[Colour, ...] = (
    (170, 70, 70),
    (70, 110, 150),
    (200, 160, 80),
    (110, 130, 100),
    (130, 100, 140),
)


def _rectangle(
    brush: Brush, corner: Point, size: Point, colour: Colour, opacity: int = 255
) -> None:
    left, top = corner
    right, bottom = left + size[0], top + size[1]
    brush.polygon([(left, top), (right, top), (right, bottom), (left, bottom)], colour, opacity)


def _cloud(brush: Brush, chance: Random, place: Point) -> None:
    for _ in range(4):
        offset = (place[0] + chance.uniform(-0.2, 0.2), place[1] + chance.uniform(-0.05, 0.05))
        brush.ellipse(
            offset,
            (chance.uniform(0.1, 0.26), chance.uniform(0.05, 0.11)),
            (250, 250, 252),
            opacity=170,
        )


def _tree(brush: Brush, chance: Random, foot: Point) -> None:
    height = chance.uniform(0.35, 0.9)
    brush.line(foot, (foot[0], foot[1] - height * 0.6), 0.07, (94, 70, 52))
    green = varied(chance.choice(_LEAF_GREENS), chance)
    for _ in range(5):
        brush.ellipse(
            (foot[0] + chance.uniform(-0.18, 0.18), foot[1] - height + chance.uniform(-0.1, 0.14)),
            (height * 0.3, height * 0.27),
            varied(green, chance, 12),
        )


def room(brush: Brush, chance: Random) -> None:
    """Draw a floor or a sofa and some of a window, a picture, a lamp and a plant."""
    floor_top = chance.uniform(0.05, 0.5)
    floor = varied(chance.choice(((150, 110, 76), (120, 100, 92), (190, 170, 146))), chance)
    _rectangle(brush, (-1.2, floor_top), (2.4, 2), floor)
    if chance.random() < 0.6:
        left, top = chance.uniform(-0.95, 0.4), chance.uniform(-0.8, -0.4)
        pane = chance.choice(((214, 234, 246), (250, 226, 180), (60, 70, 110)))
        _rectangle(brush, (left - 0.05, top - 0.05), (0.6, 0.75), (236, 230, 220))
        _rectangle(brush, (left, top), (0.5, 0.65), pane)
        _rectangle(brush, (left + 0.23, top), (0.04, 0.65), (236, 230, 220))
    if chance.random() < 0.5:
        left = chance.uniform(-0.9, 0.6)
        _rectangle(brush, (left, -0.55), (0.34, 0.28), (84, 60, 46))
        _rectangle(brush, (left + 0.04, -0.51), (0.26, 0.20), varied((170, 170, 160), chance, 60))
    if chance.random() < 0.5:
        fabric = varied(chance.choice(_FABRICS), chance)
        left = chance.uniform(-0.9, -0.1)
        _rectangle(brush, (left, floor_top - 0.35), (1.1, 0.5), shade(fabric, 0.8))
        _rectangle(brush, (left - 0.06, floor_top - 0.12), (1.22, 0.34), fabric)
    if chance.random() < 0.4:
        middle = chance.uniform(-0.8, 0.8)
        for lean in (-0.18, -0.08, 0.04, 0.15):
            brush.ellipse(
                (middle + lean, floor_top - 0.25),
                (0.05, 0.24),
                varied(chance.choice(_LEAF_GREENS), chance),
                turn=lean * 3,
            )
    if chance.random() < 0.4:
        lamp = (chance.uniform(-0.9, 0.9), chance.uniform(-0.5, -0.1))
        brush.ellipse(lamp, (0.34, 0.34), _WARM_WHITE, opacity=70)
        brush.ellipse(lamp, (0.15, 0.13), _WARM_WHITE, opacity=220)


def lawn(brush: Brush, chance: Random) -> None:
    """Draw grass below a sky with clouds, trees, hills or a fence."""
    horizon = chance.uniform(-0.25, 0.35)
    for _ in range(chance.choice((0, 1, 2, 3))):
        _cloud(brush, chance, (chance.uniform(-1, 1), horizon - chance.uniform(0.3, 0.8)))
    if chance.random() < 0.5:
        brush.ellipse(
            (chance.uniform(-1, 1), horizon + 0.1),
            (0.8, chance.uniform(0.2, 0.5)),
            varied((110, 140, 120), chance),
        )
    for _ in range(chance.choice((0, 1, 1, 2, 3))):
        _tree(brush, chance, (chance.uniform(-1, 1), horizon + 0.05))
    if chance.random() < 0.3:
        white = varied((216, 206, 190), chance)
        for board in range(-8, 9):
            _rectangle(brush, (board * 0.14, horizon - 0.22), (0.07, 0.3), white)
        _rectangle(brush, (-1.2, horizon - 0.12), (2.4, 0.05), white)
    grass = varied(chance.choice(((110, 160, 74), (84, 136, 70), (168, 170, 90))), chance)
    _rectangle(brush, (-1.2, horizon), (2.4, 2.5), grass)
    for _ in range(7):
        brush.ellipse(
            (chance.uniform(-1, 1), chance.uniform(horizon + 0.1, 1)),
            (chance.uniform(0.1, 0.4), 0.05),
            shade(grass, chance.uniform(0.8, 1.2)),
        )


def leaves(brush: Brush, chance: Random) -> None:
    """Draw foliage out of focus, with discs of light."""
    for _ in range(chance.randint(6, 16)):
        green = varied(chance.choice(_LEAF_GREENS), chance)
        brush.ellipse(
            (chance.uniform(-1, 1), chance.uniform(-1, 1)),
            (chance.uniform(0.12, 0.45), chance.uniform(0.06, 0.16)),
            shade(green, chance.uniform(0.55, 1.15)),
            turn=chance.uniform(-1.5, 1.5),
            opacity=190,
        )
    for _ in range(chance.randint(2, 12)):
        radius = chance.uniform(0.04, 0.16)
        brush.ellipse(
            (chance.uniform(-1, 1), chance.uniform(-1, 0.6)),
            (radius, radius),
            blend((220, 230, 150), _WARM_WHITE, chance.random()),
            opacity=110,
        )


def sky(brush: Brush, chance: Random) -> None:
    """Draw clouds, sometimes a sun, and tree tops at the edge."""
    for _ in range(chance.choice((1, 2, 3, 5))):
        _cloud(brush, chance, (chance.uniform(-1, 1), chance.uniform(-0.9, 0.8)))
    if chance.random() < 0.35:
        sun = (chance.uniform(-0.9, 0.9), chance.uniform(-0.8, 0))
        brush.ellipse(sun, (0.32, 0.32), (255, 240, 190), opacity=80)
        brush.ellipse(sun, (0.16, 0.16), (255, 244, 206), opacity=230)
    if chance.random() < 0.6:
        side = chance.choice((-1, 1))
        for _ in range(9):
            green = varied(chance.choice(_LEAF_GREENS), chance)
            brush.ellipse(
                (side * chance.uniform(0.4, 1.1), chance.uniform(-0.2, 1.0)),
                (chance.uniform(0.1, 0.26), chance.uniform(0.08, 0.2)),
                shade(green, chance.uniform(0.7, 1.1)),
            )


def street(brush: Brush, chance: Random) -> None:
    """Draw houses, or hills and trees, above the ground."""
    ground = chance.uniform(0.0, 0.3)
    if chance.random() < 0.65:
        left = -1.1
        while left < 1.1:
            width, height = chance.uniform(0.16, 0.42), chance.uniform(0.25, 0.95)
            wall = varied(
                chance.choice(((150, 120, 104), (120, 130, 146), (186, 170, 150), (96, 100, 116))),
                chance,
            )
            _rectangle(brush, (left, ground - height), (width, height), wall)
            lit = chance.random() < 0.5
            window = (244, 220, 150) if lit else shade(wall, 0.65)
            for column in range(int(width / 0.11)):
                for row in range(int(height / 0.16)):
                    corner = (left + 0.04 + column * 0.11, ground - height + 0.06 + row * 0.16)
                    _rectangle(brush, corner, (0.05, 0.08), window)
            left += width + chance.choice((0, 0, 0.1, 0.3))
    else:
        hill = varied((110, 130, 116), chance)
        for layer in range(3):
            brush.ellipse(
                (chance.uniform(-1, 1), ground),
                (0.9, chance.uniform(0.15, 0.6)),
                shade(hill, 1.2 - layer * 0.2),
            )
    for _ in range(chance.choice((0, 1, 2, 4))):
        _tree(brush, chance, (chance.uniform(-1, 1), ground + 0.03))
    _rectangle(brush, (-1.2, ground), (2.4, 2.5), varied((150, 146, 140), chance))
