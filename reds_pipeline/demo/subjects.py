"""What the town photographs: cats, dogs, flowers, birds, cars and some scenery, drawn by code.

Belongs here: one function a subject, each with poses and colours that vary by chance. Placing the
subject on a background is ``pictures``.
"""

from __future__ import annotations

import math
from random import Random

from reds_pipeline.demo.brush import Brush, Colour, blend, shade, varied

INK: Colour = (32, 26, 26)
WHITE: Colour = (250, 248, 244)

_BELOW_THE_FRAME = 5.0
"""A height, in units of the subject, that no frame reaches."""

_CAT_COATS: tuple[Colour, ...] = (
    (224, 140, 62),
    (70, 66, 70),
    (146, 142, 146),
    (238, 222, 196),
    (140, 100, 66),
    (246, 242, 236),
)
_DOG_COATS: tuple[Colour, ...] = (
    (168, 104, 52),
    (96, 60, 36),
    (214, 176, 120),
    (240, 230, 212),
    (62, 50, 46),
    (190, 130, 74),
)
_PETALS: tuple[Colour, ...] = (
    (228, 60, 84),
    (250, 196, 44),
    (244, 142, 190),
    (160, 92, 208),
    (250, 246, 240),
    (246, 122, 46),
    (96, 116, 226),
)
_PLUMAGES: tuple[Colour, ...] = (
    (58, 126, 204),
    (204, 66, 52),
    (122, 96, 74),
    (244, 206, 66),
    (70, 160, 110),
    (84, 84, 96),
    (244, 136, 164),
)
_PAINTS: tuple[Colour, ...] = (
    (206, 40, 44),
    (36, 92, 180),
    (240, 190, 40),
    (60, 140, 106),
    (232, 232, 228),
    (60, 62, 74),
    (232, 120, 160),
    (120, 190, 220),
)


def draw_cat(brush: Brush, chance: Random) -> None:
    """Draw a cat: its face, sitting, or walking with the tail up."""
    coat = varied(chance.choice(_CAT_COATS), chance)
    pose = chance.choice((_cat_face, _cat_sitting, _cat_sitting, _cat_walking))
    pose(brush, coat, chance)


def _cat_head(brush: Brush, coat: Colour, chance: Random) -> None:
    dark = shade(coat, 0.72)
    for side in (-1, 1):
        brush.polygon([(side * 0.92, -0.35), (side * 0.80, -1.12), (side * 0.18, -0.66)], coat)
        brush.polygon(
            [(side * 0.80, -0.48), (side * 0.73, -0.92), (side * 0.36, -0.64)], (238, 160, 160)
        )
    brush.ellipse((0, 0), (0.98, 0.80), coat)
    if chance.random() < 0.6:
        for offset in (-0.24, 0.0, 0.24):
            brush.polygon(
                [(offset - 0.06, -0.78), (offset + 0.06, -0.78), (offset * 0.7, -0.38)], dark
            )
        for side in (-1, 1):
            for height in (0.0, 0.2):
                brush.polygon(
                    [
                        (side * 0.97, height - 0.06),
                        (side * 0.97, height + 0.06),
                        (side * 0.62, height + 0.04),
                    ],
                    dark,
                )
    iris = chance.choice(((150, 190, 70), (226, 176, 50), (90, 160, 200)))
    pupil = chance.uniform(0.05, 0.13)
    for side in (-1, 1):
        brush.ellipse((side * 0.42, -0.08), (0.22, 0.20), WHITE)
        brush.ellipse((side * 0.42, -0.08), (0.19, 0.18), iris)
        brush.ellipse((side * 0.42, -0.08), (pupil, 0.17), INK)
        brush.ellipse((side * 0.42 + 0.05, -0.15), (0.04, 0.04), WHITE)
    muzzle = blend(coat, WHITE, 0.7)
    brush.ellipse((-0.17, 0.36), (0.24, 0.19), muzzle)
    brush.ellipse((0.17, 0.36), (0.24, 0.19), muzzle)
    brush.polygon([(-0.12, 0.17), (0.12, 0.17), (0, 0.32)], (222, 110, 120))
    for side in (-1, 1):
        for rise in (-0.10, 0.04, 0.18):
            brush.line((side * 0.28, 0.36), (side * 1.18, 0.30 + rise), 0.022, WHITE)


