"""From a registered version to a model that answers, by which engine."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from reds_pipeline.embedding.encoder import EncoderSpec, load_encoder
from reds_pipeline.embedding.engines.engine import REFERENCE
from reds_pipeline.embedding.engines.machine import usable_cores
from reds_pipeline.embedding.engines.measured import now_measured, remember
from reds_pipeline.embedding.engines.measurement import EngineMeasurement
from reds_pipeline.errors import RedsError
from reds_pipeline.imaging.resize import RESIZE_RULE
from reds_pipeline.modeling.bundle import ModelBundle, Provenance
from reds_pipeline.resources import Platform
from reds_pipeline.settings import load_settings
from reds_pipeline.tagging.loading import require_resize_rule, run_encoder
from reds_pipeline_tests.embedding.networks import SMALL_NETWORK, write_weights

SIDE = 224


@pytest.fixture(scope="module")
def weights_dir(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_weights(tmp_path_factory.mktemp("weights"), SMALL_NETWORK)


@pytest.fixture(scope="module")
def bundle(weights_dir: Path) -> ModelBundle:
    """Return a model over the small network's embeddings."""
    encoder = load_encoder(EncoderSpec(SMALL_NETWORK, weights_dir))
    return ModelBundle(
        kind="classes",
        classes=("cat", "dog"),
        mean=np.zeros(encoder.dimension),
        scale=np.ones(encoder.dimension),
        weights=np.ones((2, encoder.dimension)),
        intercept=np.zeros(2),
        slope=np.ones(2),
        offset=np.zeros(2),
        thresholds=np.full(2, 0.6),
        provenance=Provenance(
            SMALL_NETWORK, encoder.encoder_id, RESIZE_RULE, "0" * 64, "2026-11-21T12:00:00Z", {}
        ),
    )


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a home that all share, because converting a network takes seconds."""
    return tmp_path_factory.mktemp("loading") / "home"


def platform_of(root: Path, weights_dir: Path, **settings: Any) -> Platform:
    return Platform(load_settings(home=root, weights_dir=weights_dir, **settings))


def note(platform: Platform, bundle: ModelBundle, *results: EngineMeasurement) -> None:
    """Write down what engines were measured to give in this home."""
    directory = platform.home.engines / bundle.provenance.encoder_id
    engines = {result.engine: result for result in results}
    remember(directory, now_measured(usable_cores(), 48, engines))


SLOW = EngineMeasurement(REFERENCE, "", batch=8, rate=10.0)
FAST = EngineMeasurement("openvino", "", batch=8, rate=40.0)
WRONG = EngineMeasurement("openvino-int8", "it gives other features", rate=90.0)
GONE = EngineMeasurement("openvino-int8", "", batch=8, rate=80.0)


@pytest.mark.parametrize(
    ("measured", "wanted", "engine", "because"),
    [
        pytest.param((), "auto", REFERENCE, "No other engine was measured here", id="unmeasured"),
        pytest.param((SLOW, FAST), "auto", "openvino", "It is the fastest", id="fastest"),
        pytest.param((SLOW, FAST, WRONG), "auto", "openvino", "agree", id="other features"),
        pytest.param((SLOW, FAST), REFERENCE, REFERENCE, "agree with PyTorch", id="named"),
        pytest.param((SLOW,), "openvino", REFERENCE, "which REDS_INFERENCE", id="not known"),
        # Its converted network needs pictures to be made again, and people wait.
        pytest.param(
            (SLOW, GONE), "auto", REFERENCE, "after openvino-int8, which cannot", id="gone"
        ),
    ],
)
def test_the_fastest_engine_runs_that_was_measured_here_to_agree(
    *,
    measured: tuple[EngineMeasurement, ...],
    wanted: str,
    engine: str,
    because: str,
    bundle: ModelBundle,
    weights_dir: Path,
    root: Path,
) -> None:
    platform = platform_of(root, weights_dir, inference=wanted)
    note(platform, bundle, *measured)
    running = run_encoder(platform, bundle)
    squares = np.random.default_rng(0).integers(0, 256, (3, SIDE, SIDE, 3), np.uint8)
    features = running.embed(squares)
    running.retire()
    assert running.description.engine == engine
    assert because in running.description.reason
    expected = running.reference()(squares)
    assert np.allclose(features, expected, rtol=1e-3, atol=1e-4)


def test_weights_of_another_network_are_refused(bundle: ModelBundle, tmp_path: Path) -> None:
    """Embeddings of other weights would give nonsense without a sign."""
    others = write_weights(tmp_path / "others", SMALL_NETWORK, seed=2)
    with pytest.raises(RedsError, match="The model was trained on embeddings of"):
        run_encoder(platform_of(tmp_path / "home", others), bundle)


@pytest.mark.req("R-PRD-4")
def test_squares_prepared_by_another_rule_are_refused(bundle: ModelBundle) -> None:
    require_resize_rule(bundle, RESIZE_RULE)
    with pytest.raises(RedsError, match="but this REDS prepares them by another"):
        require_resize_rule(bundle, "another")
