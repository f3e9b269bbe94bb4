from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from PIL import Image, ImageFilter

from reds_pipeline.imaging.sharpness import byte_distance, sharpness
from reds_pipeline_tests.imaging.pictures import scene


def _grey(seed: int = 0) -> Image.Image:
    """Return a picture with detail in every corner."""
    grain = np.random.default_rng(seed).normal(0, 12, (160, 240))
    plain = np.asarray(scene(240, 160, seed).convert("L"), dtype=np.float64)
    return Image.fromarray(np.clip(plain + grain, 0, 255).astype(np.uint8))


def _sharpness(picture: Image.Image) -> float:
    return sharpness(np.asarray(picture))


@pytest.mark.parametrize("seed", range(3))
def test_the_more_a_picture_is_blurred_the_lower_the_figure(seed: int) -> None:
    radii = (0.0, 0.7, 1.5, 3.0)
    blurred = [_grey(seed).filter(ImageFilter.GaussianBlur(radius)) for radius in radii]
    found = [_sharpness(each) for each in blurred]
    assert found == sorted(found, reverse=True)
    assert found[0] > 0.5
    assert found[-1] < 0.25


@pytest.mark.parametrize("size", [(9, 1), (1, 9)], ids=["sideways", "up and down"])
def test_motion_in_one_direction_is_blur(size: tuple[int, int]) -> None:
    smeared = np.asarray(_grey().filter(ImageFilter.BoxBlur((size[0] // 2, size[1] // 2))))
    assert sharpness(smeared) < _sharpness(_grey()) / 2


def test_a_turned_picture_is_as_sharp() -> None:
    turned = _grey().transpose(Image.Transpose.ROTATE_90)
    assert _sharpness(turned) == pytest.approx(_sharpness(_grey()))


def test_low_contrast_is_not_blur() -> None:
    faded = _grey().point(lambda value: 100 + value // 4)
    assert _sharpness(faded) == pytest.approx(_sharpness(_grey()), abs=0.1)


@pytest.mark.parametrize("shape", [(1, 1), (4, 200), (5, 5), (200, 3), (160, 160)])
def test_without_anything_to_see_it_is_zero(shape: tuple[int, int]) -> None:
    assert sharpness(np.full(shape, 77, np.uint8)) == 0.0


@given(arrays.arrays(np.uint8, st.tuples(st.integers(1, 20), st.integers(1, 20))))
def test_it_is_a_share_of_any_picture(grey: np.ndarray) -> None:
    assert 0.0 <= sharpness(grey) <= 1.0


@given(arrays.arrays(np.uint8, (2, 6)))
def test_the_distance_of_bytes_does_not_wrap_round(pair: np.ndarray) -> None:
    expected = np.abs(pair[0].astype(int) - pair[1].astype(int))
    assert byte_distance(pair[0], pair[1]).tolist() == expected.tolist()
