from __future__ import annotations

from pathlib import Path

import pytest

from reds_pipeline.funnel import STAGES, ClassFunnel, Stage, class_funnels, count_funnel
from reds_pipeline.funnel_figure import funnel_figure
from reds_pipeline_tests import curated_home
from reds_pipeline_tests.figure_checks import BLUE, assert_readable, coloured, pixels


def funnel(kept: int, reasons: int) -> ClassFunnel:
    """A funnel that drops one picture and more for so many reasons at each stage."""
    stages: list[Stage] = []
    entered = kept
    for name in reversed(STAGES):
        dropped = {f"{name} reason {number}": number + 1 for number in range(reasons)}
        dropped = {} if name == "curated" else dropped
        entered += sum(dropped.values())
        stages.insert(0, Stage(name, entered, dropped))
    return ClassFunnel(tuple(stages), posts=entered)


def test_it_draws_what_a_home_holds(tmp_path: Path) -> None:
    home = curated_home.fill(tmp_path)
    assert_readable(funnel_figure(class_funnels(home, curated_home.CLASSES), "Where they went"))


@pytest.mark.parametrize(("classes", "reasons"), [(1, 1), (7, 7)])
def test_many_classes_and_reasons_have_room(classes: int, reasons: int) -> None:
    """28 reasons and 7 classes: the figure grows, and nothing is cut off."""
    funnels = {f"class {number}": funnel(100, reasons) for number in range(classes)}
    assert_readable(funnel_figure(funnels, "many"))


def test_a_line_is_added_for_a_reason_more() -> None:
    few = pixels(funnel_figure({"cat": funnel(50, 2)}, "few"))
    more = pixels(funnel_figure({"cat": funnel(50, 3)}, "more"))
    assert more.shape[0] > few.shape[0]


def test_what_is_kept_shows_as_the_blue_part() -> None:
    little = coloured(funnel_figure({"cat": funnel(10, 1), "dog": funnel(200, 1)}, ""), BLUE)
    much = coloured(funnel_figure({"cat": funnel(190, 1), "dog": funnel(200, 1)}, ""), BLUE)
    assert much > 1.4 * little > 0


def test_classes_that_hold_nothing_are_drawn() -> None:
    assert_readable(funnel_figure({"cat": count_funnel("cat", [], [], [], [])}, "nothing"))


def test_the_same_numbers_give_the_same_bytes() -> None:
    assert funnel_figure({"cat": funnel(9, 2)}, "x") == funnel_figure({"cat": funnel(9, 2)}, "x")
