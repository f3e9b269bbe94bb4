"""JPEG files for measurements: as large and as hard to decode as photographs, and all different.

What belongs here: making the files. What does not: serving them (``host.py``).
"""

from __future__ import annotations

import sys
from io import BytesIO
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw, ImageFilter

# What Pixelfed makes of uploads (fediverse.md 4).
_SIZES = ((1080, 1350), (1920, 1080), (1080, 1080))
_SHAPES = 60
_GRAIN = 9.0
# JFIF keeps a density of 16 bits behind its marker and its units. It says nothing about pixels,
# and the examination keeps it, so that each value makes another file of the same picture.
_DENSITY = 14


def drawn_jpeg(number: int) -> bytes:
    """Return one drawn picture with the grain of a sensor, 250 to 450 kB."""
    generator = np.random.default_rng(number)
    width, height = _SIZES[number % len(_SIZES)]
    picture = Image.new("RGB", (width, height), _colour(generator))
    pen = ImageDraw.Draw(picture)
    for _ in range(_SHAPES):
        x, y = (int(generator.integers(0, side)) for side in (width, height))
        radius = int(generator.integers(20, 400))
        pen.ellipse((x - radius, y - radius, x + radius, y + radius), fill=_colour(generator))
    smooth = np.asarray(picture.filter(ImageFilter.GaussianBlur(2)), dtype=np.float32)
    grain = generator.normal(0, _GRAIN, (height, width, 1))
    file = BytesIO()
    Image.fromarray(np.clip(smooth + grain, 0, 255).astype(np.uint8)).save(file, "JPEG", quality=78)
    return file.getvalue()


def variant(jpeg: bytes, number: int) -> bytes:
    """Return the same picture as a file of its own; ``number`` is below 65,535."""
    return jpeg[:_DENSITY] + (number + 1).to_bytes(2, "big") + jpeg[_DENSITY + 2 :]


def make_pictures(directory: Path, count: int) -> None:
    """Write ``count`` drawn pictures, numbered from 0, unless they are there already."""
    directory.mkdir(parents=True, exist_ok=True)
    for number in range(count):
        path = directory / f"{number}.jpg"
        if not path.exists():
            path.write_bytes(drawn_jpeg(number))


def _colour(generator: np.random.Generator) -> tuple[int, int, int]:
    red, green, blue = (int(value) for value in generator.integers(0, 255, 3))
    return (red, green, blue)


if __name__ == "__main__":
    where, how_many = sys.argv[1:]
    make_pictures(Path(where), int(how_many))
