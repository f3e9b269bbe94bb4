"""Real photographs made worse on purpose, each fault at several strengths.

What belongs here: the faults and which gate should see them. What does not: pictures of writing
(``written_pictures.py``) and measuring (``quality_gates.py``).
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from io import BytesIO
from random import Random

import numpy as np
from PIL import Image, ImageChops, ImageEnhance, ImageFilter, ImageOps

from benchmarks import written_pictures

_JPEG_QUALITY = 85
# Blur is given in pixels of a picture of 224 on its shorter side, as a model sees it.
_MODEL_SIDE = 224
_Change = Callable[[Image.Image, Random], Image.Image]


@dataclass(frozen=True)
class Fault:
    """One way to spoil a photograph.

    Attributes:
        gate: The gate that should hit.
        name: Of the fault with its strength.
        expected: Whether the gate should hit; otherwise the picture is near the fault but fine.
        make: Returns a new file from the photograph.
    """

    gate: str
    name: str
    expected: bool
    make: Callable[[Image.Image, Random], bytes]


def jpeg(picture: Image.Image, quality: int = _JPEG_QUALITY) -> bytes:
    """Return a picture as a JPEG file."""
    file = BytesIO()
    picture.save(file, "JPEG", quality=quality)
    return file.getvalue()


def png(picture: Image.Image) -> bytes:
    """Return a picture as a PNG file."""
    file = BytesIO()
    picture.save(file, "PNG")
    return file.getvalue()


def all_faults() -> list[Fault]:
    """Return every fault, those of one gate together."""
    return [*_colours(), *_shapes(), *_tones(), *_blurs(), *_writings()]


def _fault(gate: str, name: str, change: _Change, expected: bool = True) -> Fault:
    return Fault(gate, name, expected, lambda photo, random: jpeg(change(photo, random)))


def _colours() -> list[Fault]:
    def grey(photo: Image.Image, _random: Random) -> Image.Image:
        return photo.convert("L").convert("RGB")

    def tinted(photo: Image.Image, _random: Random) -> Image.Image:
        red, green, blue = grey(photo, _random).split()
        return Image.merge("RGB", (red, green, blue.point(lambda value: round(value * 0.98))))

    def sepia(photo: Image.Image, _random: Random) -> Image.Image:
        return ImageOps.colorize(photo.convert("L"), "#201000", "#fff0d0")

    def cut_out(share: float) -> Callable[[Image.Image, Random], bytes]:
        def make(photo: Image.Image, _random: Random) -> bytes:
            alpha = Image.new("L", photo.size, 255)
            alpha.paste(0, (0, 0, photo.width, round(photo.height * share)))
            layer = photo.copy()
            layer.putalpha(alpha)
            return png(layer)

        return make

    return [
        _fault("greyscale", "grey in RGB", grey),
        Fault("greyscale", "grey in RGB, quality 30", True, lambda p, r: jpeg(grey(p, r), 30)),
        Fault("greyscale", "grey, one channel", True, lambda p, _: jpeg(p.convert("L"))),
        _fault("greyscale", "grey with 2 % less blue", tinted),
        _fault("greyscale", "sepia", sepia, expected=False),
        Fault("cmyk", "CMYK", True, lambda p, _: jpeg(p.convert("CMYK"))),
        Fault("transparent", "10 % cut away", True, cut_out(0.1)),
        Fault("transparent", "50 % cut away", True, cut_out(0.5)),
        Fault("transparent", "alpha, all opaque", False, cut_out(0.0)),
    ]


def _shapes() -> list[Fault]:
    def strip(ratio: float) -> _Change:
        def change(photo: Image.Image, random: Random) -> Image.Image:
            upright = random.random() < 0.5
            # Cut from an enlarged copy, so that the strip is not tiny as well.
            large = photo.resize((photo.width * 2, photo.height * 2), Image.Resampling.BICUBIC)
            length = min(large.size) if upright is (large.height < large.width) else max(large.size)
            across = round(length / ratio)
            size = (across, length) if upright else (length, across)
            return ImageOps.fit(large, size)

        return change

    def small(side: int) -> _Change:
        def change(photo: Image.Image, _random: Random) -> Image.Image:
            return photo.resize(_scaled(photo, side), Image.Resampling.LANCZOS)

        return change

    return [
        _fault("extreme_aspect", "5 : 1", strip(5)),
        _fault("extreme_aspect", "3.2 : 1", strip(3.2)),
        _fault("extreme_aspect", "2.5 : 1", strip(2.5), expected=False),
        _fault("tiny", "48 pixels", small(48)),
        _fault("tiny", "96 pixels", small(96)),
        _fault("tiny", "128 pixels", small(128), expected=False),
    ]


def _tones() -> list[Fault]:
    def darker(factor: float) -> _Change:
        return lambda photo, _random: ImageEnhance.Brightness(photo).enhance(factor)

    def paler(share: float) -> _Change:
        return lambda photo, _random: Image.blend(
            photo, Image.new("RGB", photo.size, "white"), share
        )

    def one_colour(photo: Image.Image, random: Random) -> Image.Image:
        return Image.new("RGB", photo.size, tuple(random.randint(40, 215) for _ in range(3)))

    def gradient(photo: Image.Image, random: Random) -> Image.Image:
        ramp = random.choice((Image.linear_gradient("L"), Image.radial_gradient("L")))
        ramp = ramp.rotate(random.choice((0, 90, 180))).resize(photo.size)
        return Image.composite(one_colour(photo, random), one_colour(photo, random), ramp)

    def wall(photo: Image.Image, random: Random) -> Image.Image:
        grain = np.random.default_rng(random.randrange(1 << 30)).normal(0, 1.5, (*photo.size, 1))
        smooth = np.asarray(gradient(photo, random), dtype=np.float32)
        return Image.fromarray(np.clip(smooth + grain.swapaxes(0, 1), 0, 255).astype(np.uint8))

    return [
        *(_fault("dark", f"brightness x {factor}", darker(factor)) for factor in (0.05, 0.1, 0.2)),
        _fault("dark", "brightness x 0.5", darker(0.5), expected=False),
        *(_fault("bright", f"{share:.0%} white over it", paler(share)) for share in (0.95, 0.85)),
        _fault("bright", "50% white over it", paler(0.5), expected=False),
        _fault("flat", "one colour", one_colour),
        _fault("flat", "gradient", gradient),
        _fault("flat", "gradient with grain of 1.5", wall),
    ]


def _blurs() -> list[Fault]:
    def gaussian(sigma: float) -> _Change:
        def change(photo: Image.Image, _random: Random) -> Image.Image:
            radius = sigma * min(photo.size) / _MODEL_SIDE
            return photo.filter(ImageFilter.GaussianBlur(radius))

        return change

    def motion(length: int) -> _Change:
        def change(photo: Image.Image, random: Random) -> Image.Image:
            steps = max(2, round(length * min(photo.size) / _MODEL_SIDE))
            angle = random.uniform(0, math.pi)
            total = np.zeros((photo.height, photo.width, 3), np.float32)
            for step in range(steps):
                along = (math.cos(angle) * step, math.sin(angle) * step)
                total += np.asarray(ImageChops.offset(photo, round(along[0]), round(along[1])))
            return Image.fromarray((total / steps).astype(np.uint8))

        return change

    def enlarged(side: int) -> _Change:
        def change(photo: Image.Image, _random: Random) -> Image.Image:
            thumbnail = photo.resize(_scaled(photo, side), Image.Resampling.LANCZOS)
            return thumbnail.resize(photo.size, Image.Resampling.BICUBIC)

        return change

    return [
        *(
            _fault("blurry", f"Gaussian, sigma {sigma}", gaussian(sigma))
            for sigma in (4, 3, 2, 1.5)
        ),
        _fault("blurry", "Gaussian, sigma 0.5", gaussian(0.5), expected=False),
        *(_fault("blurry", f"motion of {length}", motion(length)) for length in (24, 16, 8)),
        *(_fault("blurry", f"enlarged from {side}", enlarged(side)) for side in (32, 48, 64)),
        _fault("blurry", "enlarged from 160", enlarged(160), expected=False),
    ]


def _writings() -> list[Fault]:
    def drawn(draw: Callable[[Random], Image.Image]) -> Callable[[Image.Image, Random], bytes]:
        def make(_photo: Image.Image, random: Random) -> bytes:
            # Telephones share screenshots as PNG, hosts often turn them into JPEG.
            return random.choice((jpeg, png))(draw(random))

        return make

    def over(draw: Callable[[Random, Image.Image], Image.Image]) -> _Change:
        return lambda photo, random: draw(random, photo)

    return [
        *(
            Fault("text_heavy", name, True, drawn(draw))
            for name, draw in written_pictures.DRAWN.items()
        ),
        *(
            _fault("text_heavy", name, over(draw))
            for name, draw in written_pictures.WITH_PHOTOGRAPH.items()
        ),
        *(
            _fault("text_heavy", f"photograph with a {name}", over(draw), expected=False)
            for name, draw in written_pictures.PHOTOGRAPHS.items()
        ),
    ]


def _scaled(photo: Image.Image, shorter_side: int) -> tuple[int, int]:
    scale = shorter_side / min(photo.size)
    return max(1, round(photo.width * scale)), max(1, round(photo.height * scale))