def _chest(brush: Brush, coat: Colour) -> None:
    """Draw the body below a face seen from close by, so that no head floats in the air."""
    brush.ellipse((0, 1.5), (0.82, 1.15), shade(coat, 0.9))
    brush.ellipse((0, 1.35), (0.42, 0.85), blend(coat, WHITE, 0.55))


def _cat_face(brush: Brush, coat: Colour, chance: Random) -> None:
    _chest(brush, coat)
    _cat_head(brush.at((0, 0.1), 0.95), coat, chance)


def _cat_sitting(brush: Brush, coat: Colour, chance: Random) -> None:
    tail = [(0.42, 0.82), (1.15, 0.98), (1.05, 0.1), (0.78, chance.uniform(-0.1, 0.3))]
    brush.curve(tail, 0.20, shade(coat, 0.86), 0.14)
    brush.ellipse((0, 0.45), (0.55, 0.58), coat)
    brush.ellipse((0, 0.08), (0.38, 0.45), coat)
    brush.ellipse((0, 0.30), (0.24, 0.38), blend(coat, WHITE, 0.65))
    for side in (-1, 1):
        brush.ellipse((side * 0.42, 0.80), (0.22, 0.20), shade(coat, 0.9))
        brush.ellipse((side * 0.17, 0.72), (0.13, 0.30), shade(coat, 0.95))
        brush.ellipse((side * 0.18, 0.96), (0.17, 0.09), blend(coat, WHITE, 0.65))
    _cat_head(brush.at((0, -0.40), 0.52, chance.uniform(-0.2, 0.2)), coat, chance)


def _cat_walking(brush: Brush, coat: Colour, chance: Random) -> None:
    tail = [(-0.72, 0.02), (-1.1, -0.3), (-0.75, -0.7), (-1.0, -0.95)]
    brush.curve(tail, 0.16, coat, 0.12)
    for place, lean in ((-0.62, -0.1), (-0.38, 0.12), (0.34, -0.12), (0.58, 0.1)):
        far = place in (-0.38, 0.34)
        leg = shade(coat, 0.75) if far else shade(coat, 0.95)
        brush.line((place, 0.2), (place + lean, 0.82), 0.17, leg)
        brush.ellipse((place + lean + 0.05, 0.84), (0.13, 0.07), blend(leg, WHITE, 0.4))
    brush.ellipse((-0.05, 0.1), (0.80, 0.32), coat)
    for stripe in range(5):
        across = -0.55 + stripe * 0.23
        brush.polygon(
            [(across - 0.05, -0.2), (across + 0.05, -0.2), (across, 0.12)], shade(coat, 0.72)
        )
    _cat_head(brush.at((0.68, -0.28), 0.40, chance.uniform(-0.15, 0.15)), coat, chance)


def draw_dog(brush: Brush, chance: Random) -> None:
    """Draw a dog: its face, sitting, or standing seen from the side."""
    coat = varied(chance.choice(_DOG_COATS), chance)
    pose = chance.choice((_dog_face, _dog_sitting, _dog_standing, _dog_standing))
    pose(brush, coat, chance)


