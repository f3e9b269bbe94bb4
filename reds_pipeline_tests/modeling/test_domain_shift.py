"""How near the photographs are to what a backbone knows (R-IMP-8)."""

from __future__ import annotations

import numpy as np
import pytest

from reds_pipeline.modeling.domain_shift import MOST_ASKED, nearest_neighbours, zero_shot
from reds_pipeline_tests.modeling.clouds import clouds

pytestmark = pytest.mark.req("R-IMP-8")


def test_neighbours_separate_what_is_separate_and_nothing_else() -> None:
    features, labels = clouds(3, 60, spread=0.4)
    fold = np.arange(len(labels)) % 5
    apart = nearest_neighbours(features, labels, fold, seed=0)
    noise = np.random.default_rng(0).normal(size=(10, *features.shape))
    chance = [nearest_neighbours(each, labels, fold, seed=0).accuracy for each in noise]
    assert apart.accuracy > 0.8
    assert np.mean(chance) == pytest.approx(1 / 3, abs=0.06)
    assert apart.low <= apart.accuracy <= apart.high


def test_neighbours_of_the_same_fold_have_no_say() -> None:
    """Another copy of the picture is in the same fold, and would answer for it."""
    generator = np.random.default_rng(2)
    once = generator.normal(size=(100, 16))
    labels = [str(number) for number in generator.integers(0, 2, 100)] * 2
    fold = np.tile(np.arange(100) % 5, 2)
    copies = nearest_neighbours(np.concatenate([once, once]), labels, fold, seed=0)
    assert copies.low < 0.5 < copies.high


def test_of_many_pictures_a_sample_is_asked() -> None:
    features, labels = clouds(2, MOST_ASKED, dimension=4)
    asked = nearest_neighbours(features, labels, np.arange(len(labels)) % 5, seed=0)
    assert asked.pictures == MOST_ASKED


def test_the_own_head_answers_by_the_sum_over_kinds() -> None:
    """Three kinds of dog at .2 each outweigh one cat at .3."""
    logits = np.log([[0.3, 0.2, 0.2, 0.2, 0.1], [0.6, 0.1, 0.1, 0.1, 0.1]])
    head = (np.eye(5, dtype=np.float32), np.zeros(5, np.float32))
    kinds = {"cat": [0], "dog": [1, 2, 3], "fedi": []}
    found = zero_shot(logits, ["dog", "dog"], head, kinds)
    assert found is not None
    assert (found.share.right, found.share.pictures) == (1, 2)
    assert found.mass == pytest.approx((0.6 + 0.3) / 2)
    assert found.left_out == ("fedi",)


def test_pictures_of_classes_imagenet_lacks_are_not_counted() -> None:
    head = (np.eye(2, dtype=np.float32), np.zeros(2, np.float32))
    features = np.array([[5.0, 0.0], [0.0, 5.0], [5.0, 0.0]])
    found = zero_shot(features, ["cat", "dog", "fedi"], head, {"cat": [0], "dog": [1], "fedi": []})
    assert found is not None
    assert (found.share.right, found.share.pictures) == (2, 2)
    assert zero_shot(features, ["cat"] * 3, head, {"cat": [0], "fedi": []}) is None
