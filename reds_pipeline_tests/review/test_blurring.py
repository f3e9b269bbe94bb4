"""Which pictures start blurred."""

from __future__ import annotations

import pytest

from reds_pipeline.review.blurring import (
    HIGHEST_OUTLIER_SCORE,
    is_sensitive,
    sensitive_words,
    starts_blurred,
)


@pytest.mark.parametrize(
    ("description", "tags", "expected"),
    [
        ("A cat with BLOOD on its paw", [], True),
        ("A cat", ["cat", "NSFW"], True),
        ("A bloodhound in a meadow", ["dog"], False),
        ("A bird, dead.", [], True),
        ("", [], False),
    ],
)
def test_words_are_compared_whole_and_without_regard_to_case(
    description: str, tags: list[str], expected: bool
) -> None:
    assert is_sensitive(description, tags) is expected


def test_the_words_are_as_they_are_compared() -> None:
    assert sensitive_words()
    assert all(word == word.casefold() and word.isalnum() for word in sensitive_words())


@pytest.mark.parametrize(
    ("sensitive", "confirmed", "score", "expected"),
    [
        (False, True, None, False),
        (False, True, 0.4, False),
        (True, True, None, True),
        (False, False, None, True),
        (False, True, HIGHEST_OUTLIER_SCORE, True),
    ],
)
def test_each_doubt_is_enough(
    sensitive: bool, confirmed: bool, score: float | None, expected: bool
) -> None:
    blurred = starts_blurred(sensitive=sensitive, confirmed=confirmed, outlier_score=score)
    assert blurred is expected
