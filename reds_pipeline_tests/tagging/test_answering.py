"""From chances to words and suggestions."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from reds_pipeline.modeling.abstention import NO_ANSWER
from reds_pipeline.modeling.bundle import Kind, ModelBundle, Provenance
from reds_pipeline.tagging.answering import (
    LEAST_CHANCE,
    MOST_SUGGESTIONS,
    Answered,
    agreement,
    is_familiar,
    is_sure,
    opinion,
    suggestions,
)
from reds_pipeline.tagging.hashtag_form import tag_key
from reds_pipeline.tagging.likelihood import likelihoods
from reds_pipeline.tagging.recommendation import Likelihood, ServedModel, View, ViewOpinion


def answered(
    kind: Kind,
    tags: Sequence[str],
    chances: Sequence[Sequence[float]],
    threshold: float = 0.6,
) -> Answered:
    """Return a model that has said just this of so many looks."""
    count = len(tags)
    provenance = Provenance("none", "none-1", "none", "0" * 64, "2026-01-02T03:04:05Z", {})
    bundle = ModelBundle(
        kind=kind,
        classes=tuple(tags),
        mean=np.zeros(1),
        scale=np.ones(1),
        weights=np.zeros((count, 1)),
        intercept=np.zeros(count),
        slope=np.ones(count),
        offset=np.zeros(count),
        thresholds=np.full(count, threshold),
        provenance=provenance,
    )
    served = ServedModel(f"the {kind}", "3", kind, "none", "", "", tuple(tags))
    return Answered(served, bundle, np.array(chances, np.float64).reshape(-1, count))


@pytest.mark.req("R-IMP-1")
@pytest.mark.parametrize(
    ("kind", "chance", "threshold", "word"),
    [
        pytest.param("classes", 0.7, 0.6, "likely", id="class above its threshold"),
        pytest.param("classes", 0.6, 0.6, "likely", id="class at its threshold"),
        pytest.param("classes", 0.59, 0.6, "maybe", id="class below its threshold"),
        pytest.param("classes", 0.19, 0.6, "unlikely", id="class below one in five"),
        pytest.param("classes", 0.4, 0.0, "maybe", id="old model without threshold"),
        pytest.param("classes", 1.0, NO_ANSWER, "maybe", id="model without reliable answers"),
        pytest.param("tags", 0.7, 0.3, "likely", id="tag likelier than not"),
        pytest.param("tags", 0.4, 0.3, "maybe", id="tag worth naming"),
        pytest.param("tags", 0.4, 0.45, "unlikely", id="tag below its threshold"),
        pytest.param("tags", 0.7, 0.8, "unlikely", id="tag of a strict threshold"),
    ],
)
def test_a_word_says_what_a_chance_is_worth(
    kind: Kind, chance: float, threshold: float, word: Likelihood
) -> None:
    assert likelihoods(kind, np.array([chance]), np.array([threshold])) == (word,)


@pytest.mark.req("R-IMP-1")
def test_a_tag_that_both_models_know_is_suggested_once_by_the_surer_one() -> None:
    classes = answered("classes", ("golden retriever", "cat"), [[0.55, 0.45]])
    tags = answered("tags", ("goldenRetriever", "Cat", "sunny"), [[0.8, 0.1, 0.3]])
    found = suggestions([classes, tags])
    assert [(tag.display, tag.model, tag.rank) for tag in found] == [
        ("GoldenRetriever", "the tags", 1),
        ("Cat", "the classes", 2),
        ("Sunny", "the tags", 3),
    ]


def test_of_equally_sure_models_that_of_classes_names_the_tag() -> None:
    classes = answered("classes", ("cat", "dog"), [[0.5, 0.5]])
    tags = answered("tags", ("Dog", "Cat"), [[0.5, 0.5]])
    assert [tag.model for tag in suggestions([classes, tags])] == ["the classes"] * 2


def test_the_likeliest_tag_is_told_however_unlikely() -> None:
    """A photo of nothing that is known still gets an answer, which says that it is not sure."""
    tags = answered("tags", ("sunny", "love"), [[0.001, 0.01]])
    (only,) = suggestions([tags])
    assert (only.tag, only.likelihood) == ("love", "unlikely")


def test_a_tag_without_anything_that_a_hashtag_may_hold_keeps_its_name() -> None:
    tags = answered("tags", ("🌸", "!"), [[0.9, 0.8]])
    assert [tag.display for tag in suggestions([tags])] == ["🌸", "!"]


@pytest.mark.parametrize(
    ("familiar", "word", "known"),
    [
        pytest.param([[True], [True]], "likely", True, id="known to both"),
        pytest.param([[False], [False]], "maybe", False, id="known to neither"),
        pytest.param([[True], [False]], "maybe", False, id="unknown to one"),
        pytest.param([None, [False]], "maybe", False, id="unknown to the one that can tell"),
        pytest.param([None, None], "likely", None, id="models of earlier releases"),
        pytest.param([[True, False], [True, False]], "likely", True, id="half the looks"),
        pytest.param([[True, False, False], None], "maybe", False, id="most looks unknown"),
    ],
)
def test_nothing_of_an_unfamiliar_photo_is_likely(
    familiar: list[list[bool] | None], word: Likelihood, *, known: bool | None
) -> None:
    """A model must choose among what it knows, however little the photo shows of it."""
    looks = max(len(each) for each in [*familiar, [True]] if each is not None)
    classes = answered("classes", ("cat", "dog"), [[0.9, 0.1]] * looks)
    tags = answered("tags", ("sunny", "love"), [[0.8, 0.001]] * looks)
    both = [
        replace(model, familiar=None if flags is None else np.array(flags))
        for model, flags in zip((classes, tags), familiar, strict=True)
    ]
    assert is_familiar(both) is known
    found = suggestions(both)
    assert [(tag.tag, tag.likelihood) for tag in found] == [
        ("cat", word),
        ("sunny", word),
        ("dog", "unlikely"),
    ]
    if familiar[0] is not None:
        assert is_sure(both[0]) is (word == "likely" or familiar[0] == [True])


@pytest.mark.req("R-IMP-3")
@pytest.mark.parametrize(
    ("looks", "tag", "probability", "share", "sure"),
    [
        pytest.param([[0.9, 0.05, 0.05]], "a", 0.9, 1.0, True, id="one look"),
        pytest.param(
            [[0.9, 0.05, 0.05], [0.8, 0.1, 0.1], [0.1, 0.9, 0.0]], "a", 0.6, 2 / 3, True, id="most"
        ),
        pytest.param(
            [[0.4, 0.6, 0.0], [0.4, 0.6, 0.0], [1.0, 0.0, 0.0]],
            "b",
            0.4,
            2 / 3,
            False,
            id="votes and mean disagree",
        ),
        pytest.param(
            [[0.9, 0.1, 0.0], [0.2, 0.8, 0.0]], "a", 0.55, 0.5, False, id="a tie goes to the mean"
        ),
    ],
)
def test_looks_vote_and_their_chances_are_averaged(
    *,
    looks: list[list[float]],
    tag: str,
    probability: float,
    share: float,
    sure: bool,
) -> None:
    model = answered("classes", ("a", "b", "c"), looks)
    said = opinion("windows", model)
    assert (said.tag, said.looks) == (tag, len(looks))
    assert said.share == pytest.approx(share)
    assert said.probability == pytest.approx(probability)
    assert is_sure(model) is sure


@pytest.mark.req("R-IMP-3")
def test_agreement_counts_the_ways_that_name_the_same_class() -> None:
    said: dict[View, ViewOpinion] = {
        "centre": opinion("centre", answered("classes", ("a", "b"), [[0.9, 0.1]])),
        "whole": opinion("whole", answered("classes", ("a", "b"), [[0.2, 0.8]])),
        "windows": opinion("windows", answered("classes", ("a", "b"), [[0.9, 0.1], [0.6, 0.4]])),
    }
    assert agreement(said, "centre") == pytest.approx(2 / 3)
    assert agreement(said, "whole") == pytest.approx(1 / 3)


@given(
    st.lists(st.tuples(st.text(min_size=1, max_size=6), st.floats(0, 1)), min_size=1, max_size=30)
)
def test_suggestions_are_few_different_and_in_order(tags: list[tuple[str, float]]) -> None:
    named = dict(tags)
    found = suggestions([answered("tags", list(named), [list(named.values())])])
    assert 1 <= len(found) <= MOST_SUGGESTIONS
    assert [tag.rank for tag in found] == list(range(1, len(found) + 1))
    chances = [tag.probability for tag in found]
    assert chances == sorted(chances, reverse=True)
    assert chances[0] == max(named.values())
    keys = [tag_key(tag.tag) or tag.tag for tag in found]
    assert len(set(keys)) == len(keys)
    assert all(chance >= LEAST_CHANCE for chance in chances[1:])
