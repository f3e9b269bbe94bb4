from __future__ import annotations

from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reds_pipeline.imaging.author_share import LEAST, beyond_share


@pytest.mark.req("R-SCR-8")
@pytest.mark.parametrize(
    ("authors", "beyond"),
    [
        pytest.param("aaaaabbbbbccc", set(), id="five are never too many"),
        pytest.param("aaaaaa", {5}, id="nobody else"),
        pytest.param("aaaaaa" + "bcdefghijklmnopqrstuvwxy", set(), id="a fifth"),
        pytest.param("aaaaaa" + "bcdefghijklmnopqrstuvwx", {5}, id="more than a fifth"),
        pytest.param(["", "", "", "", ""], set(), id="unknown"),
    ],
)
def test_the_first_ones_of_an_author_stay(authors: str | list[str], beyond: set[int]) -> None:
    assert beyond_share(list(authors), places=1000) == beyond


@pytest.mark.req("R-SCR-8")
def test_a_flood_is_a_fifth_of_the_places_however_many_older_ones_wait() -> None:
    """The newest stay, so all of the flood would: of 400 older ones only some get a place."""
    authors = ["flood"] * 60 + [f"author {number}" for number in range(400)]
    beyond = beyond_share(authors, places=50)
    left = [author for place, author in enumerate(authors) if place not in beyond]
    assert left[:50].count("flood") == 10


@pytest.mark.req("R-SCR-8")
def test_several_who_flood_do_not_make_room_for_each_other() -> None:
    """Ninety by each of two, among thirty people with one or two: a fifth each of what stays."""
    honest = [f"person {number}" for number in (*range(30), *range(15))]
    authors = ["one", "other"] * 90 + honest
    beyond = beyond_share(authors, places=1000)
    left = Counter(author for place, author in enumerate(authors) if place not in beyond)
    assert (left["one"], left["other"]) == (15, 15)
    assert left.total() == 75


@pytest.mark.req("R-SCR-8")
@given(st.lists(st.sampled_from("abcdefgh")))
def test_nobody_is_more_than_a_fifth_of_what_stays(authors: list[str]) -> None:
    beyond = beyond_share(authors, places=1000)
    left = Counter(author for place, author in enumerate(authors) if place not in beyond)
    for author, count in left.items():
        assert count <= max(LEAST, left.total() // 5)
        assert count == authors.count(author) or count >= LEAST
