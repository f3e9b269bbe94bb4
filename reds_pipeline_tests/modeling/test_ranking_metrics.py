from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics import average_precision_score, f1_score

from reds_pipeline.modeling.ranking_metrics import (
    accuracy_at,
    average_precision,
    f1_scores,
    measure,
    measure_recommendations,
    precision_at,
    recall_at,
)

TAGS = ("love", "friend", "beach", "family", "yellow", "sea", "dog")
# Made-up lists as HARRISON has them: between one and six tags an image.
LISTS = (
    {"love", "friend", "beach", "family", "yellow", "sea"},
    {"dog"},
    {"sea", "dog"},
    {"love"},
)
TRUTH = np.array([[tag in tags for tag in TAGS] for tags in LISTS])
# The recommendations of each image, the first one first.
ORDERS = (
    ("dog", "love", "friend", "beach", "family", "yellow", "sea"),
    ("dog", "love", "friend", "beach", "family", "yellow", "sea"),
    ("love", "friend", "beach", "sea", "dog", "yellow", "family"),
    ("friend", "beach", "family", "yellow", "sea", "love", "dog"),
)
SCORES = np.array([[float(len(TAGS) - order.index(tag)) for tag in TAGS] for order in ORDERS])


@pytest.mark.req("H-19")
@pytest.mark.parametrize(
    ("measured", "by_hand"),
    [
        pytest.param(precision_at(SCORES, TRUTH, 1), [0, 1, 0, 0], id="P@1"),
        pytest.param(precision_at(SCORES, TRUTH, 5), [4 / 5, 1 / 5, 2 / 5, 0], id="P@5"),
        pytest.param(recall_at(SCORES, TRUTH, 5), [4 / 6, 1, 1, 0], id="R@5"),
        pytest.param(recall_at(SCORES, TRUTH, 1), [0, 1, 0, 0], id="R@1"),
        pytest.param(accuracy_at(SCORES, TRUTH, 5), [1, 1, 1, 0], id="A@5"),
        pytest.param(accuracy_at(SCORES, TRUTH, 1), [0, 1, 0, 0], id="A@1"),
    ],
)
def test_precision_recall_and_accuracy_at_k_are_as_counted_by_hand(
    measured: np.ndarray, by_hand: list[float]
) -> None:
    """P@K = hits / K, R@K = hits / size of the truth, A@K = any hit."""
    assert measured.tolist() == pytest.approx(by_hand)


@pytest.mark.req("H-19")
def test_they_are_averaged_over_images_and_not_over_tags() -> None:
    measured = measure_recommendations(SCORES, TRUTH, ["a", "b", "c", "d"], seed=0)
    assert measured.precision_at_1.value == pytest.approx(1 / 4)
    assert measured.recall_at_5.value == pytest.approx((4 / 6 + 1 + 1 + 0) / 4)
    assert measured.accuracy_at_5.value == pytest.approx(3 / 4)


def test_an_image_with_more_than_five_tags_has_a_ceiling() -> None:
    """H-20: R@5 cannot reach 1 where authors write more tags than are recommended."""
    assert recall_at(TRUTH.astype(np.float64), TRUTH, 5).tolist() == pytest.approx([5 / 6, 1, 1, 1])


def test_fewer_tags_than_are_recommended_is_no_error() -> None:
    """P@5 of a model with two tags cannot be more than 2/5, by the definition."""
    scores, truth = np.array([[0.9, 0.1]]), np.array([[True, True]])
    assert precision_at(scores, truth, 5).tolist() == [0.4]
    assert recall_at(scores, truth, 5).tolist() == [1.0]


def test_an_image_without_a_tag_to_find_has_no_say_in_recommendations() -> None:
    """Nobody could have been right about it; but naming a tag on it is wrong."""
    truth = np.vstack([TRUTH, np.zeros(len(TAGS), bool)])
    scores = np.vstack([SCORES, SCORES[:1]])
    assert np.isnan(recall_at(scores, truth, 5)[-1])
    with_it = measure(scores, scores > 4, truth, list("abcde"), seed=1)
    without = measure(SCORES, SCORES > 4, TRUTH, list("abcd"), seed=1)
    assert with_it.recommendations == without.recommendations
    assert with_it.micro_f1 < without.micro_f1
    with pytest.raises(ValueError, match="no image has a tag"):
        measure_recommendations(scores[-1:], truth[-1:], ["e"], seed=1)


