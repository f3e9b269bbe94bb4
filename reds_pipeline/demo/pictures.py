"""The drawn pictures of the demo town: a subject on a background, encoded as a JPEG.

Belongs here: composition, variety and the picture source made of it. A picture depends on its
class and number alone, not on the town's seed, so that what was measured once stays true.
"""

from __future__ import annotations

import io
import math
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from random import Random

from PIL import Image, ImageEnhance

from reds_pipeline.demo import subjects, surroundings
from reds_pipeline.demo.brush import SUPERSAMPLING, Brush, Colour, shade, soft_background, varied
from reds_pipeline.demo.posts import Picture

SCENERY = "scenery"
"""The subject of posts that show none of the classes."""


_Drawing = Callable[[Brush, Random], None]


@dataclass(frozen=True)
class _Subject:
    """How one class is pictured.

    Attributes:
        draw: Draws the subject itself.
        places: What may lie behind it, by chance; likelier ones stand more often.
        backdrops: Upper and lower colours behind everything.
        tilt: Standard deviation of the turn, in degrees.
        casts_shadow: Whether it stands on something.
    """

    draw: _Drawing
    places: tuple[_Drawing, ...]
    backdrops: tuple[tuple[Colour, Colour], ...]
    tilt: float
    casts_shadow: bool = False


_SUBJECTS: dict[str, _Subject] = {
    "cat": _Subject(
        subjects.draw_cat,
        (surroundings.room, surroundings.room, surroundings.room, surroundings.lawn),
        (
            ((216, 196, 172), (150, 118, 96)),
            ((150, 170, 180), (90, 96, 110)),
            ((226, 206, 150), (150, 110, 90)),
            ((180, 150, 170), (100, 80, 100)),
            ((140, 170, 140), (90, 110, 90)),
        ),
        tilt=6,
        casts_shadow=True,
    ),
    "dog": _Subject(
        subjects.draw_dog,
        (surroundings.lawn, surroundings.lawn, surroundings.lawn, surroundings.room),
        (
            ((150, 196, 226), (150, 190, 150)),
            ((232, 214, 180), (180, 150, 100)),
            ((176, 206, 216), (130, 170, 110)),
            ((240, 196, 160), (150, 130, 90)),
            ((160, 170, 186), (110, 120, 110)),
        ),
        tilt=4,
        casts_shadow=True,
    ),
    "flower": _Subject(
        subjects.draw_flower,
        (surroundings.leaves, surroundings.leaves, surroundings.lawn, surroundings.room),
        (
            ((120, 164, 96), (44, 84, 48)),
            ((70, 104, 72), (26, 48, 34)),
            ((176, 206, 222), (96, 140, 84)),
            ((206, 200, 156), (110, 136, 76)),
            ((96, 90, 116), (44, 62, 54)),
        ),
        tilt=8,
    ),
    "bird": _Subject(
        subjects.draw_bird,
        (surroundings.sky, surroundings.sky, surroundings.leaves),
        (
            ((140, 192, 236), (214, 232, 244)),
            ((206, 216, 224), (156, 172, 190)),
            ((248, 206, 164), (160, 176, 210)),
            ((160, 186, 130), (96, 132, 96)),
            ((110, 150, 196), (190, 208, 206)),
        ),
        tilt=6,
    ),
    "car": _Subject(
        subjects.draw_car,
        (surroundings.street, surroundings.street, surroundings.lawn),
        (
            ((160, 196, 230), (206, 210, 210)),
            ((236, 190, 150), (190, 150, 150)),
            ((140, 150, 170), (120, 126, 140)),
            ((196, 214, 206), (150, 170, 160)),
            ((60, 70, 112), (150, 110, 130)),
        ),
        tilt=2,
    ),
    SCENERY: _Subject(
        subjects.draw_scenery,
        (surroundings.sky,),
        (
            ((250, 190, 120), (170, 120, 160)),
            ((150, 190, 230), (230, 230, 220)),
            ((70, 80, 130), (200, 120, 120)),
        ),
        tilt=0,
    ),
}

_SALT = "town-2"
"""Chosen so that pictures are far from one another to a perceptual hash: among the first 185 of
each class, more than the default town shows, the nearest two differ in 12 of 64 bits. To be chosen
anew whenever a drawing changes; a test measures the first 30."""

_BLUR = 12
"""How many times smaller than the canvas backgrounds are painted."""

DRAWN_CLASSES = tuple(name for name in _SUBJECTS if name != SCENERY)
"""The classes that can be drawn."""


def _chance(class_name: str, number: int) -> Random:
    return Random(f"{_SALT}/{class_name}/{number}")