def _dog_head(brush: Brush, coat: Colour, chance: Random) -> None:
    ear = shade(coat, 0.62)
    brush.ellipse((0, -0.05), (0.72, 0.80), coat)
    if chance.random() < 0.5:
        side = chance.choice((-1, 1))
        brush.ellipse((side * 0.30, -0.16), (0.30, 0.34), blend(coat, WHITE, 0.75))
    muzzle = blend(coat, WHITE, 0.55)
    if chance.random() < 0.65:
        brush.ellipse((0.05, 0.80), (0.17, 0.32), (232, 100, 116))
        brush.line((0.05, 0.70), (0.05, 1.0), 0.025, (190, 70, 90))
    brush.ellipse((0, 0.42), (0.46, 0.36), muzzle)
    brush.ellipse((0, 0.22), (0.20, 0.14), INK)
    brush.ellipse((-0.06, 0.18), (0.05, 0.03), (120, 116, 120))
    brush.curve([(-0.28, 0.52), (-0.12, 0.68), (0, 0.52)], 0.04, INK)
    brush.curve([(0, 0.52), (0.12, 0.68), (0.28, 0.52)], 0.04, INK)
    for side in (-1, 1):
        brush.ellipse((side * 0.30, -0.14), (0.12, 0.13), INK)
        brush.ellipse((side * 0.30 + 0.04, -0.18), (0.04, 0.04), WHITE)
        brush.ellipse((side * 0.82, 0.02), (0.25, 0.62), ear, turn=-side * 0.28)


def _dog_face(brush: Brush, coat: Colour, chance: Random) -> None:
    _chest(brush, coat)
    _dog_head(brush.at((0, -0.08), 0.95), coat, chance)


def _dog_sitting(brush: Brush, coat: Colour, chance: Random) -> None:
    brush.curve([(0.45, 0.75), (0.95, 0.7), (1.02, 0.2)], 0.17, coat, 0.09)
    brush.ellipse((0.05, 0.42), (0.52, 0.58), coat)
    brush.ellipse((0, 0.35), (0.28, 0.42), blend(coat, WHITE, 0.6))
    for side in (-1, 1):
        brush.ellipse((side * 0.46, 0.80), (0.24, 0.20), shade(coat, 0.85))
        brush.line((side * 0.20, 0.35), (side * 0.20, 0.92), 0.20, shade(coat, 0.95))
        brush.ellipse((side * 0.22, 0.96), (0.18, 0.09), blend(coat, WHITE, 0.5))
    collar = chance.choice(((206, 50, 54), (40, 110, 190), (240, 190, 50)))
    brush.ellipse((0, 0.03), (0.36, 0.12), collar)
    _dog_head(brush.at((0, -0.45), 0.52, chance.uniform(-0.25, 0.25)), coat, chance)


def _dog_standing(brush: Brush, coat: Colour, chance: Random) -> None:
    wag = chance.uniform(-1.0, -0.55)
    brush.curve([(-0.78, -0.02), (-1.02, -0.2), (-1.08, wag)], 0.15, coat, 0.07)
    for place in (-0.48, 0.40):
        brush.line((place, 0.2), (place - 0.04, 0.86), 0.17, shade(coat, 0.72))
    for place in (-0.66, 0.58):
        brush.line((place, 0.15), (place, 0.90), 0.20, shade(coat, 0.95))
        brush.ellipse((place + 0.06, 0.92), (0.16, 0.08), blend(coat, WHITE, 0.4))
    brush.ellipse((-0.05, 0.08), (0.84, 0.36), coat)
    if chance.random() < 0.5:
        brush.ellipse((-0.2, 0.02), (0.34, 0.22), blend(coat, WHITE, 0.75))
    brush.line((0.55, 0.0), (0.75, -0.45), 0.40, coat)
    collar = chance.choice(((206, 50, 54), (40, 110, 190), (240, 190, 50)))
    brush.line((0.48, -0.12), (0.86, -0.02), 0.10, collar)
    brush.ellipse((0.78, -0.52), (0.36, 0.30), coat)
    brush.ellipse((1.10, -0.42), (0.28, 0.17), blend(coat, WHITE, 0.35))
    brush.ellipse((1.34, -0.50), (0.09, 0.08), INK)
    brush.ellipse((0.88, -0.60), (0.06, 0.06), INK)
    brush.ellipse((0.55, -0.40), (0.15, 0.34), shade(coat, 0.6), turn=0.25)


def draw_flower(brush: Brush, chance: Random) -> None:
    """Draw a flower: one large bloom, a tulip, or a small bunch."""
    petal = varied(chance.choice(_PETALS), chance)
    pose = chance.choice((_bloom, _tulips, _bunch, _bunch))
    pose(brush, petal, chance)


