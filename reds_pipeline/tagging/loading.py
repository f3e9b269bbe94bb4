"""From a registered version to a model that answers.

What belongs here: reading the bundle, having its encoder run by the fastest engine that is known to
agree here, and trying it once. What does not: deciding which version (``champion_watch.py``), or
measuring engines (``reds backbones --measure``).
"""

from __future__ import annotations

import logging
from collections.abc import Iterable
from typing import TYPE_CHECKING

import numpy as np

from reds_pipeline.errors import RedsError
from reds_pipeline.resources import Platform
from reds_pipeline.storage.clock import utc_now
from reds_pipeline.tagging.loaded_model import LoadedModel
from reds_pipeline.tagging.recommendation import ServedModel
from reds_pipeline.tagging.running_encoder import EncoderDescription, RunningEncoder
from reds_pipeline.tracking import RegisteredVersion

if TYPE_CHECKING:
    from reds_pipeline.embedding.encoder_source import EncoderSource
    from reds_pipeline.embedding.engines.engine import BuildRequest, Engine, Runner
    from reds_pipeline.modeling.bundle import ModelBundle

_LOGGER = logging.getLogger(__name__)


def load_model(
    platform: Platform, version: RegisteredVersion, running: Iterable[RunningEncoder] = ()
) -> LoadedModel:
    """Load a version and let it answer about one square, so that the first photo waits for nothing.

    Args:
        platform: The installation.
        version: Of a registered model.
        running: Encoders that run already, which are used where they are the right ones.

    Raises:
        RedsError: The bundle is gone or damaged, its encoder cannot be had or is another one than
            it was trained with, squares are prepared by another rule, or it answers nonsense.
    """
    from reds_pipeline.imaging.resize import resize_rule
    from reds_pipeline.shared_test import read_bundle

    bundle = read_bundle(platform.tracking, version)
    provenance = bundle.provenance
    shared = [each for each in running if each.description.encoder_id == provenance.encoder_id]
    encoder = shared[0] if shared else run_encoder(platform, bundle)
    try:
        require_resize_rule(bundle, resize_rule(encoder.description.side))
        _try(bundle, encoder)
    except BaseException:
        if not shared:
            encoder.retire()
        raise
    served = ServedModel(
        name=version.model,
        version=version.version,
        kind=bundle.kind,
        backbone=provenance.encoder_name,
        trained_at=provenance.trained_at,
        serving_since=utc_now(),
        tags=bundle.classes,
    )
    return LoadedModel(version.run_id, served, bundle, encoder)


def require_resize_rule(bundle: ModelBundle, rule: str) -> None:
    """Refuse squares that are prepared otherwise than in training (R-PRD-4).

    Raises:
        RedsError: ``rule`` is not the one of the training.
    """
    if bundle.provenance.resize_rule != rule:
        raise RedsError(
            f"The model was trained on pictures prepared by {bundle.provenance.resize_rule}, "
            f"but this REDS prepares them by {rule}; run the training again."
        )


def run_encoder(platform: Platform, bundle: ModelBundle) -> RunningEncoder:
    """Start the encoder of a model.

    The engine is the fastest of those that were measured on this machine, in this home, to agree
    with PyTorch; where nothing was measured it is PyTorch itself. Nothing is measured here, because
    people wait.

    Raises:
        RedsError: The encoder cannot be had, or is another one than the model was trained with.
    """
    from reds_pipeline.embedding.encoder import EncoderSpec
    from reds_pipeline.embedding.encoder_source import EncoderSource
    from reds_pipeline.embedding.tiny import TINY

    spec = EncoderSpec(bundle.provenance.encoder_name, platform.settings.weights_dir)
    source = EncoderSource(spec, platform.home.embeddings)
    identity = source.identity
    bundle.require_encoder(identity.encoder_id)
    if spec.name == TINY:
        reason = "It needs no network, so nothing else can run it."
        description = EncoderDescription(identity.encoder_id, identity.input_size, "numpy", reason)
        return RunningEncoder(description, source.encoder, lambda: source.encoder)
    engine, runner, batch, reason = _fastest(platform, source)
    _LOGGER.info("%s runs %s: %s", engine.name, spec.name, reason)
    description = EncoderDescription(identity.encoder_id, identity.input_size, engine.name, reason)
    return RunningEncoder(
        description, lambda squares: runner(squares, batch), lambda: source.encoder
    )


