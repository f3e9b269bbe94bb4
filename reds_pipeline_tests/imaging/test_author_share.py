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
        pytest.param("aaabbbccc", set(), id="three are never too many"),
        pytest.param("aaaa", {3}, id="nobody else"),
        pytest.param("aaaaaa" + "bcdefghijklmnopqrstuvwxy", set(), id="a fifth"),
        pytest.param("aaaaaa" + "bcdefghijklmnopqrstuvwx", {5}, id="more than a fifth"),
        pytest.param(["", "", "", "", ""], set(), id="unknown"),
    ],
)
def test_the_first_ones_of_an_author_stay(authors: str | list[str], beyond: set[int]) -> None:
    assert beyond_share(list(authors)) == beyond


@pytest.mark.req("R-SCR-8")
@given(st.lists(st.sampled_from("abcdef")))
def test_nobody_is_more_than_a_fifth_of_what_was_there(authors: list[str]) -> None:
    beyond = beyond_share(authors)
    left = Counter(author for place, author in enumerate(authors) if place not in beyond)
    for author, count in left.items():
        assert count <= max(LEAST, len(authors) // 5)
        assert count == authors.count(author) or count >= LEAST