def _stem(
    brush: Brush, start: tuple[float, float], end: tuple[float, float], chance: Random
) -> None:
    green = varied((70, 140, 62), chance)
    bend = (end[0] + chance.uniform(-0.2, 0.2), start[1] + 1.2)
    brush.curve([start, bend, end], 0.08, green)
    for leaf in (0.7, 1.3, 2.1):
        side = chance.choice((-1, 1))
        across = start[0] + (bend[0] - start[0]) * min(1.0, leaf / 1.2)
        brush.ellipse(
            (across + side * 0.2, start[1] + leaf),
            (0.26, 0.08),
            shade(green, 0.85),
            turn=-side * 0.6,
        )


def _petal_ring(
    brush: Brush, colour: Colour, *, count: int, radius: float, breadth: float, offset: float
) -> None:
    for number in range(count):
        angle = math.tau * number / count + offset
        middle = (math.cos(angle) * radius * 0.55, math.sin(angle) * radius * 0.55)
        brush.ellipse(middle, (radius * 0.5, breadth), colour, turn=angle)


def _flower_head(brush: Brush, petal: Colour, chance: Random) -> None:
    count = chance.choice((5, 6, 8, 12, 14))
    breadth = min(0.36, 2.1 / count)
    offset = chance.uniform(0, 1)
    behind = offset + math.pi / count
    _petal_ring(brush, shade(petal, 0.85), count=count, radius=1.0, breadth=breadth, offset=behind)
    _petal_ring(brush, petal, count=count, radius=0.92, breadth=breadth, offset=offset)
    if chance.random() < 0.5:
        inner = shade(petal, 1.25)
        _petal_ring(brush, inner, count=count, radius=0.55, breadth=breadth * 0.6, offset=offset)
    heart = (246, 196, 52) if petal[2] > 90 or petal[1] < 120 else (110, 66, 34)
    brush.ellipse((0, 0), (0.24, 0.24), shade(heart, 0.8))
    brush.ellipse((0, 0), (0.19, 0.19), heart)


def _bloom(brush: Brush, petal: Colour, chance: Random) -> None:
    _stem(brush, (0, 0.2), (chance.uniform(-0.3, 0.3), _BELOW_THE_FRAME), chance)
    _flower_head(brush.at((0, -0.1), 0.95), petal, chance)


def _tulips(brush: Brush, petal: Colour, chance: Random) -> None:
    count = chance.choice((1, 2, 3))
    for number in range(count):
        across = (number - (count - 1) / 2) * 0.75
        top = chance.uniform(-0.6, -0.2)
        _stem(brush, (across, top + 0.3), (across * 0.5, _BELOW_THE_FRAME), chance)
        cup = brush.at((across, top), 0.55 if count > 1 else 0.8, chance.uniform(-0.2, 0.2))
        colour = varied(petal, chance)
        cup.ellipse((0, 0.1), (0.5, 0.62), colour)
        for side in (-1, 1):
            cup.polygon([(side * 0.5, 0.2), (side * 0.46, -0.75), (0, 0.0)], shade(colour, 0.88))
        cup.polygon([(-0.28, 0.3), (0, -0.85), (0.28, 0.3)], shade(colour, 1.15))


def _bunch(brush: Brush, petal: Colour, chance: Random) -> None:
    places = [(-0.6, -0.3), (0.55, -0.45), (0.0, 0.15), (-0.1, -0.8), (0.8, 0.3), (-0.8, 0.45)]
    chance.shuffle(places)
    chosen = places[: chance.choice((3, 4, 5))]
    for place in chosen:
        _stem(brush, place, (place[0] * 0.3, _BELOW_THE_FRAME), chance)
    second = varied(chance.choice(_PETALS), chance)
    for number, place in enumerate(chosen):
        colour = second if number % 3 == 2 else varied(petal, chance)
        _flower_head(brush.at(place, chance.uniform(0.36, 0.54)), colour, chance)


