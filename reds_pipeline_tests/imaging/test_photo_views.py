from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from reds_pipeline.imaging.photo_views import MOST_WINDOWS, view_boxes, window_boxes
from reds_pipeline.imaging.resize import crop_box

SIDES = st.integers(32, 70_000)
PHOTOS = st.tuples(SIDES, SIDES)


@pytest.mark.req("R-IMP-3")
@given(PHOTOS)
def test_windows_reach_exactly_from_one_end_to_the_other(size: tuple[int, int]) -> None:
    boxes = window_boxes(*size)
    assert boxes[0][:2] == (0, 0)
    assert boxes[-1][2:] == size


@pytest.mark.req("R-IMP-3")
@given(PHOTOS)
def test_windows_are_squares_in_order_and_not_too_many(size: tuple[int, int]) -> None:
    width, height = size
    boxes = window_boxes(width, height)
    assert len(boxes) <= MOST_WINDOWS
    assert len(boxes) % 2 == 1
    assert list(boxes) == sorted(set(boxes))
    if crop_box(width, height)[1]:
        side = min(size)
        assert {(right - left, bottom - top) for left, top, right, bottom in boxes} == {
            (side, side)
        }


@pytest.mark.req("R-IMP-3")
@given(PHOTOS)
def test_nothing_lies_between_windows_unless_the_photo_is_too_long(size: tuple[int, int]) -> None:
    """Neighbours overlap by half, until the cap on their number spreads them."""
    side, longer = min(size), max(size)
    starts = [max(left, top) for left, top, _right, _bottom in window_boxes(*size)]
    steps = [later - earlier for earlier, later in pairwise(starts)]
    if longer <= 12 * side:
        assert all(2 * step <= side + 2 for step in steps)
    if longer <= MOST_WINDOWS * side:
        assert all(step <= side for step in steps)


@given(PHOTOS)
def test_windows_are_the_same_from_either_end(size: tuple[int, int]) -> None:
    """A photo and its mirror image are looked at alike, but for half a pixel in the middle."""
    longer = max(size)
    boxes = window_boxes(*size)
    ends = [(max(left, top), max(right, bottom)) for left, top, right, bottom in boxes]
    mirrored = [(longer - end, longer - start) for start, end in reversed(ends)]
    middle = len(ends) // 2
    if len(ends) > 1:
        assert ends[:middle] + ends[middle + 1 :] == mirrored[:middle] + mirrored[middle + 1 :]
    assert abs(ends[middle][0] - mirrored[middle][0]) <= 1


@pytest.mark.req("R-PRD-4")
@given(PHOTOS)
def test_the_middle_window_is_the_square_of_the_training(size: tuple[int, int]) -> None:
    boxes = window_boxes(*size)
    assert view_boxes("centre", *size) == (crop_box(*size)[0],) == (boxes[len(boxes) // 2],)


@given(PHOTOS)
def test_a_turned_photo_is_looked_at_alike(size: tuple[int, int]) -> None:
    # R-IMG-3 is not the same for both: 90 x 100 is squeezed as a whole, 100 x 90 is cut.
    assume(crop_box(*size)[1] == crop_box(*size[::-1])[1])
    turned = window_boxes(*size[::-1])
    assert [(top, left, bottom, right) for left, top, right, bottom in turned] == list(
        window_boxes(*size)
    )


@pytest.mark.parametrize(
    ("size", "count"),
    [
        ((300, 300), 1),
        ((330, 300), 1),
        ((331, 300), 3),
        ((400, 300), 3),
        ((600, 300), 3),
        ((601, 300), 5),
        ((6400, 320), 23),
        ((70_000, 100), 23),
    ],
    ids=str,
)
def test_windows_are_counted(size: tuple[int, int], count: int) -> None:
    """The numbers of docs/photo_views.md; 20:1 is a phone's widest panorama and more."""
    assert len(window_boxes(*size)) == count


def test_the_whole_photo_is_one_box() -> None:
    assert view_boxes("whole", 640, 480) == ((0, 0, 640, 480),)
