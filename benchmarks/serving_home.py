"""A home whose champion knows real photographs, to be served and measured.

What belongs here: making it, as far as serving needs it. What does not: measuring
(``serving.py``).
"""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np

from benchmarks.planted_labels import Pictures
from reds_pipeline.embedding.encoder import Encoder, EncoderSpec, load_encoder
from reds_pipeline.embedding.engines.engine import BuildRequest
from reds_pipeline.embedding.engines.machine import usable_cores
from reds_pipeline.embedding.engines.measurement import Sample
from reds_pipeline.embedding.engines.selection import AUTO, Job, measure
from reds_pipeline.embedding.timm_backbone import TimmEncoder
from reds_pipeline.imaging.resize import resize_rule, square
from reds_pipeline.modeling.bundle import ModelBundle, Provenance, bundle_from_head, save_bundle
from reds_pipeline.modeling.heads import HeadParameters, fit_head
from reds_pipeline.resources import Platform
from reds_pipeline.settings import load_settings
from reds_pipeline.storage.clock import utc_now
from reds_pipeline.tracking import BUNDLE_DIRECTORY, CHAMPION, MODEL_ARTIFACT

_C = 1e-3
_THRESHOLD = 0.6
_SAMPLE = 48
_MORE_THAN_ANYBODY_SENDS = 10_000_000


def make_home(root: Path, bundle: ModelBundle, weights: Path | None) -> Platform:
    """Make a home whose champion is ``bundle``, and that never refuses a client for its haste."""
    root.mkdir(parents=True, exist_ok=True)
    settings = {
        "backbones": [bundle.provenance.encoder_name],
        "photos_per_minute": _MORE_THAN_ANYBODY_SENDS,
    }
    if weights is not None:
        settings["weights_dir"] = str(weights.resolve())
    lines = [f"{name} = {json.dumps(value)}\n" for name, value in settings.items()]
    (root / "reds.toml").write_text("".join(lines))
    platform = Platform(load_settings(home=root))
    tracking = platform.tracking
    with tracking.training("benchmark", "benchmark", params={}, tags={}) as run:
        local = root / "logged"
        save_bundle(bundle, local / BUNDLE_DIRECTORY)
        (local / "MLmodel").write_text("flavors: {}\n")
        run.log_directory(local, MODEL_ARTIFACT)
    tracking.set_alias(CHAMPION, tracking.register(run.run_id, {}).version)
    return platform


def measure_engine_of(platform: Platform, encoder: Encoder, files: list[Path], name: str) -> str:
    """Measure one engine in this home, so that it is known there; return why it may not be used."""
    assert isinstance(encoder, TimmEncoder), "only networks have engines"
    squares = np.stack([square(path.read_bytes(), encoder.input_size)[0] for path in files])
    sample = Sample(squares[:_SAMPLE], [path.parent.name for path in files[:_SAMPLE]])
    directory = platform.home.engines / encoder.encoder_id
    request = BuildRequest(
        encoder=lambda: encoder,
        dimension=encoder.dimension,
        threads=usable_cores(),
        directory=directory,
        calibration=lambda: sample.images,
    )
    job = Job(
        wanted=AUTO,
        encoder_id=encoder.encoder_id,
        request=request,
        missing=lambda _name: 0,
        sample=lambda: sample,
        worth_seconds=0.0,
    )
    return measure(job, only=name).engines[name].refusal


def trained_bundle(pictures: Pictures, encoder: Encoder) -> ModelBundle:
    """Return a model of the classes of photographs; how good it is does not matter here."""
    head = fit_head(pictures.features, pictures.names.tolist(), HeadParameters(C=_C))
    provenance = Provenance(
        encoder_name=encoder.name,
        encoder_id=encoder.encoder_id,
        resize_rule=resize_rule(encoder.input_size),
        dataset_digest="0" * 64,
        trained_at=utc_now(),
        metrics={},
    )
    return bundle_from_head(head, 1.0, _THRESHOLD, provenance)


def pictures_of(files: list[Path], encoder: Encoder) -> Pictures:
    """Return photographs as features, a few at a time."""
    features = [
        encoder(square(path.read_bytes(), encoder.input_size)[0][None])[0] for path in files
    ]
    names = np.array([path.parent.name for path in files])
    return Pictures(np.stack(features), names, np.array([str(path) for path in files]))


def encoder_of(backbone: str, weights: Path | None) -> Encoder:
    """Return the encoder that everything here is measured with."""
    return load_encoder(EncoderSpec(backbone, weights))
