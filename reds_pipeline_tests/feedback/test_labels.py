"""What a contributed photo may be learnt as, and how much that counts (R-IMP-6)."""

from __future__ import annotations

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reds_pipeline.feedback.classes_of_tags import ClassesOfTags
from reds_pipeline.feedback.contributions import ContributedTag, How
from reds_pipeline.feedback.labels import (
    CONTRADICTED,
    NO_CLASS,
    PERSON,
    SUGGESTED,
    UNPROMPTED,
    ContributedLabel,
    contributed_label,
)
from reds_pipeline.feedback.weights import AUTHORS_WEIGHT, most_contributed, sample_weight
from reds_pipeline.imaging.cleaning import MULTI_CLASS

pytestmark = pytest.mark.req("R-IMP-6")

CLASSES = {"cat", "dog"}


def named(tag: str) -> set[str]:
    return CLASSES & {tag}


def tags(**how_by_tag: How) -> list[ContributedTag]:
    return [ContributedTag(tag, how) for tag, how in how_by_tag.items()]


@pytest.mark.parametrize(
    ("given_tags", "rejected", "label"),
    [
        (tags(cat="unprompted"), (), ContributedLabel("cat", UNPROMPTED)),
        (tags(cat="added"), (), ContributedLabel("cat", PERSON)),
        (tags(cat="accepted"), (), ContributedLabel("cat", SUGGESTED)),
        (tags(cat="accepted", sofa="unprompted"), (), ContributedLabel("cat", SUGGESTED)),
        (
            [*tags(cat="accepted"), *tags(cat="unprompted")],
            (),
            ContributedLabel("cat", UNPROMPTED),
        ),
        (tags(cat="unprompted"), ("dog",), ContributedLabel("cat", UNPROMPTED)),
        (tags(cat="unprompted", dog="accepted"), (), ContributedLabel(reason=MULTI_CLASS)),
        (tags(cat="unprompted"), ("cat",), ContributedLabel(reason=CONTRADICTED)),
        (tags(sofa="unprompted"), (), ContributedLabel(reason=NO_CLASS)),
        ([], ("dog",), ContributedLabel(reason=NO_CLASS)),
    ],
    ids=[
        "typed before any suggestion",
        "typed after the suggestions",
        "a suggestion accepted",
        "only the suggestion is a class",
        "typed first and suggested then",
        "another suggestion rejected",
        "two classes",
        "typed, and rejected when suggested",
        "no class",
        "nothing but a rejection",
    ],
)
def test_the_label_of_a_photo(
    given_tags: list[ContributedTag], rejected: tuple[str, ...], label: ContributedLabel
) -> None:
    assert contributed_label(given_tags, rejected, named) == label


@pytest.mark.parametrize(
    ("tag", "classes"),
    [
        ("cat", {"cat"}),
        ("#Cats", {"cat"}),
        ("CatsAndDogs", {"cat", "dog"}),
        ("caturday", {"cat"}),
        ("  CATURDAY ", {"cat"}),
        ("sofa", set()),
        ("2024", set()),
    ],
)
def test_a_tag_names_a_class_as_a_hashtag_does(tag: str, classes: set[str]) -> None:
    """By its lemmas, and by the hashtags that the class is collected by."""
    classes_of = ClassesOfTags({"cat": ["caturday", "cats"], "dog": []})
    assert classes_of(tag) == classes
    assert classes_of(tag) == classes


@given(st.floats(0.01, 1))
def test_only_what_a_model_suggested_counts_less(weight: float) -> None:
    assert sample_weight(SUGGESTED, weight) == weight
    assert {sample_weight(origin, weight) for origin in (UNPROMPTED, PERSON)} == {AUTHORS_WEIGHT}


@given(st.integers(0, 10_000), st.integers(0, 99))
def test_a_class_never_has_more_contributed_photos_than_its_share(
    pictures: int, percent: int
) -> None:
    """And no fewer than fit."""
    most = most_contributed(pictures, percent / 100)
    share = Fraction(percent, 100)
    assert most <= share * (pictures + most)
    assert most + 1 > share * (pictures + most + 1)
