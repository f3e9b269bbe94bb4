"""Which engine embeds what is missing, and why that one.

What belongs here: the rule, and measuring where that pays. What does not: engines, and embedding.
The engine is taken that needs the least time until all pictures that are wanted are embedded by
it, so a store that holds nearly all of them already is gone on with, and no store ever mixes the
numbers of two engines.
"""

from __future__ import annotations

import logging
import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from reds_pipeline.embedding.engines.available import ENGINES, engine_named
from reds_pipeline.embedding.engines.engine import (
    REFERENCE,
    BuildRequest,
    Engine,
    EngineUnavailable,
    Runner,
)
from reds_pipeline.embedding.engines.measured import (
    MeasuredEngines,
    now_measured,
    recall,
    remember,
)
from reds_pipeline.embedding.engines.measurement import (
    EngineMeasurement,
    Sample,
    measure_engine,
    reference_rate,
)
from reds_pipeline.errors import RedsError

_LOGGER = logging.getLogger(__name__)

AUTO = "auto"
_PICTURES_FOR_A_GUESS = 4


@dataclass(frozen=True)
class Job:
    """What is to be embedded.

    Attributes:
        wanted: ``auto`` or the name of an engine.
        encoder_id: Whose embeddings they are.
        request: What engines are built from.
        missing: Says how many of the pictures a store of that name lacks.
        sample: Gives pictures to measure on.
        worth_seconds: The reference's time for what it lacks from which other engines are
            measured at all.
    """

    wanted: str
    encoder_id: str
    request: BuildRequest
    missing: Callable[[str], int]
    sample: Callable[[], Sample]
    worth_seconds: float


@dataclass(frozen=True)
class Choice:
    """The engine that was chosen, ready to run.

    Attributes:
        engine: Which.
        runner: It, built.
        batch: Pictures at once.
        reason: Why this one, as a sentence.
        measured: What the choice rests on; None where nothing was measured.
    """

    engine: Engine
    runner: Runner
    batch: int
    reason: str
    measured: MeasuredEngines | None


def choose_engine(job: Job) -> Choice:
    """Choose, measuring first where it pays, and build what was chosen.

    Raises:
        RedsError: A named engine does not exist, cannot be had here, or does not agree with the
            reference.
    """
    if job.wanted != AUTO:
        return _named(job)
    measured = recall(job.request.directory, job.request.threads)
    rate = measured.engines[REFERENCE].rate if measured else _guessed_rate(job)
    missing = job.missing(job.encoder_id)
    expected = missing / rate
    if expected >= job.worth_seconds and _may_be_incomplete(measured, expected):
        measured = measure(job, expected_seconds=expected)
    if measured is None:
        reason = (
            f"The reference embeds {missing} pictures in about {expected:.0f} s, too little to "
            "measure other engines for."
        )
        return _built(engine_named(REFERENCE), job, None, reason)
    for engine, seconds in _soonest(job, measured):
        reason = f"It has all pictures embedded soonest, in about {seconds:.0f} s."
        try:
            return _built(engine, job, measured, reason)
        except EngineUnavailable as error:
            _LOGGER.warning("the engine %s is passed over: %s", engine.name, error)
    raise AssertionError("the reference is always there")


def measure(job: Job, *, expected_seconds: float = math.inf, only: str = "") -> MeasuredEngines:
    """Measure engines that have not been measured on this machine, and remember the results.

    Args:
        job: What for.
        expected_seconds: The reference's time for what is to be embedded. An engine that takes
            longer to build than half of the best time so far is not tried, and one that is
            slower than another that may be used is not compared with the reference.
        only: Name of the one engine to measure beside the reference; all where empty.
    """
    threads, directory = job.request.threads, job.request.directory
    known = recall(directory, threads)
    is_for_people = math.isinf(expected_seconds)
    results = {
        name: result
        for name, result in (known.engines if known else {}).items()
        if not (result.passed_over and (is_for_people or not result.rate))
    }
    sample = job.sample()
    reference = job.request.encoder()(sample.images)
    for engine in ENGINES:
        is_asked_for = not only or engine.name in {only, REFERENCE}
        if engine.name in results or not is_asked_for:
            continue
        can_save = expected_seconds * _best_share_of_time(results) / 2
        if engine.setup_seconds > can_save and not engine.lacking():
            result = EngineMeasurement(
                engine.name,
                f"building it takes about {engine.setup_seconds:.0f} s and could save "
                f"{can_save:.0f} s",
                passed_over=True,
            )
        else:
            to_beat = 0.0 if is_for_people else _best_rate(results)
            result = measure_engine(engine, job.request, sample, reference, rate_to_beat=to_beat)
        _LOGGER.info("%s", result)
        results[engine.name] = result
    measured = now_measured(threads, len(sample.images), results)
    remember(directory, measured)
    return measured


def _best_share_of_time(results: Mapping[str, EngineMeasurement]) -> float:
    """Return the time of the fastest engine that may be used, as a share of the reference's."""
    best = _best_rate(results)
    return results[REFERENCE].rate / best if best else 1.0


def _best_rate(results: Mapping[str, EngineMeasurement]) -> float:
    """Return the images a second of the fastest engine that may be used, 0 before there is one."""
    return max((result.rate for result in results.values() if not result.refusal), default=0.0)


def _named(job: Job) -> Choice:
    engine = engine_named(job.wanted)
    reason = "REDS_INFERENCE names it."
    if engine.name == REFERENCE:
        return _built(engine, job, None, reason)
    measured = recall(job.request.directory, job.request.threads)
    result = measured.engines.get(engine.name) if measured else None
    if measured is None or result is None or result.passed_over:
        measured = measure(job, only=engine.name)
    if refusal := measured.engines[engine.name].refusal:
        raise RedsError(_refused(engine, refusal))
    try:
        return _built(engine, job, measured, reason)
    except EngineUnavailable as error:
        raise RedsError(_refused(engine, str(error))) from error


def _refused(engine: Engine, refusal: str) -> str:
    return (
        f"The engine {engine.name} that REDS_INFERENCE names cannot be used here: {refusal}; set "
        "REDS_INFERENCE to auto or to another engine."
    )


def _may_be_incomplete(measured: MeasuredEngines | None, expected_seconds: float) -> bool:
    """Say whether there is an engine to measure that could save more than it costs."""
    if measured is None:
        return True
    can_save = expected_seconds * _best_share_of_time(measured.engines) / 2
    return any(
        engine.setup_seconds <= can_save and not engine.lacking()
        for engine in ENGINES
        if (result := measured.engines.get(engine.name)) is None
        or (result.passed_over and not result.rate)
    )


def _guessed_rate(job: Job) -> float:
    images = job.sample().images[:_PICTURES_FOR_A_GUESS]
    return reference_rate(job.request.encoder(), images, job.request.threads)


def _soonest(job: Job, measured: MeasuredEngines) -> list[tuple[Engine, float]]:
    """Return usable engines with the seconds they need for what their stores lack."""
    directory = job.request.directory
    seconds = [
        (
            engine,
            job.missing(engine.store_name(job.encoder_id, directory)) / result.rate
            + result.setup_seconds,
        )
        for engine in ENGINES
        if (result := measured.engines.get(engine.name)) and not result.refusal
    ]
    return sorted(seconds, key=lambda pair: pair[1])


def _built(engine: Engine, job: Job, measured: MeasuredEngines | None, reason: str) -> Choice:
    result = measured.engines[engine.name] if measured else None
    batch = result.batch if result else max(engine.batches)
    return Choice(engine, engine.build(job.request), batch, reason, measured)
