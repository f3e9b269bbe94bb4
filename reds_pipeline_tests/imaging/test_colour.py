from __future__ import annotations

from io import BytesIO

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from PIL import Image, ImageOps

from reds_pipeline.imaging.colour import colour_spread
from reds_pipeline.imaging.quality import flags
from reds_pipeline_tests.imaging.pictures import encoded, scene


def _is_grey(picture: Image.Image) -> bool:
    return flags({"colour_spread": colour_spread(picture)}) == ["greyscale"]


def _through_jpeg(picture: Image.Image, quality: int) -> Image.Image:
    return Image.open(BytesIO(encoded(picture, "JPEG", quality=quality))).convert("RGB")


def _grey(seed: int = 0) -> Image.Image:
    return scene(400, 300, seed).convert("L").convert("RGB")


def _warmed(strength: float) -> Image.Image:
    """Return a grey picture tinted towards blue and yellow by the same share of its brightness."""
    bands = _grey().split()
    return Image.merge("RGB", (bands[0], bands[1], bands[2].point(lambda value: value * strength)))


def _rose_in_grey() -> Image.Image:
    picture = _grey()
    picture.paste((200, 20, 40), (180, 130, 230, 180))
    return picture


@pytest.mark.req("R-SCR-5")
@pytest.mark.parametrize(
    ("picture", "grey"),
    [
        pytest.param(_grey(), True, id="three equal channels"),
        pytest.param(_through_jpeg(_grey(), 90), True, id="as a colour JPEG"),
        pytest.param(_through_jpeg(_grey(1), 30), True, id="as a bad colour JPEG"),
        pytest.param(_warmed(0.99), True, id="a tint that nobody sees"),
        pytest.param(Image.new("RGB", (64, 64), "black"), True, id="black"),
        pytest.param(
            ImageOps.colorize(scene().convert("L"), "#201000", "#fff0d0"), False, id="sepia"
        ),
        pytest.param(_warmed(0.7), False, id="yellowed"),
        pytest.param(_rose_in_grey(), False, id="one coloured object in a grey scene"),
        pytest.param(scene(), False, id="colour"),
        pytest.param(_through_jpeg(scene(), 30), False, id="colour in a bad JPEG"),
    ],
)
def test_grey_is_told_from_colour(picture: Image.Image, grey: bool) -> None:
    assert _is_grey(picture) is grey


def test_the_figure_is_the_distance_between_the_channels() -> None:
    assert colour_spread(Image.new("RGB", (300, 40), (10, 90, 250))) == 240.0


def test_a_few_coloured_pixels_do_not_count() -> None:
    picture = _grey()
    picture.paste((255, 0, 0), (0, 0, 12, 12))
    assert _is_grey(picture)


@given(
    arrays.arrays(np.uint8, st.tuples(st.integers(1, 30), st.integers(1, 30), st.just(3))),
)
def test_it_is_the_percentile_of_the_distances(pixels: np.ndarray) -> None:
    distances = pixels.max(axis=2) - pixels.min(axis=2)
    expected = float(np.percentile(distances, 99))
    assert colour_spread(Image.fromarray(pixels)) == pytest.approx(expected)
