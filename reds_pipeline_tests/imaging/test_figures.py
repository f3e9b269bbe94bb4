from __future__ import annotations

import pytest

from reds_pipeline.drawing import PALETTE
from reds_pipeline.imaging.figures import size_figure
from reds_pipeline_tests.figure_checks import BLUE, ORANGE, assert_readable, coloured

SIZES = {"cat": [(640, 480), (1080, 1350)] * 5, "dog": [(320, 200)] * 4}


@pytest.mark.req("R-IMG-1")
def test_widths_and_heights_are_drawn_by_class() -> None:
    figure = size_figure(SIZES, "Sizes")
    assert_readable(figure)
    assert coloured(figure, BLUE) > coloured(figure, ORANGE) > 500


@pytest.mark.parametrize(
    "sizes",
    [
        pytest.param({}, id="no class"),
        pytest.param({"cat": []}, id="no picture"),
        pytest.param({"cat": [(1, 20_000)]}, id="extreme sides"),
        pytest.param({"cat": [(512, 512), (1024, 2048)]}, id="powers of two"),
    ],
)
def test_any_sizes_can_be_drawn(sizes: dict[str, list[tuple[int, int]]]) -> None:
    assert_readable(size_figure(sizes, "Sizes"))


def test_more_classes_than_colours_share_the_last_one() -> None:
    sizes = {f"class {number:02d}": [(640, 480)] * (number + 1) for number in range(20)}
    figure = size_figure(sizes, "Sizes")
    assert_readable(figure)
    assert coloured(figure, PALETTE[-1]) > coloured(figure, BLUE), "the rest are the most here"


def test_the_same_numbers_give_the_same_bytes_and_others_do_not() -> None:
    assert size_figure(SIZES, "Sizes") == size_figure(SIZES, "Sizes")
    assert size_figure(SIZES, "Sizes") != size_figure({"cat": SIZES["cat"]}, "Sizes")