def _fastest(platform: Platform, source: EncoderSource) -> tuple[Engine, Runner, int, str]:
    """Return the engine, it built, its batch size, and why that one."""
    from reds_pipeline.embedding.engines.available import ENGINES, engine_named
    from reds_pipeline.embedding.engines.engine import REFERENCE
    from reds_pipeline.embedding.engines.machine import usable_cores
    from reds_pipeline.embedding.engines.measured import recall
    from reds_pipeline.embedding.engines.selection import AUTO

    wanted, request = platform.settings.inference, _build_request(platform, source)
    measured = recall(request.directory, usable_cores())
    known = measured.engines if measured else {}
    agreeing = [
        engine
        for engine in ENGINES
        if (result := known.get(engine.name)) and result.rate and not result.refusal
        if wanted in (AUTO, engine.name)
    ]
    passed_over = []
    for engine in sorted(agreeing, key=lambda engine: -known[engine.name].rate):
        try:
            runner = engine.build(request)
        except Exception as error:
            # An engine that breaks, in whatever way, must not keep people from being answered.
            _LOGGER.warning("The engine %s is passed over: %s", engine.name, error)
            passed_over.append(engine.name)
            continue
        reason = (
            "It is the fastest that was measured here to agree with PyTorch"
            if wanted == AUTO
            else "REDS_INFERENCE names it, and it was measured here to agree with PyTorch"
        )
        if passed_over:
            reason += f", after {' and '.join(passed_over)}, which cannot be had any more"
        reason += "."
        return engine, runner, known[engine.name].batch, reason
    reference = engine_named(REFERENCE)
    if wanted not in (AUTO, REFERENCE):
        reason = (
            f"{engine_named(wanted).name}, which REDS_INFERENCE names, was not measured here to "
            "agree with PyTorch; `reds backbones --measure` does that."
        )
    else:
        reason = "No other engine was measured here; `reds backbones --measure` does that."
    return reference, reference.build(request), max(reference.batches), reason


def _build_request(platform: Platform, source: EncoderSource) -> BuildRequest:
    from numpy.typing import NDArray

    from reds_pipeline.embedding.engines.engine import BuildRequest, EngineUnavailable
    from reds_pipeline.embedding.engines.machine import usable_cores
    from reds_pipeline.embedding.timm_backbone import TimmEncoder

    def network() -> TimmEncoder:
        encoder = source.encoder
        assert isinstance(encoder, TimmEncoder), "only networks have engines"
        return encoder

    def no_pictures() -> NDArray[np.uint8]:
        raise EngineUnavailable("its converted network is gone, and making it needs pictures")

    return BuildRequest(
        encoder=network,
        dimension=source.identity.dimension,
        threads=usable_cores(),
        directory=platform.home.engines / source.identity.encoder_id,
        calibration=no_pictures,
    )


def _try(bundle: ModelBundle, encoder: RunningEncoder) -> None:
    """Ask about one grey square, as the first photo would be asked about."""
    side = encoder.description.side
    features = encoder.embed(np.full((1, side, side, 3), 128, np.uint8))
    if features.shape != (1, bundle.dimension):
        raise RedsError(
            f"The encoder {encoder.description.encoder_id} gives {features.shape[1]} numbers a "
            f"picture, but the model takes {bundle.dimension}; train it again."
        )
    if not np.isfinite(bundle.predict(features)).all():
        raise RedsError(
            "The model answers with numbers that are not finite; train it again or choose another "
            "version."
        )
