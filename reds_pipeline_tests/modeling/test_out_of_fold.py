from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from reds_pipeline.modeling.out_of_fold import out_of_fold_chances
from reds_pipeline_tests.modeling.clouds import clouds


@settings(max_examples=40)
@given(
    st.lists(
        st.tuples(st.sampled_from("abc"), st.integers(0, 12).map(str)), min_size=1, max_size=60
    ),
    st.integers(0, 3),
)
def test_every_picture_has_chances_or_its_class_is_named(
    pictures: list[tuple[str, str]], seed: int
) -> None:
    """However few groups stand behind a class, the answer is a table and no error."""
    labels, groups = ([picture[part] for picture in pictures] for part in (0, 1))
    features = np.random.default_rng(seed).normal(size=(len(labels), 3)).astype(np.float32)
    result = out_of_fold_chances(features, labels, groups, seed=seed)
    assert set(result.classes) | set(result.unjudged) == set(labels)
    assert not set(result.classes) & set(result.unjudged)
    assert len(result.classes) != 1
    assert result.judged.tolist() == [label in result.classes for label in labels]
    assert result.chances.shape == (len(labels), len(result.classes))
    assert np.allclose(result.chances[result.judged].sum(axis=1), 1)
    assert np.isnan(result.chances[~result.judged]).all()


@pytest.mark.req("R-EXP-2")
def test_a_copy_does_not_vouch_for_a_wrong_label() -> None:
    """Copies of one picture carry the same wrong label; alone in a corner, they would be learnt."""
    features, labels = clouds(classes=2, each=40)
    corner = np.tile(features[0] + 3 * features.std(axis=0), (10, 1))
    features = np.concatenate([features, corner])
    labels = [*labels, *["class 1"] * 10]
    together = [*map(str, range(80)), *["copies"] * 10]
    apart = [str(number) for number in range(90)]

    def chance_of_the_label(groups: list[str]) -> float:
        result = out_of_fold_chances(features, labels, groups, seed=0)
        return float(result.chances[80:, result.classes.index("class 1")].max())

    assert chance_of_the_label(together) < 0.5 < chance_of_the_label(apart)


def test_a_class_of_few_authors_is_left_out_on_both_sides() -> None:
    """Four authors, however many pictures, do not make five folds."""
    features, labels = clouds(classes=3, each=20)
    groups = [
        str(number % 4) if label == "class 2" else f"own {number}"
        for number, label in enumerate(labels)
    ]
    result = out_of_fold_chances(features, labels, groups, seed=0)
    assert result.unjudged == {"class 2": 4}
    without = out_of_fold_chances(features[:40], labels[:40], groups[:40], seed=0)
    assert np.array_equal(result.chances[:40], without.chances)


def test_one_class_cannot_be_judged() -> None:
    features, labels = clouds(classes=1, each=20)
    result = out_of_fold_chances(features, labels, [str(number) for number in range(20)], seed=0)
    assert result.unjudged == {"class 0": 20}
    assert not result.judged.any()


@pytest.mark.parametrize("most_fitted", [30, 100_000])
def test_a_large_class_does_not_crowd_out_a_small_one(most_fitted: int) -> None:
    """A head is fitted on so many of each class, and still answers about every picture."""
    features, labels = clouds(classes=3, each=200, spread=0.3)
    kept = [number for number, label in enumerate(labels) if label != "class 2" or number < 410]
    names = [labels[number] for number in kept]
    groups = [str(number) for number in kept]
    result = out_of_fold_chances(features[kept], names, groups, seed=0, most_fitted=most_fitted)
    assert result.judged.all()
    guesses = np.array(result.classes)[result.chances.argmax(axis=1)]
    assert np.mean(guesses == names) > 0.98