def picture_size(class_name: str, number: int) -> tuple[int, int]:
    """Return width and height of a drawn picture in pixels without drawing it."""
    chance = _chance(class_name, number)
    longer = chance.randint(300, 640) if chance.random() < 0.85 else chance.randint(640, 900)
    aspect = chance.choice((1.0, 4 / 3, 3 / 4, 3 / 2, 2 / 3, chance.uniform(0.6, 1.8)))
    if aspect >= 1:
        return longer, round(longer / aspect)
    return round(longer * aspect), longer


def draw_picture(class_name: str, number: int) -> Image.Image:
    """Draw one picture; the same class and number give the same pixels.

    Args:
        class_name: One of ``DRAWN_CLASSES`` or ``SCENERY``.
        number: Which variation, from 0.

    Returns:
        An RGB picture of ``picture_size(class_name, number)``.
    """
    subject = _SUBJECTS[class_name]
    width, height = picture_size(class_name, number)
    chance = _chance(class_name, number + 1_000_000)
    canvas = (width * SUPERSAMPLING, height * SUPERSAMPLING)
    image = _background(canvas, subject, chance)
    brush = Brush(
        image,
        centre=(canvas[0] * chance.uniform(0.32, 0.68), canvas[1] * chance.uniform(0.4, 0.62)),
        scale=min(canvas) * chance.uniform(0.26, 0.46),
        turn=math.radians(chance.gauss(0, subject.tilt)),
        mirrored=chance.random() < 0.5,
    )
    if subject.casts_shadow:
        brush.ellipse((0.05, 0.98), (0.95, 0.13), (30, 26, 30), opacity=80)
    subject.draw(brush, chance)
    return _light(image.reduce(SUPERSAMPLING), chance)


def _background(size: tuple[int, int], subject: _Subject, chance: Random) -> Image.Image:
    """Return a place out of focus: painted small over soft colours, then enlarged."""
    upper, lower = chance.choice(subject.backdrops)
    rows = [
        [varied(shade(colour, chance.uniform(0.7, 1.15)), chance, 14) for _ in range(4)]
        for colour in (upper, upper, lower, lower)
    ]
    small_size = (max(1, size[0] // _BLUR), max(1, size[1] // _BLUR))
    small = soft_background(small_size, rows)
    middle = (small_size[0] / 2, small_size[1] / 2)
    place = chance.choice(subject.places)
    place(Brush(small, middle, max(middle), mirrored=chance.random() < 0.5), chance)
    return small.resize(size, Image.Resampling.BICUBIC)


def _light(image: Image.Image, chance: Random) -> Image.Image:
    """Lay uneven light and a little grain over a picture, as a lens would."""
    levels = [[(level := chance.randint(0, 255), level, level) for _ in range(3)] for _ in range(3)]
    light = soft_background(image.size, levels)
    lit = Image.blend(image, light, 0.14)
    grain = Image.frombytes("L", (96, 96), chance.randbytes(96 * 96))
    noise = grain.resize(image.size, Image.Resampling.NEAREST).convert("RGB")
    grainy = Image.blend(lit, noise, 0.03)
    return ImageEnhance.Color(grainy).enhance(chance.uniform(1.1, 1.6))


@lru_cache(maxsize=2048)
def picture_file(class_name: str, number: int) -> bytes:
    """Return the JPEG of a drawn picture, drawn once in a process (60 kB each at most)."""
    quality = _chance(class_name, number + 2_000_000).randint(80, 92)
    buffer = io.BytesIO()
    draw_picture(class_name, number).save(buffer, "JPEG", quality=quality)
    return buffer.getvalue()


class DrawnPictures:
    """A picture source that draws everything; it never runs out."""

    def __init__(self, images_per_class: int = 110) -> None:
        """Offer this many clean pictures of each class."""
        self._images_per_class = images_per_class

    @property
    def class_names(self) -> list[str]:
        """The classes that can be drawn."""
        return list(DRAWN_CLASSES)

    @property
    def redraws(self) -> bool:
        """Drawn pictures may be uploaded in any format and orientation."""
        return True

    def clean_pictures(self, class_name: str) -> list[Picture]:
        """Return the first variations of a class."""
        return [Picture(class_name, number) for number in range(self._images_per_class)]

    def spare_picture(self, class_name: str, index: int) -> Picture:
        """Return a variation after the clean ones."""
        return Picture(class_name, self._images_per_class + index)

    def extension(self, _picture: Picture) -> str:
        """Return ``jpg``, whatever the picture."""
        return "jpg"

    def size(self, picture: Picture) -> tuple[int, int]:
        """Return width and height in pixels."""
        return picture_size(picture.class_name, picture.number)

    def read(self, picture: Picture) -> bytes:
        """Return the JPEG file."""
        return picture_file(picture.class_name, picture.number)
