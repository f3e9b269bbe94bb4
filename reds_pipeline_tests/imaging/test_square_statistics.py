from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from reds_pipeline.imaging.square_statistics import ChannelExtremes, square_statistics

Batch = tuple[list[str], NDArray[np.uint8]]


def squares(count: int, seed: int = 0, side: int = 6) -> NDArray[np.uint8]:
    return np.random.default_rng(seed).integers(3, 250, (count, side, side, 3), dtype=np.uint8)


def in_batches(names: list[str], rows: NDArray[np.uint8], size: int) -> Iterator[Batch]:
    for start in range(0, len(rows), size):
        yield names[start : start + size], rows[start : start + size]


@pytest.mark.req("R-IMG-8")
def test_the_dynamic_range_is_measured_picture_by_picture() -> None:
    rows = np.zeros((2, 4, 4, 3), dtype=np.uint8)
    rows[0, 0, 0, 1] = 255
    rows[1] = 100
    rows[1, 2, 3, 2] = 205
    spread = square_statistics([(["cat", "cat"], rows)]).dynamic_range
    assert (spread.mean, spread.standard_deviation, spread.maximum) == (180.0, 75.0, 255)


@pytest.mark.req("R-IMG-7")
def test_sides_and_pixels_of_the_squares() -> None:
    found = square_statistics([(["cat"], squares(1, side=224)), (["dog"], squares(1, side=224))])
    assert (found.smallest, found.largest, found.pixels) == ((224, 224), (224, 224), 50_176)
    assert found.images == 2


@pytest.mark.req("R-IMG-7")
def test_a_square_of_another_size_would_show() -> None:
    found = square_statistics([(["cat"], squares(1, side=224)), (["dog"], squares(1, side=100))])
    assert (found.smallest, found.largest) == ((100, 100), (224, 224))


@pytest.mark.req("R-IMG-9")
def test_the_channels_before_and_after_division_by_255() -> None:
    rows = np.full((2, 4, 4, 3), 51, dtype=np.uint8)
    rows[0, 1, 1] = (0, 102, 153)
    rows[1, 2, 2] = (255, 204, 51)
    assert square_statistics([(["cat", "dog"], rows)]).channels == (
        ChannelExtremes("red", 0, 255, 0.0, 1.0),
        ChannelExtremes("green", 51, 204, 0.2, 0.8),
        ChannelExtremes("blue", 51, 153, 0.2, 0.6),
    )


@pytest.mark.req("R-IMG-11")
def test_the_mean_picture_of_each_class() -> None:
    rows = np.zeros((3, 2, 2, 3), dtype=np.uint8)
    rows[0], rows[1], rows[2] = 10, 21, 200
    means = square_statistics([(["cat", "cat", "dog"], rows)]).mean_images
    assert set(means) == {"cat", "dog"}
    assert means["cat"].dtype == np.uint8
    assert (means["cat"] == 16).all()
    assert (means["dog"] == 200).all()


@given(size=st.integers(1, 12), seed=st.integers(0, 5), count=st.integers(1, 12))
def test_the_batches_do_not_matter(size: int, seed: int, count: int) -> None:
    rows = squares(count, seed)
    names = [("cat", "dog", "bird")[number % 3] for number in range(count)]
    whole = square_statistics([(names, rows)])
    parts = square_statistics(in_batches(names, rows, size))
    assert parts.dynamic_range == whole.dynamic_range
    assert parts.channels == whole.channels
    for name, mean in whole.mean_images.items():
        assert np.array_equal(parts.mean_images[name], mean)
        of_class = rows[np.asarray(names) == name]
        assert np.array_equal(mean, np.rint(of_class.mean(axis=0)).astype(np.uint8))


def test_the_statistics_of_nothing_are_refused() -> None:
    with pytest.raises(ValueError, match="no pictures"):
        square_statistics([([], np.empty((0, 224, 224, 3), dtype=np.uint8))])


@pytest.mark.req("R-IMG-10")
@pytest.mark.parametrize(
    "rows",
    [np.zeros((1, 4, 4, 3), np.float32), np.zeros((1, 4, 4), np.uint8)],
    ids=["float", "grey"],
)
def test_squares_are_bytes_of_three_channels(rows: NDArray[np.uint8]) -> None:
    with pytest.raises(ValueError, match="bytes of three channels"):
        square_statistics([(["cat"], rows)])
