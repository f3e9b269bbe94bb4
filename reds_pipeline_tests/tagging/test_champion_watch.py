"""How long a version that cannot be loaded is left alone."""

from __future__ import annotations

import pytest

from reds_pipeline.tagging.champion_watch import LONGEST_BACK_OFF_SECONDS, back_off


@pytest.mark.parametrize(
    ("times", "seconds"),
    [(1, 20), (2, 40), (5, 320), (6, LONGEST_BACK_OFF_SECONDS), (5000, LONGEST_BACK_OFF_SECONDS)],
)
def test_the_pause_doubles_up_to_ten_minutes_for_as_long_as_it_takes(
    times: int, seconds: float
) -> None:
    """After a week the doubling was beyond all numbers, and the page followed no champion more."""
    assert back_off(10.0, times) == seconds
