from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from threadpoolctl import ThreadpoolController

from reds_pipeline.modeling.familiarity import (
    EVERYTHING,
    Familiarity,
    familiar_limit,
    fit_familiarity,
    fit_means,
)
from reds_pipeline.modeling.splits import make_split
from reds_pipeline.modeling.training_only import TrainingOnly
from reds_pipeline_tests.modeling.clouds import clouds

FEATURES, LABELS = clouds(5, each=80, dimension=40)
NAMES = np.array(LABELS)
GROUPS = [str(row // 2) for row in range(len(LABELS))]
SPLIT = make_split(LABELS, GROUPS, protocol="grouped", seed=1)
FITTED = fit_familiarity(FEATURES, LABELS, GROUPS, SPLIT)


def _of_four_classes() -> tuple[Familiarity, np.ndarray]:
    """Return what is learnt without the last class, and the rows of that class."""
    known = LABELS[-1] != NAMES
    labels = NAMES[known].tolist()
    groups = np.array(GROUPS)[known].tolist()
    split = make_split(labels, groups, protocol="grouped", seed=1)
    return fit_familiarity(FEATURES[known], labels, groups, split), FEATURES[~known]


def test_a_class_that_nobody_taught_is_unfamiliar() -> None:
    familiarity, unknown = _of_four_classes()
    assert familiarity.is_familiar(unknown).mean() < 0.2


def test_about_one_in_twenty_known_pictures_is_called_unfamiliar() -> None:
    """Of pictures that had no part in it; in-sample distances would promise too much."""
    further, _ = clouds(5, each=400, dimension=40)
    # The centres are those of the classes above; the noise of the first 400 rows is too.
    share = 1 - FITTED.is_familiar(further[400:]).mean()
    assert 0.02 <= share <= 0.09


@pytest.mark.req("R-EXP-3")
def test_the_test_images_have_no_part_in_it() -> None:
    spoiled = FEATURES.copy()
    spoiled[SPLIT.test] = 1e6
    again = fit_familiarity(spoiled, LABELS, GROUPS, SPLIT)
    assert _same(again, FITTED)


def test_it_is_the_same_to_the_bit_with_any_number_of_threads() -> None:
    with ThreadpoolController().limit(limits=2, user_api="blas"):
        assert _same(fit_familiarity(FEATURES, LABELS, GROUPS, SPLIT), FITTED)


def test_no_picture_vouches_for_itself() -> None:
    """A line through in-sample cosines would be above the one that is drawn."""
    training = SPLIT.training
    in_sample = familiar_limit(FITTED.similarity(FEATURES[training]))
    assert in_sample > FITTED.limit


def test_what_is_kept_does_not_grow_with_the_pictures() -> None:
    """Means over classes: no embedding of a person's photo is in it."""
    assert FITTED.directions.shape == (5, 40)
    assert FITTED.centre.shape == FITTED.scale.shape == (40,)
    rows = FITTED.directions @ ((FEATURES - FITTED.centre) / FITTED.scale).T
    lengths = np.linalg.norm((FEATURES - FITTED.centre) / FITTED.scale, axis=1)
    assert (rows / lengths).max() < 0.999


def test_contributed_photos_are_learnt_from_and_draw_no_line() -> None:
    """What people taught it may not be called unlike what it has learnt from."""
    shift = np.where(np.arange(40) < 10, 4 * FITTED.scale, 0)
    shifted = (FEATURES[:30] + shift).astype(np.float32)
    given_photos = TrainingOnly(
        shifted, [LABELS[0]] * 30, [f"person {row}" for row in range(30)], np.ones(30)
    )
    taught = fit_familiarity(FEATURES, LABELS, GROUPS, SPLIT, given_photos)
    assert taught.similarity(shifted).mean() > FITTED.similarity(shifted).mean()
    nobody = TrainingOnly(shifted, ["unheard of"] * 30, ["x"] * 30, np.ones(30))
    ignored = fit_familiarity(FEATURES, LABELS, GROUPS, SPLIT, nobody)
    assert np.allclose(ignored.directions, FITTED.directions)
    assert ignored.limit == pytest.approx(FITTED.limit)


def test_weights_count_like_copies() -> None:
    names = NAMES[:160]
    doubled = np.concatenate([np.arange(160), np.arange(40)])
    weights = np.where(np.arange(160) < 40, 2.0, 1.0)
    one = fit_means(FEATURES[:160], names, weights)
    other = fit_means(FEATURES[doubled], names[doubled])
    assert np.allclose(one.directions, other.directions)
    assert np.allclose(one.centre, other.centre)
    assert np.allclose(one.scale, other.scale)


@given(st.lists(st.floats(-1, 1), min_size=1, max_size=200))
def test_the_line_leaves_at_most_one_in_twenty_below(similarity: list[float]) -> None:
    values = np.array(similarity)
    limit = familiar_limit(values)
    assert (values < limit).sum() <= 0.05 * (len(values) + 1)
    assert limit in values or (limit == EVERYTHING and len(values) < 19)


@pytest.mark.parametrize(
    ("features", "names"),
    [
        pytest.param(np.zeros((4, 3)), ["a", "a", "b", "b"], id="blank pictures"),
        pytest.param(np.eye(4), ["a", "a", "a", "a"], id="one class"),
        pytest.param(np.full((4, 2), 7.0), ["a", "b", "c", "d"], id="all the same"),
    ],
)
def test_pictures_of_which_nothing_can_be_said_are_familiar(
    features: np.ndarray, names: list[str]
) -> None:
    assert fit_means(features, np.array(names)).is_familiar(features).all()


def test_no_photos_have_no_answers() -> None:
    assert FITTED.is_familiar(np.zeros((0, 40), np.float32)).shape == (0,)


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        pytest.param({"centre": np.zeros(39)}, "scale is", id="lengths differ"),
        pytest.param({"scale": np.zeros(40)}, "not above zero", id="scale of zero"),
        pytest.param({"centre": np.full(40, np.inf)}, "not finite", id="infinite"),
        pytest.param({"centre": np.zeros(40, np.float32)}, "not float64", id="another type"),
        pytest.param({"directions": np.ones((5, 40))}, "unit length", id="no directions"),
        pytest.param({"directions": np.zeros((0, 40))}, "one or more", id="no class"),
        pytest.param({"limit": 1.5}, "not a cosine", id="limit too high"),
        pytest.param({"limit": float("nan")}, "not a cosine", id="limit no number"),
    ],
)
def test_parts_that_make_no_sense_are_refused(change: dict[str, Any], reason: str) -> None:
    parts = {name: getattr(FITTED, name) for name in ("centre", "scale", "directions", "limit")}
    with pytest.raises(ValueError, match=reason):
        Familiarity(**(parts | change))


def _same(one: Familiarity, other: Familiarity) -> bool:
    return one.limit == other.limit and all(
        np.array_equal(getattr(one, name), getattr(other, name))
        for name in ("centre", "scale", "directions")
    )
