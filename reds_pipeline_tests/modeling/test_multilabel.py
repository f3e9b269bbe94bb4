from __future__ import annotations

from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from reds_pipeline.modeling.bundle import Provenance, load_bundle, save_bundle
from reds_pipeline.modeling.calibration import sigmoid
from reds_pipeline.modeling.multilabel import (
    LEAST_CHANCE,
    UNSHOWN_CHANCE,
    TagExperiment,
    TagParameters,
    bundle_of_tags,
    draw_thresholds,
    run_tag_experiment,
)
from reds_pipeline.modeling.splits import Split, make_split

PROVENANCE = Provenance("tiny", "tiny-1", "square-1", "0" * 64, "2026-01-02T03:04:05Z", {})
TAGS = ("cat", "dog", "pet", "sunny", "love", "rare")
IMAGES, AUTHORS = 360, 60


def _problem() -> tuple[np.ndarray, np.ndarray, list[str], Split]:
    """Return features, targets and groups: four tags can be seen, ``love`` cannot."""
    generator = np.random.default_rng(5)
    cat = generator.random(IMAGES) < 0.5
    sunny = generator.random(IMAGES) < 0.3
    pet = generator.random(IMAGES) < 0.6
    love = generator.random(IMAGES) < 0.25
    rare = (np.arange(IMAGES) % 45 == 0) & cat
    rare[:2] = True
    targets = np.stack([cat, ~cat, pet, sunny, love, rare], axis=1)
    signal = np.stack([cat, sunny, pet, rare], axis=1).astype(np.float64)
    features = np.hstack([signal, signal]) * 2 + generator.normal(size=(IMAGES, 8)) * 0.7
    groups = [str(number % AUTHORS) for number in range(IMAGES)]
    labels = ["cat" if is_cat else "dog" for is_cat in cat]
    split = make_split(labels, groups, protocol="grouped", seed=1)
    return features.astype(np.float32), targets, groups, split


@pytest.fixture(scope="module")
def experiment() -> TagExperiment:
    features, targets, groups, split = _problem()
    return run_tag_experiment(features, targets, groups, split, TagParameters(seed=1))


@pytest.mark.req("R-IMP-1")
def test_every_tag_above_its_own_threshold_is_given(experiment: TagExperiment) -> None:
    features, targets, _groups, split = _problem()
    bundle = bundle_of_tags(experiment, TAGS, PROVENANCE)
    chances = bundle.predict(features[split.test])
    assert np.allclose(chances, experiment.chances[split.test])
    given_tags = bundle.is_given(chances)
    assert np.array_equal(given_tags, experiment.given[split.test])
    assert len(set(bundle.thresholds.tolist())) > 1
    assert set(given_tags.sum(axis=1).tolist()) > {1, 2}, "any number of tags a picture"
    seen = [TAGS.index(tag) for tag in ("cat", "dog", "pet", "sunny")]
    assert (given_tags[:, seen] == targets[split.test][:, seen]).mean() > 0.9


@pytest.mark.req("H-18")
def test_chances_of_tags_are_independent_of_each_other(experiment: TagExperiment) -> None:
    """A pet that is a cat has two tags of near certainty: the chances add up to more than 1."""
    sums = experiment.chances.sum(axis=1)
    assert sums.max() > 1.5
    assert np.ptp(sums) > 0.5


@pytest.mark.req("H-19")
def test_it_beats_naming_the_most_frequent_tags(experiment: TagExperiment) -> None:
    assert experiment.test is not None
    assert experiment.test_popularity is not None
    folds, test = experiment.folds.recommendations, experiment.test.recommendations
    assert folds.precision_at_1.low > experiment.popularity.precision_at_1.high
    assert folds.recall_at_5.value > experiment.popularity.recall_at_5.value
    assert test.precision_at_1.value > experiment.test_popularity.precision_at_1.value
    assert test.recall_at_5.value > experiment.test_popularity.recall_at_5.value


def test_a_tag_that_pictures_do_not_show_is_not_named_on_all_of_them(
    experiment: TagExperiment,
) -> None:
    """Its F1 would be highest so, which says nothing of a picture."""
    shown = dict(zip(TAGS, experiment.calibration.shown, strict=True))
    assert shown["cat"] and shown["pet"] and shown["sunny"]
    love = TAGS.index("love")
    assert not shown["love"]
    assert experiment.calibration.thresholds[love] == UNSHOWN_CHANCE
    assert not experiment.given[:, love].any()