def draw_bird(brush: Brush, chance: Random) -> None:
    """Draw a bird: on a branch, in flight, or swimming."""
    plumage = varied(chance.choice(_PLUMAGES), chance)
    pose = chance.choice((_bird_perched, _bird_perched, _bird_flying, _bird_swimming))
    pose(brush, plumage, chance)


def _beak(brush: Brush, chance: Random, length: float = 0.32) -> None:
    colour = chance.choice(((240, 160, 40), (70, 60, 60), (226, 110, 40)))
    brush.polygon([(0, -0.10), (length, 0.02), (0, 0.12)], colour)


def _bird_eye(brush: Brush) -> None:
    brush.ellipse((0, 0), (0.075, 0.075), WHITE)
    brush.ellipse((0.01, 0), (0.05, 0.05), INK)


def _bird_perched(brush: Brush, plumage: Colour, chance: Random) -> None:
    bark = varied((104, 76, 54), chance)
    brush.curve([(-5, 1.3), (-0.5, 0.45), (5, 0.9)], 0.20, bark, 0.10)
    for _ in range(chance.choice((2, 3, 5))):
        across = chance.uniform(-1.6, 1.6)
        leaf = varied((88, 150, 70), chance)
        brush.ellipse((across, 0.62), (0.26, 0.10), leaf, turn=chance.uniform(-1.2, 1.2))
    dark = shade(plumage, 0.66)
    brush.polygon([(-0.5, 0.1), (-1.25, 0.62), (-1.08, 0.76), (-0.35, 0.45)], dark)
    for across in (-0.06, 0.14):
        brush.line((across, 0.5), (across, 0.74), 0.04, (210, 130, 60))
    brush.ellipse((0, 0.1), (0.62, 0.47), plumage, turn=-0.35)
    brush.ellipse((0.2, 0.2), (0.38, 0.32), blend(plumage, WHITE, 0.7), turn=-0.4)
    brush.ellipse((-0.22, 0.12), (0.46, 0.24), dark, turn=0.35)
    brush.ellipse((0.45, -0.38), (0.34, 0.32), plumage)
    _beak(brush.at((0.74, -0.38)), chance)
    _bird_eye(brush.at((0.55, -0.44)))


def _bird_flying(brush: Brush, plumage: Colour, chance: Random) -> None:
    dark = shade(plumage, 0.7)
    lift = chance.uniform(0.6, 1.15)
    brush.polygon([(0.15, -0.05), (-0.9, -lift), (-1.25, -lift * 0.7), (-0.35, 0.15)], dark)
    brush.polygon([(-0.6, 0.1), (-1.35, 0.05), (-1.25, 0.4), (-0.55, 0.28)], dark)
    brush.ellipse((0, 0.1), (0.72, 0.26), plumage, turn=-0.08)
    brush.ellipse((0.1, 0.2), (0.5, 0.15), blend(plumage, WHITE, 0.7), turn=-0.08)
    brush.polygon([(0.3, 0.0), (0.55, -lift * 0.98), (0.1, -lift * 1.15), (-0.35, 0.1)], plumage)
    brush.polygon([(0.2, -0.1), (0.42, -lift * 0.8), (0.16, -lift * 0.9), (-0.2, 0.0)], dark)
    brush.ellipse((0.72, -0.04), (0.25, 0.22), plumage)
    _beak(brush.at((0.93, -0.04), 0.8), chance)
    _bird_eye(brush.at((0.80, -0.10), 0.85))


def _bird_swimming(brush: Brush, plumage: Colour, chance: Random) -> None:
    brush.curve([(0.5, 0.2), (0.72, -0.2), (0.42, -0.5), (0.62, -0.78)], 0.26, plumage, 0.22)
    brush.polygon([(-0.6, 0.1), (-1.15, -0.22), (-0.8, 0.45)], shade(plumage, 0.7))
    brush.ellipse((-0.1, 0.32), (0.86, 0.38), plumage)
    brush.ellipse((-0.25, 0.22), (0.52, 0.22), shade(plumage, 0.75), turn=-0.12)
    brush.ellipse((0.66, -0.78), (0.25, 0.21), plumage)
    _beak(brush.at((0.86, -0.76), 1.1), chance)
    _bird_eye(brush.at((0.70, -0.83), 0.85))
    water = varied((70, 130, 170), chance)
    brush.polygon([(-8, 0.52), (8, 0.52), (8, 8), (-8, 8)], water)
    for ripple in range(5):
        down = 0.62 + ripple * 0.16
        middle = chance.uniform(-0.6, 0.6)
        brush.ellipse((middle, down), (1.0 + ripple * 0.2, 0.025), shade(water, 1.25))


