"""Near classes are told before a release (R-CLS-13), and what a further one would risk."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from reds_pipeline.modeling.near_classes import (
    NearClasses,
    candidate_risk,
    centre_cosines,
    near_classes,
)
from reds_pipeline.modeling.near_classes_figure import near_classes_figure
from reds_pipeline_tests.figure_checks import assert_readable
from reds_pipeline_tests.modeling.clouds import clouds

ANIMALS = ("bird", "cat", "dog", "tree")
MEANING = np.array(
    [
        [1.0, 0.75, 0.78, 0.5],
        [0.75, 1.0, 0.86, 0.48],
        [0.78, 0.86, 1.0, 0.5],
        [0.5, 0.48, 0.5, 1.0],
    ]
)


def four_classes(confused: dict[tuple[str, str], int], each: int = 50) -> NearClasses:
    """Pairs of four classes of which so many pictures are taken for another class."""
    labels = [name for name in ANIMALS for _ in range(each)]
    predicted = list(labels)
    for (true, said), count in confused.items():
        start = labels.index(true)
        free = [place for place in range(start, start + each) if predicted[place] == true]
        for place in free[:count]:
            predicted[place] = said
    features, _ = clouds(len(ANIMALS), each)
    return near_classes(ANIMALS, labels, predicted, features, MEANING)


@pytest.mark.req("R-CLS-13")
@pytest.mark.req("R-EXP-12")
def test_the_most_confused_pair_is_named_with_its_interval_both_ways_counted() -> None:
    found = four_classes({("cat", "dog"): 3, ("dog", "cat"): 2, ("bird", "tree"): 1})
    worst = found.pairs[0]
    assert (worst.first, worst.second) == ("cat", "dog")
    assert (worst.confused, worst.pictures) == (5, 100)
    # Wilson, 5 of 100.
    assert (worst.low, worst.high) == pytest.approx((0.0215, 0.1118), abs=1e-4)
    assert found.sentence == (
        "cat and dog are confused most: 5 of 100 pictures (5.0 %, 95 % interval 2.2 % to 11.2 %) "
        "are taken for the other one. They are also the nearest in meaning (0.860)."
    )


@pytest.mark.req("R-CLS-13")
def test_the_nearest_in_meaning_is_told_even_if_never_confused() -> None:
    nothing = four_classes({}).sentence
    assert nothing.startswith("No two classes are confused in any picture. Nearest in meaning are")
    assert "cat and dog (0.860), of which 0 of 100 pictures" in nothing


def test_classes_that_wordnet_does_not_know_are_still_measured() -> None:
    labels = ["fedi", "caturday"] * 20
    features, _ = clouds(2, 20)
    found = near_classes(
        ["caturday", "fedi"], labels, labels, features, np.array([[1, np.nan], [np.nan, 1]])
    )
    assert found.nearest_in_meaning is None
    assert "WordNet knows too few" in found.sentence
    assert candidate_risk("fox", {}, found) is None
    assert_readable(near_classes_figure(found.pairs, "Near classes"))


@pytest.mark.req("R-IMP-7")
def test_a_candidate_is_judged_by_pairs_as_near() -> None:
    """What is as near as bird and dog were, which is 0.78, risks what they and nearer ones did."""
    found = four_classes({("cat", "dog"): 10, ("bird", "dog"): 4})
    horse = candidate_risk("horse", {"dog": 0.78, "tree": 0.4}, found)
    oak = candidate_risk("oak", {"tree": 0.49}, found)
    assert horse is not None and oak is not None
    assert (horse.nearest, horse.rate, horse.nearer_than_any) == ("dog", 0.04, False)
    assert oak.rate == 0 < oak.high < horse.high
    assert "as near are confused in 4.0 % of pictures" in horse.sentence


@pytest.mark.req("R-IMP-7")
def test_a_candidate_nearer_than_anything_measured_is_no_promise() -> None:
    """The report names the fox: nearer to the dog (.929) than the cat is."""
    found = four_classes({("cat", "dog"): 10})
    fox = candidate_risk("fox", {"dog": 0.929, "cat": 0.86}, found)
    assert fox is not None
    assert fox.nearer_than_any
    assert fox.rate == pytest.approx(0.1)
    assert fox.sentence.endswith("no pair measured here is so near: expect more.")


@pytest.mark.req("R-IMP-7")
@pytest.mark.parametrize("count", [2, 25, 100])
def test_any_number_of_classes_is_measured_and_drawn(count: int) -> None:
    """The report names CIFAR-100 as the next data set."""
    generator = np.random.default_rng(1)
    features, labels = clouds(count, 20)
    names = sorted(set(labels))
    wrong = generator.random(len(labels)) < 0.2
    predicted = np.where(wrong, generator.choice(names, len(labels)), labels).tolist()
    near = generator.random((count, count))
    found = near_classes(names, labels, predicted, features, (near + near.T) / 2)
    assert len(found.pairs) == count * (count - 1) // 2
    errors = sum(said != label for said, label in zip(predicted, labels, strict=True))
    assert sum(pair.confused for pair in found.pairs) == errors
    rates = [pair.rate for pair in found.pairs]
    assert rates == sorted(rates, reverse=True)
    assert_readable(near_classes_figure(found.pairs, f"Near classes of {count}"))


def test_confusion_that_follows_meaning_correlates_with_it() -> None:
    follows = four_classes({("cat", "dog"): 9, ("bird", "dog"): 5, ("bird", "cat"): 3})
    against = four_classes({("cat", "tree"): 9, ("tree", "bird"): 5, ("tree", "dog"): 5})
    assert follows.meaning_correlation is not None and against.meaning_correlation is not None
    assert follows.meaning_correlation > 0.9
    assert against.meaning_correlation < 0
    assert four_classes({}).meaning_correlation is None, "nothing varies"


@given(st.integers(2, 6), st.integers(0, 1000))
def test_cosines_are_symmetric_and_do_not_mind_where_the_origin_is(classes: int, seed: int) -> None:
    """Features of most networks lie far from zero, all to one side."""
    generator = np.random.default_rng(seed)
    features = generator.normal(size=(classes * 4, 7))
    codes = np.repeat(np.arange(classes), 4)
    cosines = centre_cosines(features, codes, classes)
    np.testing.assert_allclose(cosines, cosines.T, atol=1e-12)
    np.testing.assert_allclose(np.diagonal(cosines), 1)
    np.testing.assert_allclose(centre_cosines(features + 100, codes, classes), cosines, atol=1e-8)


def test_a_class_without_pictures_is_refused() -> None:
    with pytest.raises(ValueError, match="a picture of each"):
        near_classes(["one", "two"], ["one"], ["one"], np.ones((1, 2)), np.eye(2))
