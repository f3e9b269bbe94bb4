"""What the tests of all figures ask of a picture."""

from __future__ import annotations

from io import BytesIO

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageColor

from reds_pipeline.drawing import PALETTE


def pixels(png: bytes) -> NDArray[np.uint8]:
    """The pixels of a PNG, (height, width, 3)."""
    with Image.open(BytesIO(png)) as image:
        assert image.format == "PNG"
        return np.asarray(image.convert("RGB"))


def coloured(png: bytes, colour: str) -> int:
    """How many pixels have exactly this colour, given as ``#rrggbb``."""
    return int((pixels(png) == np.array(ImageColor.getrgb(colour))).all(axis=2).sum())


def assert_readable(png: bytes, longest: int = 2000) -> None:
    """Assert that a figure has a size fit for a screen, and ink, and clean edges."""
    drawn = pixels(png)
    assert all(180 <= side <= longest for side in drawn.shape[:2]), drawn.shape
    assert len(np.unique(drawn.astype(np.int64) @ [65536, 256, 1])) > 20
    edges = np.concatenate([drawn[0], drawn[-1], drawn[:, 0], drawn[:, -1]])
    assert (edges == 255).all(), "something is cut off at an edge"


BLUE, ORANGE, GREEN = PALETTE[:3]
