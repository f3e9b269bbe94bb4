from __future__ import annotations

import subprocess
import sys
from io import BytesIO
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageColor

from reds_pipeline.drawing import (
    PALETTE,
    SMALL_BYTES,
    can_be_drawn,
    ink_on,
    new_figure,
    png,
    quiet_axes,
    small_png,
)
from reds_pipeline_tests.figure_checks import pixels


def drawing(points: int) -> bytes:
    """A figure that is the larger as a file the more points are in it."""
    figure = new_figure(8, 6)
    axes = figure.add_subplot()
    places = np.random.default_rng(0).normal(size=(points, 2))
    for number, colour in enumerate(PALETTE):
        across, up = places[number :: len(PALETTE)].T
        axes.scatter(across, up, s=4, color=colour)
    return png(figure)


def test_a_drawing_that_is_small_enough_stays_as_it_is() -> None:
    small = drawing(10)
    assert small_png(small) is small


@pytest.mark.parametrize("limit", [SMALL_BYTES, 20_000])
def test_a_large_drawing_becomes_small_enough(limit: int) -> None:
    large = drawing(20_000)
    assert len(large) > limit
    small = small_png(large, limit)
    assert len(small) <= limit
    assert pixels(small).shape[0] >= 64


def test_a_small_drawing_keeps_its_colours() -> None:
    """A palette of the most frequent colours alone would lose what covers little."""
    large = drawing(3000)
    small = small_png(large, len(large) - 1)
    seen = pixels(small).reshape(-1, 3).astype(int)
    for colour in PALETTE:
        wanted = [int(colour[start : start + 2], 16) for start in (1, 3, 5)]
        assert np.abs(seen - wanted).max(axis=1).min() < 40, colour


def test_what_cannot_fit_is_refused() -> None:
    noise = np.random.default_rng(0).integers(0, 256, (128, 128, 3), dtype=np.uint8)
    file = BytesIO()
    Image.fromarray(noise).save(file, "PNG")
    with pytest.raises(ValueError, match="does not fit"):
        small_png(file.getvalue(), 300)


def test_the_same_drawing_gives_the_same_bytes() -> None:
    assert drawing(50) == drawing(50)


def test_words_that_would_be_boxes_are_known() -> None:
    assert can_be_drawn("Été фото cat")
    assert can_be_drawn("")
    # A private letter, which no font has.
    assert not can_be_drawn("\ue1a0cat")


@pytest.mark.parametrize("colour", PALETTE)
def test_ink_has_the_contrast_that_small_print_needs(colour: str) -> None:
    """4 to 1 and more; the guidelines of the web ask for 4.5 of text and 3 of large letters."""

    def luminance(name: str) -> float:
        shares = np.array(ImageColor.getrgb(name)) / 255
        linear = np.where(shares <= 0.03928, shares / 12.92, ((shares + 0.055) / 1.055) ** 2.4)
        return float(linear @ [0.2126, 0.7152, 0.0722])

    darker, lighter = sorted([luminance(colour), luminance(ink_on(colour))])
    assert (lighter + 0.05) / (darker + 0.05) >= 4


@pytest.mark.parametrize(("grid", "lines"), [("", 0), ("x", 1), ("y", 1)])
def test_a_grid_runs_along_one_axis(grid: str, lines: int) -> None:
    axes = new_figure(4, 4).add_subplot()
    quiet_axes(axes, grid=grid)
    shown = [axis.get_gridlines()[0].get_visible() for axis in (axes.xaxis, axes.yaxis)]
    assert sum(shown) == lines


def test_pyplot_is_never_imported() -> None:
    """It would pick a window system and keep every figure alive."""
    program = """
import sys
from reds_pipeline.funnel import count_funnel
from reds_pipeline.funnel_figure import funnel_figure
from reds_pipeline.imaging.figures import size_figure
from reds_pipeline.lexicon.figures import word_columns_figure
funnel_figure({"cat": count_funnel("cat", [], [], [], [])}, "funnel")
size_figure({"cat": [(640, 480)]}, "sizes")
word_columns_figure([("cat", 3)], [], "words")
sys.exit("imported pyplot" if "matplotlib.pyplot" in sys.modules else 0)
"""
    done = subprocess.run(
        [sys.executable, "-c", program],
        cwd=Path(__file__).parents[1],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
