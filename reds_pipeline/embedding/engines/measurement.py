"""How fast each engine is on this machine, and whether it gives what the reference gives.

What belongs here: running engines on a sample of pictures and comparing them. What does not:
remembering what came out (``measured.py``) and choosing (``selection.py``).
"""

from __future__ import annotations

import logging
import math
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from reds_pipeline.embedding.engines.engine import (
    REFERENCE,
    BuildRequest,
    Engine,
    EngineUnavailable,
    Runner,
)
from reds_pipeline.embedding.engines.machine import resident_megabytes

_LOGGER = logging.getLogger(__name__)

LEAST_COSINE = 0.999
"""Cosine to the reference that the features of every picture must have."""

SAMPLE_COSINE = 1 - 0.7 * (1 - LEAST_COSINE)
"""What the sample must reach, so that the pictures that are not in it reach ``LEAST_COSINE``."""

_ENOUGH_SECONDS = 1.0
_MOST_ROUNDS = 3
_WARM_UP_PICTURES = 8
_PICTURES_FOR_A_RATE = 16


@dataclass(frozen=True)
class EngineMeasurement:
    """What one engine did on the sample.

    Attributes:
        engine: Its name.
        refusal: Why it may not be used, in part of a sentence; empty when it may.
        passed_over: Whether it was not compared with the reference: it was not even tried, because
            that would have taken too long (``rate`` is 0), or another that may be used is faster.
        batch: The faster of its batch sizes.
        rate: Images a second if nothing else is at work: per processor second times cores, and
            for an engine on another device per second of the clock.
        images_per_second: By the clock, other programs included.
        images_per_cpu_second: By the processor time of all threads.
        setup_seconds: By the clock, until it was ready.
        lowest_cosine: To the reference, over the pictures of the sample.
        same_predictions: Whether linear SVMs fitted on reference features say the same; None
            where the sample has too few labels to fit one.
        megabytes: Growth of the process's memory from before the engine was built until it had
            run; None where the system does not say.
    """

    engine: str
    refusal: str
    passed_over: bool = False
    batch: int = 1
    rate: float = 0.0
    images_per_second: float = 0.0
    images_per_cpu_second: float = 0.0
    setup_seconds: float = 0.0
    lowest_cosine: float | None = None
    same_predictions: bool | None = None
    megabytes: float | None = None


@dataclass(frozen=True)
class Sample:
    """Pictures to measure on.

    Attributes:
        images: uint8 (n, side, side, 3).
        labels: One a picture, or None where they are not known.
    """

    images: NDArray[np.uint8]
    labels: Sequence[str] | None = None


def measure_engine(
    engine: Engine,
    request: BuildRequest,
    sample: Sample,
    reference: NDArray[np.float32],
    *,
    rate_to_beat: float = 0.0,
) -> EngineMeasurement:
    """Build one engine, run it on the sample and compare; never raises.

    Args:
        engine: Which.
        request: What it is built from.
        sample: One or more pictures.
        reference: float32 (n, dimension), what the reference gives for them.
        rate_to_beat: Images a second of an engine that may be used. Whether a slower one agrees
            with the reference need not be known, and to find out is most of the work.
    """
    if lacking := engine.lacking():
        return EngineMeasurement(engine.name, lacking)
    memory = resident_megabytes()
    began = time.perf_counter()
    try:
        runner = engine.build(request)
        setup_seconds = time.perf_counter() - began
        measured = _measured(
            engine, runner, request.threads, sample, reference, rate_to_beat=rate_to_beat
        )
    except EngineUnavailable as error:
        return EngineMeasurement(engine.name, str(error))
    except Exception as error:
        # Libraries and drivers fail in ways nobody can list; the next engine is as good.
        _LOGGER.warning("the engine %s failed", engine.name, exc_info=True)
        return EngineMeasurement(engine.name, f"it failed ({type(error).__name__})")
    after = resident_megabytes()
    growth = None if memory is None or after is None else after - memory
    return replace(measured, setup_seconds=setup_seconds, megabytes=growth)


def reference_rate(encoder: Any, images: NDArray[np.uint8], threads: int) -> float:
    """Return about how many images a second the reference makes if nothing else is at work."""
    encoder(images[:1])
    began = time.process_time()
    encoder(images)
    return len(images) * threads / max(time.process_time() - began, 1e-9)