@settings(max_examples=25)
@given(
    st.integers(0, 10_000),
    st.integers(2, 40),
    st.integers(1, 6),
    st.sampled_from([2, 5, 1000]),
)
def test_average_precision_is_that_of_scikit_learn(
    seed: int, images: int, tags: int, levels: int
) -> None:
    """Also with tied scores, and with images that count twice or not at all."""
    generator = np.random.default_rng(seed)
    scores = generator.integers(0, levels, (images, tags)) / levels
    truth = generator.random((images, tags)) < 0.4
    weights = generator.integers(0, 3, (3, images)).astype(np.float64)
    ours = average_precision(scores, truth, weights)
    for row, weight in enumerate(weights):
        for tag in range(tags):
            if (weight[truth[:, tag]] > 0).any():
                expected = average_precision_score(
                    truth[:, tag], scores[:, tag], sample_weight=weight
                )
                assert ours[row, tag] == pytest.approx(expected)
            else:
                assert np.isnan(ours[row, tag])
    if truth.any(axis=0).all():
        assert average_precision(scores, truth) == pytest.approx(
            average_precision_score(truth, scores, average=None)
        )


def test_the_average_precision_of_a_guess_is_the_share_of_images_with_the_tag() -> None:
    """So that the floor of every tag is known: equal scores are recommended together."""
    assert average_precision(np.ones(TRUTH.shape), TRUTH) == pytest.approx(TRUTH.mean(axis=0))


def test_f1_is_that_of_scikit_learn_and_unknown_for_a_tag_that_nobody_has() -> None:
    generator = np.random.default_rng(1)
    truth, named = generator.random((2, 30, 4)) < 0.5
    truth[:, 3] = False
    measured = measure(named.astype(np.float64), named, truth, ["a"] * 30, seed=0)
    expected = f1_score(truth[:, :3], named[:, :3], average=None)
    assert f1_scores(named, truth)[:3] == pytest.approx(expected)
    assert np.isnan(measured.f1[3])
    assert measured.macro_f1 == pytest.approx(expected.mean())
    assert measured.micro_f1 == pytest.approx(f1_score(truth, named, average="micro"))
    assert measured.decision_accuracy == pytest.approx((truth == named).mean())


def test_intervals_hold_the_value_and_know_that_pictures_of_an_author_are_alike() -> None:
    """Ten pictures of one author say less than ten pictures of ten authors."""
    generator = np.random.default_rng(2)
    by_author = generator.random((40, 6)) < 0.3
    by_author[:, 0] |= ~by_author.any(axis=1)
    truth = np.repeat(by_author, 10, axis=0)
    scores = np.repeat(generator.random((40, 6)), 10, axis=0)
    authors = measure(scores, scores > 0.5, truth, [str(row // 10) for row in range(400)], 0)
    pictures = measure(scores, scores > 0.5, truth, [str(row) for row in range(400)], 0)
    for name in ("precision_at_1", "recall_at_5", "accuracy_at_5"):
        wide, narrow = (getattr(each.recommendations, name) for each in (authors, pictures))
        assert narrow.low <= narrow.value <= narrow.high
        assert wide.high - wide.low > 2 * (narrow.high - narrow.low)
    wide, narrow = authors.mean_average_precision, pictures.mean_average_precision
    assert narrow.low <= narrow.value <= narrow.high
    assert wide.high - wide.low > 1.5 * (narrow.high - narrow.low)


def test_measuring_twice_gives_the_same() -> None:
    first, second = (measure(SCORES, SCORES > 4, TRUTH, list("aabb"), seed=3) for _ in range(2))
    assert first.recommendations == second.recommendations
    assert first.mean_average_precision == second.mean_average_precision


@pytest.mark.filterwarnings("error")
def test_few_authors_leave_doubt_about_everything() -> None:
    """One has the only tagged picture: some resamples hold no tag, others nothing but his."""
    truth = np.array([[True, False], [False, False], [False, False]])
    scores = np.array([[0.9, 0.1], [0.2, 0.1], [0.1, 0.1]])
    found = measure(scores, scores > 0.5, truth, ["ada", "bea", "cyd"], 0)
    precision = found.recommendations.precision_at_1
    assert (precision.value, precision.low, precision.high) == (1, 0, 1)
    area = found.mean_average_precision
    assert area.value == 1
    assert area.low == pytest.approx(3 / (3 + 3.8415), abs=1e-4)
