from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from PIL import Image, ImageFilter

from reds_pipeline.imaging.quality import GATES
from reds_pipeline.imaging.text_detection import text_share
from reds_pipeline_tests.imaging.pictures import scene
from reds_pipeline_tests.imaging.writing import page, write

_THRESHOLD = next(gate.threshold for gate in GATES if gate.name == "text_heavy")


def _share(picture: Image.Image) -> float:
    grey = picture.convert("L")
    return text_share([np.asarray(grey), np.asarray(grey.reduce(2))])


def _leaves() -> Image.Image:
    """Return as many hard strokes as writing has, without even ground between them."""
    noise = np.random.default_rng(0).integers(0, 256, (300, 400), dtype=np.uint8)
    return Image.fromarray(noise).filter(ImageFilter.GaussianBlur(1)).point(lambda v: v * 2 - 128)


def _sign() -> Image.Image:
    picture = scene(540, 405)
    picture.paste((240, 240, 220), (300, 60, 480, 180))
    write(picture, (310, 70, 470, 175), 20, (10, 10, 10))
    return picture


def _captioned() -> Image.Image:
    grain = np.random.default_rng(0).normal(0, 12, (405, 540, 3))
    noisy = np.clip(np.asarray(scene(540, 405)) + grain, 0, 255).astype(np.uint8)
    picture = Image.fromarray(noisy)
    write(picture, (20, 360, 520, 405), 30, (255, 255, 255))
    return picture


@pytest.mark.parametrize(
    "picture",
    [
        pytest.param(page(), id="document"),
        pytest.param(page(letters=11), id="small print"),
        pytest.param(page(letters=44), id="poster"),
        pytest.param(page(ink=(200, 210, 220), paper=(25, 28, 35)), id="light on dark"),
        pytest.param(page(ink=(90, 20, 20), paper=(240, 200, 120)), id="in colour"),
        pytest.param(page((1000, 300)), id="wide"),
    ],
)
def test_pages_are_writing(picture: Image.Image) -> None:
    assert _share(picture) >= _THRESHOLD


@pytest.mark.parametrize(
    "picture",
    [
        pytest.param(scene(540, 405), id="drawn scene"),
        pytest.param(_leaves(), id="strokes without even ground"),
        pytest.param(_sign(), id="photograph of a sign"),
        pytest.param(_captioned(), id="photograph with a caption"),
        pytest.param(Image.new("RGB", (400, 300), "white"), id="nothing at all"),
    ],
)
def test_pictures_with_little_writing_are_not(picture: Image.Image) -> None:
    assert _share(picture) < _THRESHOLD


def test_a_page_is_a_page_however_much_of_it_is_empty() -> None:
    mostly_empty = Image.new("RGB", (540, 675), (250, 250, 250))
    write(mostly_empty, (40, 40, 500, 240), 16, (20, 20, 20))
    assert _share(mostly_empty) >= _THRESHOLD


def test_large_letters_are_seen_in_the_reduced_picture() -> None:
    large = np.asarray(page((540, 675), letters=64).convert("L"))
    small = np.asarray(Image.fromarray(large).reduce(2))
    assert text_share([large]) < text_share([large, small])


@pytest.mark.parametrize("shape", [(1, 1), (31, 400), (400, 31)])
def test_a_picture_too_small_to_tell_has_none(shape: tuple[int, int]) -> None:
    assert text_share([np.zeros(shape, np.uint8)]) == 0.0


@given(arrays.arrays(np.uint8, st.tuples(st.integers(1, 70), st.integers(1, 70))))
def test_it_is_a_share_of_any_picture(grey: np.ndarray) -> None:
    assert 0.0 <= text_share([grey]) <= 1.0