def lowest_cosine(first: NDArray[np.float32], second: NDArray[np.float32]) -> float:
    """Return the smallest cosine between rows of the same number; vectors of zeros have 0."""
    products = np.einsum("nd,nd->n", first, second, dtype=np.float64)
    lengths = np.linalg.norm(first.astype(np.float64), axis=1)
    lengths = lengths * np.linalg.norm(second.astype(np.float64), axis=1)
    return float(np.min(products / np.where(lengths > 0, lengths, 1.0)))


def predictions_agree(
    reference: NDArray[np.float32], features: NDArray[np.float32], labels: Sequence[str]
) -> bool | None:
    """Say whether linear SVMs fitted on reference features predict the same from others.

    Each half of the pictures is predicted by a model fitted on the other half, because nearly
    any features reproduce what a model was fitted on.

    Returns:
        None where a class has no picture in one of the halves, or there is only one class.
    """
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler
    from sklearn.svm import LinearSVC

    names = np.asarray(labels)
    halves = np.zeros(len(names), bool)
    for name in np.unique(names):
        halves[np.flatnonzero(names == name)[::2]] = True
    if len(np.unique(names)) < 2 or set(names[halves]) != set(names[~halves]):
        return None
    for fitted in (halves, ~halves):
        model = make_pipeline(StandardScaler(), LinearSVC(C=0.01, random_state=0))
        model.fit(reference[fitted], names[fitted])
        expected = model.predict(reference[~fitted])
        if not np.array_equal(expected, model.predict(features[~fitted])):
            return False
    return True


def _measured(
    engine: Engine,
    runner: Runner,
    threads: int,
    sample: Sample,
    reference: NDArray[np.float32],
    *,
    rate_to_beat: float,
) -> EngineMeasurement:
    some = sample.images[:_PICTURES_FOR_A_RATE]
    best = max(
        (_timed(runner, some, batch, threads, engine) for batch in engine.batches),
        key=lambda run: run.rate,
    )
    measured = EngineMeasurement(
        engine=engine.name,
        refusal="",
        batch=best.batch,
        rate=best.rate,
        images_per_second=len(some) / best.seconds,
        images_per_cpu_second=len(some) / best.cpu_seconds,
    )
    if best.rate <= rate_to_beat:
        refusal = "another engine that may be used is faster"
        return replace(measured, refusal=refusal, passed_over=True)
    features = runner(sample.images, best.batch)
    finite = bool(np.isfinite(features).all())
    cosine = lowest_cosine(reference, features) if finite else None
    agree = predictions_agree(reference, features, sample.labels or ()) if finite else None
    return replace(
        measured,
        refusal="" if engine.name == REFERENCE else _refusal(cosine, agree),
        lowest_cosine=cosine,
        same_predictions=agree,
    )


def _refusal(cosine: float | None, agree: bool | None) -> str:
    if cosine is None:
        return "it gives numbers that are not finite"
    if cosine < SAMPLE_COSINE:
        return (
            f"its features are too far from the reference (cosine {cosine:.5f}, "
            f"{SAMPLE_COSINE:.4f} is wanted)"
        )
    if agree is False:
        return "a linear SVM predicts other classes from its features"
    return ""


@dataclass(frozen=True)
class _Run:
    batch: int
    rate: float
    seconds: float
    cpu_seconds: float


def _timed(
    runner: Runner, images: NDArray[np.uint8], batch: int, threads: int, engine: Engine
) -> _Run:
    """Warm up, then run the pictures, again where that was quick; the best round counts."""
    runner(images[: min(batch, _WARM_UP_PICTURES)], batch)
    seconds = cpu_seconds = math.inf
    for _ in range(_MOST_ROUNDS):
        clock, processor = time.perf_counter(), time.process_time()
        runner(images, batch)
        cpu_seconds = min(cpu_seconds, max(time.process_time() - processor, 1e-9))
        seconds = min(seconds, time.perf_counter() - clock)
        if seconds > _ENOUGH_SECONDS:
            break
    rate = len(images) * threads / cpu_seconds if engine.on_processor else len(images) / seconds
    return _Run(batch, rate, seconds, cpu_seconds)
