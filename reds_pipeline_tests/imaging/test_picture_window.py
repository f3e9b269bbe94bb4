from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reds_pipeline.imaging.picture_window import Candidate, Keep, recency, with_a_place

CHOSEN = st.lists(st.booleans(), max_size=24)


def _candidates(chosen: list[bool]) -> list[Candidate]:
    """Return candidates from the oldest to the newest."""
    return [
        Candidate((f"2026-01-{day:02}", f"media-{day:02}"), is_chosen)
        for day, is_chosen in enumerate(chosen, 1)
    ]


@pytest.mark.req("R-SCR-10")
def test_the_newest_stay_and_of_one_moment_the_same_ones_always() -> None:
    one_moment = [Candidate(("2026-01-01", name)) for name in "dbca"]
    assert with_a_place(one_moment, 2, "newest") == {0, 2}
    assert with_a_place(one_moment, 2, "oldest") == {1, 3}


def test_a_post_from_the_future_counts_as_of_when_it_was_collected() -> None:
    row = {"created_at": "2099-01-01", "collected_at": "2026-01-02", "media_key": "m"}
    assert recency(row) == ("2026-01-02", "m")
    assert recency(row | {"created_at": "2026-01-01"}) == ("2026-01-01", "m")
    assert recency(row | {"collected_at": None}) == ("2099-01-01", "m")


@pytest.mark.req("R-SCR-10")
@given(CHOSEN, st.integers(1, 12), st.sampled_from(["newest", "oldest"]))
def test_a_class_is_as_full_as_it_can_be(chosen: list[bool], places: int, keep: Keep) -> None:
    assert len(with_a_place(_candidates(chosen), places, keep)) == min(places, len(chosen))


@pytest.mark.req("R-IMP-5")
@given(CHOSEN, st.integers(1, 12))
def test_no_picture_stays_for_ever(chosen: list[bool], places: int) -> None:
    younger = [False] * (2 * places)
    staying = with_a_place(_candidates([*chosen, *younger]), places, "newest")
    assert min(staying) >= len(chosen)


@pytest.mark.req("R-IMP-5")
@given(st.integers(0, 24), st.integers(2, 12))
def test_a_class_of_which_every_picture_was_reviewed_still_takes_new_ones(
    reviewed: int, places: int
) -> None:
    candidates = _candidates([True] * reviewed + [False] * (places // 2))
    staying = with_a_place(candidates, places, "newest")
    assert set(range(reviewed, len(candidates))) <= staying
