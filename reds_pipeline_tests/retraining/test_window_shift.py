from __future__ import annotations

import numpy as np
import pytest

from reds_pipeline.modeling.feature_drift import FEWEST_UNITS
from reds_pipeline.retraining.window_shift import Pictures, class_share_change, window_shift

CLASSES = ("bird", "cat", "dog")


def pictures(
    count: int,
    prefix: str,
    seed: int,
    *,
    shift: float = 0.0,
    authors: int = 0,
    shares: tuple[float, ...] = (1 / 3, 1 / 3, 1 / 3),
) -> Pictures:
    """Return pictures whose class and author show in the features, and whose time may."""
    generator = np.random.default_rng(seed)
    authors = authors or count // 3
    author = generator.integers(authors, size=count)
    habits = generator.normal(size=(authors, 24)) * 0.7
    label = generator.choice(3, count, p=shares)
    features = generator.normal(size=(count, 24)) + habits[author]
    features[np.arange(count), label] += 6
    features[:, 10] += shift
    return Pictures(
        features.astype(np.float32),
        [CLASSES[number] for number in label],
        [f"{prefix} {number}" for number in author],
    )


@pytest.mark.req("R-IMP-5")
@pytest.mark.req("R-IMP-8")
def test_pictures_of_one_kind_are_told_apart_no_better_than_by_chance() -> None:
    """People have habits; a classifier that knew people would take them for times."""
    found = [
        window_shift(pictures(240, "old", seed), pictures(120, "new", 50 + seed), seed=0)
        for seed in range(3)
    ]
    assert all(shift is not None for shift in found)
    areas = [shift.auc for shift in found if shift]
    assert np.mean(areas) == pytest.approx(0.5, abs=0.06)
    assert np.mean([shift.baseline for shift in found if shift]) == pytest.approx(0.5, abs=0.03)
    assert sum(shift.auc > shift.chance for shift in found if shift) <= 1


@pytest.mark.req("R-IMP-5")
def test_chance_is_that_of_so_few_new_pictures_however_many_were_learnt() -> None:
    old, few = pictures(900, "old", 8), pictures(45, "new", 9)
    among_many = window_shift(old, few, seed=0)
    among_few = window_shift(pictures(180, "old", 8), few, seed=0)
    assert among_many is not None
    assert among_few is not None
    assert among_many.chance == pytest.approx(among_few.chance, abs=0.08)
    assert among_many.chance > 0.6


@pytest.mark.req("R-IMP-5")
def test_a_change_of_looks_is_seen_beyond_chance_and_more_change_more() -> None:
    areas = []
    for amount in (1.5, 4.0):
        shift = window_shift(pictures(240, "old", 1), pictures(120, "new", 2, shift=amount), seed=0)
        assert shift is not None
        assert shift.low > shift.chance
        assert shift.low <= shift.auc <= shift.high
        areas.append(shift.auc)
    assert areas[0] < areas[1] - 0.05


def test_another_share_of_classes_is_no_other_looks() -> None:
    old = pictures(300, "old", 3)
    new = pictures(150, "new", 4, shares=(0.1, 0.1, 0.8))
    shift = window_shift(old, new, seed=0)
    assert shift is not None
    assert shift.auc < shift.chance + 0.03
    assert class_share_change(old.labels, new.labels) == pytest.approx(0.45, abs=0.08)


def test_people_who_post_at_both_times_are_no_change() -> None:
    old, new = pictures(240, "same", 5), pictures(120, "same", 6, authors=80)
    shift = window_shift(old, new, seed=0)
    assert shift is None or shift.auc < shift.chance + 0.03


def test_a_few_people_say_nothing() -> None:
    few = pictures(60, "new", 7, authors=FEWEST_UNITS - 1)
    assert window_shift(pictures(240, "old", 8), few, seed=0) is None
    other = Pictures(few.features, ["fox"] * 60, [f"author {n}" for n in range(60)])
    assert window_shift(pictures(60, "old", 8), other, seed=0) is None


def test_the_same_pictures_give_the_same_numbers() -> None:
    old, new = pictures(150, "old", 1), pictures(60, "new", 2)
    assert window_shift(old, new, seed=3) == window_shift(old, new, seed=3)


@pytest.mark.parametrize(
    ("old", "new", "change"),
    [("aabb", "aabb", 0), ("aabb", "ab", 0), ("aaaa", "bb", 1), ("aabb", "aaab", 0.25)],
)
def test_the_change_of_class_shares_is_what_would_have_to_move(
    old: str, new: str, change: float
) -> None:
    assert class_share_change(list(old), list(new)) == change
    assert class_share_change(list(new), list(old)) == change


def test_no_pictures_have_no_shares() -> None:
    with pytest.raises(ValueError, match="no pictures"):
        class_share_change([], ["a"])
