"""When an engine may be used, and when a measurement may be believed."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from reds_pipeline.embedding.engines.engine import REFERENCE, BuildRequest, Engine, Runner
from reds_pipeline.embedding.engines.measured import (
    FILE_NAME,
    MeasuredEngines,
    now_measured,
    recall,
    remember,
)
from reds_pipeline.embedding.engines.measurement import (
    SAMPLE_COSINE,
    EngineMeasurement,
    Sample,
    lowest_cosine,
    measure_engine,
    predictions_agree,
)
from reds_pipeline.embedding.timm_backbone import TimmEncoder

PICTURES, DIMENSION = 24, 16
LABELS = ["cat", "dog", "fox"] * (PICTURES // 3)
IMAGES = np.zeros((PICTURES, 8, 8, 3), np.uint8)


def _reference() -> NDArray[np.float32]:
    """Return features in three clear heaps."""
    generator = np.random.default_rng(5)
    centres = generator.normal(0, 5, (3, DIMENSION))
    noise = generator.normal(0, 1, (PICTURES, DIMENSION))
    features: NDArray[np.float32] = (np.tile(centres, (PICTURES // 3, 1)) + noise).astype(
        np.float32
    )
    return features


REFERENCE_FEATURES = _reference()


def _no_network() -> TimmEncoder:
    raise AssertionError("these engines compute nothing")


REQUEST = BuildRequest(_no_network, DIMENSION, 1, Path("unused"), lambda: IMAGES)


def _giving(features: NDArray[np.float32], *, fails: bool = False) -> Engine:
    """Return an engine that gives these features, or fails on its way there."""

    def build(_request: BuildRequest) -> Runner:
        if fails:
            raise RuntimeError("a driver is missing")
        return lambda images, _batch: features[: len(images)]

    return Engine("made up", "numpy", "for a test", 0.0, (4, PICTURES), str, build)


def _bent(cosine: float) -> NDArray[np.float32]:
    """Return the reference's features with one picture turned until its cosine is this."""
    bent = REFERENCE_FEATURES.copy()
    row = bent[7].astype(np.float64)
    aside = np.roll(row, 1) - row * (np.roll(row, 1) @ row) / (row @ row)
    aside *= np.linalg.norm(row) / np.linalg.norm(aside)
    bent[7] = cosine * row + np.sqrt(1 - cosine**2) * aside
    return bent


@pytest.mark.parametrize(
    ("features", "refusal"),
    [
        pytest.param(REFERENCE_FEATURES, "", id="the same"),
        pytest.param(
            REFERENCE_FEATURES * np.linspace(1, 900, PICTURES, dtype=np.float32)[:, None],
            "other classes",
            id="lengths that a cosine does not see",
        ),
        pytest.param(_bent(SAMPLE_COSINE + 1e-4), "", id="near enough"),
        pytest.param(_bent(SAMPLE_COSINE - 1e-4), "too far from", id="one picture is too far"),
        pytest.param(np.roll(REFERENCE_FEATURES, 1, 0), "too far from", id="pictures exchanged"),
        pytest.param(
            np.full_like(REFERENCE_FEATURES, np.nan), "not finite", id="numbers that are none"
        ),
    ],
)
def test_an_engine_is_used_only_if_every_picture_agrees(
    features: NDArray[np.float32], refusal: str
) -> None:
    sample = Sample(IMAGES, LABELS)
    result = measure_engine(_giving(features), REQUEST, sample, REFERENCE_FEATURES)
    assert refusal in result.refusal
    assert bool(result.refusal) == bool(refusal)
    assert result.rate > 0


def test_a_slower_engine_is_not_compared_with_the_reference() -> None:
    """To embed the whole sample once more costs more than the pictures that it would save."""
    wrong = np.full_like(REFERENCE_FEATURES, np.nan)
    result = measure_engine(
        _giving(wrong), REQUEST, Sample(IMAGES, LABELS), REFERENCE_FEATURES, rate_to_beat=1e12
    )
    assert result.passed_over
    assert result.refusal == "another engine that may be used is faster"
    assert result.rate > 0
    assert result.lowest_cosine is None


def test_an_engine_that_fails_is_a_row_with_its_reason() -> None:
    """Drivers fail in ways nobody can list; embedding goes on with another engine."""
    failing = _giving(REFERENCE_FEATURES, fails=True)
    result = measure_engine(failing, REQUEST, Sample(IMAGES), REFERENCE_FEATURES)
    assert result == EngineMeasurement("made up", "it failed (RuntimeError)")


@pytest.mark.parametrize(
    ("labels", "agree"),
    [
        pytest.param(LABELS, True, id="classes with several pictures"),
        pytest.param(["cat"] * PICTURES, None, id="one class"),
        pytest.param([str(number) for number in range(PICTURES)], None, id="one picture a class"),
        pytest.param([], None, id="no labels"),
    ],
)
def test_predictions_are_compared_where_there_are_labels(
    labels: list[str], agree: bool | None
) -> None:
    features = REFERENCE_FEATURES[: len(labels)]
    assert predictions_agree(features, features, labels) is agree


def test_empty_features_have_no_direction() -> None:
    zeros = np.zeros((2, DIMENSION), np.float32)
    assert lowest_cosine(zeros, REFERENCE_FEATURES[:2]) == 0
    assert lowest_cosine(REFERENCE_FEATURES, REFERENCE_FEATURES) == pytest.approx(1)


def _measured() -> MeasuredEngines:
    return now_measured(2, 48, {REFERENCE: EngineMeasurement(REFERENCE, "", rate=7.5)})


def test_a_measurement_is_remembered_for_its_machine_only(tmp_path: Path) -> None:
    """Another number of cores, or another version of a library, makes another order."""
    here = _measured()
    elsewhere = replace(here, machine={**here.machine, "processor": "another"})
    for measured in (elsewhere, here, here):
        remember(tmp_path, measured)
    assert recall(tmp_path, 2) == here
    assert recall(tmp_path, 3) is None
    assert len(json.loads((tmp_path / FILE_NAME).read_text())) == 2


@pytest.mark.parametrize("damage", ["", "{", "{}", '[{"machine": 1}]', "[7]"])
def test_a_damaged_file_costs_a_measurement_only(damage: str, tmp_path: Path) -> None:
    (tmp_path / FILE_NAME).write_text(damage)
    assert recall(tmp_path, 2) is None
    measured = _measured()
    remember(tmp_path, measured)
    assert recall(tmp_path, 2) == measured