def draw_car(brush: Brush, chance: Random) -> None:
    """Draw a car: saloon, van or round little one seen from the side, or its front."""
    paint = varied(chance.choice(_PAINTS), chance)
    pose = chance.choice((_saloon, _saloon, _van, _beetle, _car_front))
    pose(brush, paint, chance)


def _road(brush: Brush, chance: Random, top: float) -> None:
    tar = varied((96, 96, 102), chance)
    brush.polygon([(-6, top), (6, top), (6, 6), (-6, 6)], tar)
    for mark in range(-4, 5):
        brush.polygon(
            [
                (mark * 1.1, top + 0.45),
                (mark * 1.1 + 0.55, top + 0.45),
                (mark * 1.1 + 0.5, top + 0.53),
                (mark * 1.1 - 0.05, top + 0.53),
            ],
            (232, 226, 200),
        )


def _wheel(brush: Brush) -> None:
    brush.ellipse((0, 0), (0.27, 0.27), (28, 28, 32))
    brush.ellipse((0, 0), (0.16, 0.16), (196, 198, 204))
    brush.ellipse((0, 0), (0.06, 0.06), (110, 112, 120))


def _glass(chance: Random) -> Colour:
    return varied((176, 210, 226), chance, 12)


def _saloon(brush: Brush, paint: Colour, chance: Random) -> None:
    _road(brush, chance, 0.55)
    brush.ellipse((0, 0.74), (1.35, 0.10), (50, 50, 56), opacity=150)
    roof = chance.uniform(-0.62, -0.48)
    brush.polygon([(-0.85, -0.05), (-0.55, roof), (0.35, roof), (0.78, -0.05)], shade(paint, 0.9))
    glass = _glass(chance)
    brush.polygon([(-0.68, -0.07), (-0.47, roof + 0.1), (-0.10, roof + 0.1), (-0.10, -0.07)], glass)
    brush.polygon([(0.0, -0.07), (0.0, roof + 0.1), (0.30, roof + 0.1), (0.62, -0.07)], glass)
    brush.polygon(
        [(-1.3, 0.0), (-1.2, -0.1), (0.8, -0.1), (1.25, 0.08), (1.32, 0.5), (-1.32, 0.5)], paint
    )
    brush.line((-1.3, 0.22), (1.3, 0.22), 0.05, shade(paint, 0.75))
    brush.ellipse((1.22, 0.20), (0.09, 0.09), (255, 244, 190))
    brush.polygon([(-1.32, 0.1), (-1.22, 0.1), (-1.22, 0.28), (-1.32, 0.28)], (200, 30, 40))
    brush.line((-0.02, 0.05), (0.14, 0.05), 0.05, shade(paint, 0.55))
    for place in (-0.75, 0.75):
        brush.ellipse((place, 0.50), (0.33, 0.33), shade(paint, 0.55))
        _wheel(brush.at((place, 0.52)))


def _van(brush: Brush, paint: Colour, chance: Random) -> None:
    _road(brush, chance, 0.55)
    brush.ellipse((0, 0.76), (1.3, 0.10), (50, 50, 56), opacity=150)
    brush.polygon(
        [(-1.2, -0.7), (0.75, -0.7), (1.05, -0.1), (1.2, 0.0), (1.2, 0.52), (-1.2, 0.52)], paint
    )
    brush.polygon([(-1.2, 0.05), (1.2, 0.05), (1.2, 0.52), (-1.2, 0.52)], blend(paint, WHITE, 0.6))
    glass = _glass(chance)
    for left in (-1.08, -0.52):
        brush.polygon(
            [(left, -0.55), (left + 0.46, -0.55), (left + 0.46, -0.1), (left, -0.1)], glass
        )
    brush.polygon([(0.08, -0.55), (0.66, -0.55), (0.88, -0.08), (0.08, -0.08)], glass)
    brush.ellipse((1.12, 0.18), (0.09, 0.09), (255, 244, 190))
    for place in (-0.72, 0.72):
        brush.ellipse((place, 0.52), (0.33, 0.33), shade(paint, 0.5))
        _wheel(brush.at((place, 0.55)))


