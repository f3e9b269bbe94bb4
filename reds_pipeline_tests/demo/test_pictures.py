from __future__ import annotations

import io

import imagehash
import numpy as np
import pytest
from PIL import Image

from reds_pipeline.demo.pictures import (
    DRAWN_CLASSES,
    SCENERY,
    DrawnPictures,
    draw_picture,
    picture_file,
    picture_size,
)

MEASURED_A_CLASS = 30


@pytest.fixture(scope="module")
def sample() -> dict[tuple[str, int], Image.Image]:
    """The first pictures of each class, as a client decodes them."""
    return {
        (name, number): Image.open(io.BytesIO(picture_file(name, number)))
        for name in DRAWN_CLASSES
        for number in range(MEASURED_A_CLASS)
    }


def test_the_five_classes_are_drawn() -> None:
    assert set(DRAWN_CLASSES) == {"cat", "dog", "flower", "bird", "car"}


@pytest.mark.parametrize("class_name", [*DRAWN_CLASSES, SCENERY])
def test_a_picture_is_the_same_whenever_it_is_drawn(class_name: str) -> None:
    first, second = draw_picture(class_name, 7), draw_picture(class_name, 7)
    assert np.array_equal(np.asarray(first), np.asarray(second))
    assert first.size == picture_size(class_name, 7)


def test_no_two_pictures_are_near_to_a_perceptual_hash(
    sample: dict[tuple[str, int], Image.Image],
) -> None:
    bits = np.array([imagehash.phash(image).hash.ravel() for image in sample.values()])
    distances = (bits[:, None] != bits[None]).sum(axis=2)
    np.fill_diagonal(distances, 64)
    assert distances.min() > 8, "the near-duplicate radius would take them for copies"


def test_no_picture_passes_for_greyscale(sample: dict[tuple[str, int], Image.Image]) -> None:
    for key, image in sample.items():
        small = np.asarray(image.convert("RGB").resize((64, 64))).astype(int)
        spread = np.percentile(np.ptp(small, axis=2), 99)
        assert spread > 30, key


def test_pictures_vary_in_size_and_shape_within_bounds(
    sample: dict[tuple[str, int], Image.Image],
) -> None:
    sizes = {image.size for image in sample.values()}
    aspects = [width / height for width, height in sizes]
    assert len(sizes) > MEASURED_A_CLASS
    assert all(300 <= max(size) <= 900 for size in sizes)
    assert min(aspects) >= 0.59
    assert max(aspects) <= 1.81
    assert min(aspects) < 0.8
    assert max(aspects) > 1.25


def test_spare_pictures_begin_after_the_clean_ones() -> None:
    source = DrawnPictures(12)
    assert source.spare_picture("cat", 0) not in source.clean_pictures("cat")
    assert len(source.clean_pictures("cat")) == 12
