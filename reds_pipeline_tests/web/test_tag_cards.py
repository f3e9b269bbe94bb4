"""What a card says, as pure functions."""

from __future__ import annotations

from dataclasses import replace
from typing import get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reds_pipeline.tagging.recommendation import (
    Likelihood,
    Recommendation,
    SuggestedTag,
    View,
    ViewOpinion,
)
from reds_pipeline.web import tag_cards

_LIKELIHOODS = st.sampled_from(get_args(Likelihood))


def suggestion(chance: float, rank: int = 1) -> SuggestedTag:
    return SuggestedTag(f"tag {rank}", f"Tag{rank}", chance, "maybe", rank, "reds-tagger", "1")


def recommendation(
    view: View = "centre", *, is_cropped: bool = False, opinions: tuple[ViewOpinion, ...] = ()
) -> Recommendation:
    return Recommendation(
        suggestions=(),
        is_sure=False,
        view=view,
        opinions=opinions,
        agreement=2 / 3 if opinions else None,
        width=4000,
        height=3000,
        is_cropped=is_cropped,
        models=(),
    )


@given(st.lists(_LIKELIHOODS, max_size=8), _LIKELIHOODS)
def test_no_suggestion_is_lost_or_moved_by_the_threshold(
    likelihoods: list[Likelihood], least: Likelihood
) -> None:
    given_tags = tuple(
        replace(suggestion(0.3, rank), likelihood=likelihood)
        for rank, likelihood in enumerate(likelihoods, start=1)
    )
    shown, folded = tag_cards.split_by_likelihood(given_tags, least)
    assert sorted(shown + folded, key=lambda tag: tag.rank) == list(given_tags)
    order = list(tag_cards.LEAST_WORDS)
    enough = [tag for tag in given_tags if order.index(tag.likelihood) >= order.index(least)]
    # A person who gets nothing to take or refuse cannot say what would be right either.
    assert list(shown) == (enough or list(given_tags[: tag_cards.IN_FRONT_ANYWAY]))


@pytest.mark.parametrize(
    ("chance", "words"),
    [
        (0.0, "under 1 %"),
        (0.004, "under 1 %"),
        (0.5, "50 %"),
        (0.994, "99 %"),
        (0.999, "over 99 %"),
    ],
)
def test_a_chance_is_never_rounded_to_a_certainty(chance: float, words: str) -> None:
    assert tag_cards.percent(chance) == words


@pytest.mark.req("R-IMP-3")
@pytest.mark.parametrize(
    ("agreement", "words"),
    [
        (1.0, "All 3 ways of looking name the same class."),
        (2 / 3, "2 of 3 ways of looking name the same class."),
        (1 / 3, "The other 2 ways of looking name another class: be careful."),
    ],
)
def test_how_far_the_ways_of_looking_agree(agreement: float, words: str) -> None:
    assert tag_cards.agreement_sentence(agreement, 3) == words


@pytest.mark.req("R-IMP-3")
def test_the_table_of_views_counts_votes_and_marks_the_one_that_was_used() -> None:
    opinions = (
        ViewOpinion("centre", "cat", 0.9, 1, 1.0),
        ViewOpinion("windows", "dog", 0.4, 9, 4 / 9),
    )
    views = tag_cards.views_of(recommendation(opinions=opinions))
    assert views is not None
    assert [(row.tag, row.votes, row.looks, row.is_chosen) for row in views.rows] == [
        ("cat", 1, 1, True),
        ("dog", 4, 9, False),
    ]
    assert tag_cards.views_of(recommendation()) is None


@pytest.mark.parametrize(
    ("view", "is_cropped", "words"),
    [
        ("centre", False, "all of it"),
        ("centre", True, "the square in its middle"),
        ("whole", False, "squeezed into a square"),
        ("windows", False, "windows that slide"),
    ],
)
def test_people_are_told_what_of_the_photo_was_looked_at(
    view: View, is_cropped: bool, words: str
) -> None:
    sentence = tag_cards.shape_sentence(recommendation(view, is_cropped=is_cropped))
    assert sentence.startswith("4,000 by 3,000 pixels. REDS looked")
    assert words in sentence


@given(st.text(max_size=40))
def test_a_hashtag_is_broken_between_words_without_losing_a_letter(text: str) -> None:
    assert "".join(tag_cards.words_of(text)) == text


def test_long_hashtags_break_where_their_words_begin() -> None:
    assert tag_cards.words_of("MacroPhotography2Go") == ["Macro", "Photography2", "Go"]
    assert tag_cards.words_of("NASA") == ["NASA"]


def test_days_are_written_out() -> None:
    assert tag_cards.day("2026-11-21T12:00:00.000Z") == "21 November 2026"
    assert tag_cards.minute("2026-11-21T12:30:00+00:00") == "21 November 2026, 12:30 UTC"
    assert tag_cards.day("") == ""


@pytest.mark.parametrize("opens_heic", [True, False])
def test_only_what_can_be_opened_here_is_asked_for(opens_heic: bool) -> None:
    assert ("HEIC" in tag_cards.formats_words(opens_heic=opens_heic)) == opens_heic