def test_no_answer_depends_on_the_fold_it_is_given_for() -> None:
    """The tags of one fold's pictures are turned over; what is said of them stays as it was.

    Within the tolerance of the solver, which works on all folds at once.
    """
    features, targets, groups, split = _problem()
    parameters = TagParameters(C=1e-2, seed=1)
    fair = run_tag_experiment(features, targets, groups, split, parameters)
    asked = split.fold == 2
    spoiled = targets.copy()
    spoiled[asked] = ~spoiled[asked]
    other = run_tag_experiment(features, spoiled, groups, split, parameters)
    assert np.allclose(fair.chances[asked], other.chances[asked], atol=1e-4)
    assert np.array_equal(fair.given[asked], other.given[asked])
    spoiled_test = targets.copy()
    spoiled_test[split.test] = ~spoiled_test[split.test]
    other = run_tag_experiment(features, spoiled_test, groups, split, parameters)
    assert np.allclose(fair.chances, other.chances, atol=1e-4)
    assert np.array_equal(fair.given, other.given)


def test_the_same_experiment_twice_gives_the_same_to_the_bit(
    experiment: TagExperiment, tmp_path: Path
) -> None:
    features, targets, groups, split = _problem()
    again = run_tag_experiment(features, targets, groups, split, TagParameters(seed=1))
    for name, each in (("one", experiment), ("other", again)):
        save_bundle(bundle_of_tags(each, TAGS, PROVENANCE), tmp_path / name)
    for file in ("bundle.json", "model.safetensors"):
        assert (tmp_path / "one" / file).read_bytes() == (tmp_path / "other" / file).read_bytes()
    assert load_bundle(tmp_path / "one").kind == "tags"
    assert again.folds.mean_average_precision == experiment.folds.mean_average_precision


def test_tags_that_no_test_image_has_leave_the_test_unmeasured() -> None:
    features, targets, groups, split = _problem()
    targets = targets & split.training[:, None]
    measured = run_tag_experiment(features, targets, groups, split, TagParameters(C=1e-2))
    assert measured.test is None
    assert measured.test_popularity is None
    assert measured.folds.recommendations.precision_at_1.value > 0.5


def test_a_tag_of_one_author_alone_is_no_failure() -> None:
    """Where its fold is left out, no picture with the tag remains to learn from."""
    features, targets, groups, split = _problem()
    only = targets.copy()
    author = groups[int(np.flatnonzero(split.fold == 0)[0])]
    only[:, -1] = np.array(groups) == author
    measured = run_tag_experiment(features, only, groups, split, TagParameters(C=1e-2))
    assert np.isfinite(measured.chances).all()
    assert np.isfinite(measured.calibration.thresholds).all()


def _f1(chances: np.ndarray, targets: np.ndarray, threshold: float) -> float:
    named = chances >= threshold
    return 2 * float((named & targets).sum()) / float(named.sum() + targets.sum())


@settings(max_examples=60)
@given(st.integers(0, 10_000), st.integers(4, 60), st.sampled_from([4, 1000]))
def test_no_threshold_gives_a_higher_f1(seed: int, images: int, levels: int) -> None:
    """Wherever it is not held up by the least chance that is worth naming."""
    generator = np.random.default_rng(seed)
    targets = generator.random((images, 3)) < 0.4
    noise = generator.random((images, 3))
    chances = np.ceil((0.6 * targets + 0.4 * noise) * levels) / levels
    thresholds, shown = draw_thresholds(chances, targets)
    for tag in range(3):
        least = LEAST_CHANCE if shown[tag] else UNSHOWN_CHANCE
        assert thresholds[tag] >= least
        if thresholds[tag] > least and targets[:, tag].any():
            best = _f1(chances[:, tag], targets[:, tag], thresholds[tag])
            others = [_f1(chances[:, tag], targets[:, tag], cut) for cut in chances[:, tag]]
            assert best >= max(others) - 1e-12


def test_a_rare_tag_is_named_from_a_tenth_on_at_the_earliest() -> None:
    """H-17; the highest F1 of a handful of pictures may lie at a chance of one in a hundred."""
    targets = np.zeros((500, 1), bool)
    targets[:5] = True
    chances = np.where(targets, 0.03, 0.005)
    thresholds, shown = draw_thresholds(chances, targets)
    assert shown.all()
    assert thresholds.tolist() == [LEAST_CHANCE]


@pytest.mark.parametrize("share", [0.0, 1.0])
def test_a_tag_of_none_or_all_pictures_shows_nothing(share: float) -> None:
    targets = np.full((30, 1), bool(share))
    thresholds, shown = draw_thresholds(np.linspace(0, 1, 30)[:, None], targets)
    assert not shown.any()
    assert np.isfinite(thresholds).all()


def test_clearer_pictures_have_higher_chances(experiment: TagExperiment) -> None:
    """A sigmoid never turns a ranking over."""
    calibration = experiment.calibration
    values = np.linspace(-3, 3, 20)[:, None].repeat(len(TAGS), axis=1)
    for lower, higher in pairwise(calibration.chances(values)):
        assert (higher >= lower).all()
    flat = replace(calibration, slope=np.zeros(len(TAGS)))
    assert np.allclose(flat.chances(values), sigmoid(calibration.offset))