def _beetle(brush: Brush, paint: Colour, chance: Random) -> None:
    _road(brush, chance, 0.55)
    brush.ellipse((0, 0.74), (1.15, 0.10), (50, 50, 56), opacity=150)
    dome = [
        (-0.05 - 0.82 * math.cos(math.pi * step / 24), 0.3 - 0.95 * math.sin(math.pi * step / 24))
        for step in range(25)
    ]
    brush.polygon(dome, paint)
    glass = _glass(chance)
    brush.polygon([(-0.6, -0.08), (-0.42, -0.44), (-0.12, -0.52), (-0.12, -0.08)], glass)
    brush.polygon([(-0.02, -0.08), (-0.02, -0.52), (0.28, -0.46), (0.52, -0.08)], glass)
    for place in (-0.72, 0.72):
        brush.ellipse((place, 0.32), (0.44, 0.34), shade(paint, 0.88))
    brush.polygon([(-1.1, 0.35), (1.1, 0.35), (1.05, 0.6), (-1.05, 0.6)], shade(paint, 0.7))
    brush.ellipse((1.02, 0.14), (0.11, 0.13), (255, 244, 190))
    for place in (-0.72, 0.72):
        _wheel(brush.at((place, 0.52)))


def _car_front(brush: Brush, paint: Colour, chance: Random) -> None:
    _road(brush, chance, 0.5)
    for side in (-1, 1):
        brush.polygon(
            [(side * 0.92, 0.4), (side * 0.58, 0.4), (side * 0.58, 0.86), (side * 0.92, 0.86)],
            (28, 28, 32),
        )
        brush.ellipse((side * 1.02, -0.22), (0.13, 0.09), shade(paint, 0.8))
    brush.polygon([(-0.85, -0.1), (-0.6, -0.72), (0.6, -0.72), (0.85, -0.1)], shade(paint, 0.9))
    brush.polygon([(-0.72, -0.12), (-0.52, -0.6), (0.52, -0.6), (0.72, -0.12)], _glass(chance))
    brush.polygon(
        [(-1.0, 0.1), (-0.85, -0.12), (0.85, -0.12), (1.0, 0.1), (1.0, 0.6), (-1.0, 0.6)], paint
    )
    brush.polygon([(-0.42, 0.14), (0.42, 0.14), (0.36, 0.42), (-0.36, 0.42)], shade(paint, 0.4))
    for bar in (0.2, 0.28, 0.36):
        brush.line((-0.38, bar), (0.38, bar), 0.03, (200, 202, 208))
    for side in (-1, 1):
        brush.ellipse((side * 0.70, 0.22), (0.20, 0.17), (150, 152, 160))
        brush.ellipse((side * 0.70, 0.22), (0.15, 0.13), (255, 246, 205))
    brush.polygon([(-0.22, 0.46), (0.22, 0.46), (0.22, 0.58), (-0.22, 0.58)], WHITE)


def draw_scenery(brush: Brush, chance: Random) -> None:
    """Draw ranges of hills: what unrelated posts show."""
    hill = varied(chance.choice(((84, 120, 92), (90, 96, 140), (120, 100, 80))), chance)
    for layer in range(4):
        height = 0.1 + layer * 0.25
        ridge = [(step * 0.6 - 6.0, height + chance.uniform(-0.28, 0.28)) for step in range(21)]
        brush.polygon([*ridge, (6.0, 6), (-6.0, 6)], shade(hill, 1.45 - layer * 0.22))
