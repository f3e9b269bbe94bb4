from __future__ import annotations

import json

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from PIL import Image, ImageDraw

from reds_pipeline.imaging.quality import flags
from reds_pipeline.imaging.scores import (
    SCORES_VERSION,
    difference_entropy,
    picture_scores,
    transparent_share,
)
from reds_pipeline.storage.tables import SCORES
from reds_pipeline_tests.imaging.pictures import scene
from reds_pipeline_tests.imaging.writing import page

_FIGURES = ("brightness", "shadows", "highlights", "sharpness", "entropy", "text_share")


def _scores(picture: Image.Image) -> dict[str, float]:
    return picture_scores(picture.convert("L"), mode=picture.mode)


def test_the_fields_are_those_of_the_table() -> None:
    assert list(_scores(scene())) == [field.name for field in SCORES]


def test_what_is_known_of_the_file_is_passed_on() -> None:
    scores = picture_scores(scene().convert("L"), mode="CMYK", transparent_share=0.25)
    assert (scores["version"], scores["mode"]) == (SCORES_VERSION, "CMYK")
    assert scores["transparent_share"] == 0.25


def test_the_figures_can_be_written_anywhere() -> None:
    scores = _scores(scene())
    assert json.loads(json.dumps(scores)) == scores


@pytest.mark.parametrize(
    "picture", [scene(1600, 1200), page((1200, 1500), 36)], ids=["scene", "page"]
)
@pytest.mark.parametrize("scale", [0.75, 0.5, 0.4])
def test_a_smaller_copy_gets_nearly_the_same_figures(picture: Image.Image, scale: float) -> None:
    size = (round(picture.width * scale), round(picture.height * scale))
    whole = _scores(picture)
    copy = _scores(picture.resize(size, Image.Resampling.LANCZOS))
    for name, tolerance in {"brightness": 2, "sharpness": 0.04, "entropy": 0.5}.items():
        assert copy[name] == pytest.approx(whole[name], abs=tolerance), name
    assert copy["text_share"] == pytest.approx(whole["text_share"], abs=0.25)


@pytest.mark.req("R-SCR-5")
def test_spots_in_a_small_picture_are_no_writing() -> None:
    """A dalmatian of 193 pixels was dropped as text before; in half of it, spots are letters."""
    picture = scene(190, 190)
    pen = ImageDraw.Draw(picture)
    pen.rectangle((20, 20, 150, 150), (235, 235, 230))
    generator = np.random.default_rng(3)
    for _ in range(60):
        across, down = (int(place) for place in generator.integers(22, 145, 2))
        radius = int(generator.integers(2, 5))
        spot = (across - radius, down - radius, across + radius, down + radius)
        pen.ellipse(spot, (30, 25, 25))
    row = {"colour_spread": 90.0, "width": 190, "height": 190, "scores": _scores(picture)}
    assert "text_heavy" not in flags(row)


def test_a_grey_picture_that_was_reduced_already_gets_the_same_figures() -> None:
    grey = scene(1200, 900).convert("L")
    assert picture_scores(grey.reduce(3), mode="L") == picture_scores(grey, mode="L")


def test_brightness_shadows_and_highlights_of_a_known_picture() -> None:
    picture = Image.new("L", (160, 200), 100)
    picture.paste(20, (0, 0, 160, 20))
    picture.paste(240, (0, 190, 160, 200))
    scores = picture_scores(picture, mode="L")
    assert scores["brightness"] == pytest.approx(0.85 * 100 + 0.1 * 20 + 0.05 * 240)
    assert (scores["shadows"], scores["highlights"]) == (20.0, 240.0)


def test_a_few_bright_pixels_are_no_highlights() -> None:
    picture = Image.new("L", (160, 200), 10)
    picture.paste(255, (0, 0, 16, 16))
    assert picture_scores(picture, mode="L")["highlights"] == 10.0


@pytest.mark.parametrize(
    ("picture", "bits"),
    [
        pytest.param(Image.new("L", (64, 64), 90), 0.0, id="one colour"),
        pytest.param(Image.linear_gradient("L"), 1.0, id="gradient"),
        pytest.param(Image.new("L", (1, 1)), 0.0, id="a single pixel"),
    ],
)
def test_without_detail_there_are_few_bits(picture: Image.Image, bits: float) -> None:
    assert difference_entropy(np.asarray(picture)) == pytest.approx(bits, abs=0.01)


def test_equally_frequent_differences_give_all_their_bits() -> None:
    row = np.cumsum([0, 1, 2, 3, 4, 5, 6, 7]).astype(np.uint8)
    assert difference_entropy(row[np.newaxis]) == pytest.approx(np.log2(7))


@pytest.mark.parametrize("size", [(1, 1), (6000, 3), (3, 6000), (33, 2000), (5000, 5000)])
def test_any_shape_has_figures(size: tuple[int, int]) -> None:
    scores = picture_scores(Image.new("L", size, 128), mode="L")
    assert scores["brightness"] == 128.0


@given(arrays.arrays(np.uint8, st.tuples(st.integers(1, 40), st.integers(1, 40))))
def test_figures_of_any_pixels_are_in_their_ranges(grey: np.ndarray) -> None:
    scores = picture_scores(Image.fromarray(grey), mode="L")
    assert all(0 <= scores[name] <= 255 for name in _FIGURES)
    assert scores["shadows"] <= scores["highlights"]
    assert scores["sharpness"] <= 1
    assert scores["entropy"] <= 8
    assert scores["text_share"] <= 1


def _half_transparent() -> Image.Image:
    picture = scene(40, 40).convert("RGBA")
    picture.paste((0, 0, 0, 0), (0, 0, 20, 40))
    return picture


def _palette_with_transparency() -> Image.Image:
    picture = Image.new("P", (10, 10), 0)
    picture.paste(1, (0, 0, 10, 7))
    picture.info["transparency"] = 0
    return picture


def _colour_that_means_transparent() -> Image.Image:
    picture = Image.new("RGB", (10, 10), "white")
    picture.paste((1, 2, 3), (0, 0, 10, 1))
    picture.info["transparency"] = (1, 2, 3)
    return picture


@pytest.mark.req("R-SCR-5")
@pytest.mark.parametrize(
    ("picture", "share"),
    [
        pytest.param(scene(), 0.0, id="RGB"),
        pytest.param(scene().convert("RGBA"), 0.0, id="alpha that hides nothing"),
        pytest.param(_half_transparent(), 0.5, id="half cut away"),
        pytest.param(_half_transparent().convert("LA"), 0.5, id="grey with alpha"),
        pytest.param(_palette_with_transparency(), 0.3, id="palette"),
        pytest.param(_colour_that_means_transparent(), 0.1, id="a colour that means transparent"),
        pytest.param(Image.new("RGBA", (9, 9), (9, 9, 9, 200)), 0.0, id="a veil"),
        pytest.param(scene().convert("CMYK"), 0.0, id="CMYK"),
    ],
)
def test_the_transparent_share_is_found_in_every_mode(picture: Image.Image, share: float) -> None:
    assert transparent_share(picture) == pytest.approx(share)
