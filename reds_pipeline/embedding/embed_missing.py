"""Embedding what is not embedded yet.

What belongs here: the loop from a store of squares to a store of embeddings, in shards, so that
a killed run loses at most the shard it was making and the next one goes on from there. What
does not: encoders, the choice of what to embed, and the rule by which an engine is chosen
(``engines``). The cost follows what is new: with nothing missing no network is loaded.
"""

from __future__ import annotations

import logging
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import zip_longest
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from tqdm import tqdm

from reds_pipeline.embedding.encoder import Encoder, EncoderSpec, load_encoder
from reds_pipeline.embedding.encoder_source import EncoderSource
from reds_pipeline.embedding.engines.available import ENGINES, engine_named
from reds_pipeline.embedding.engines.engine import BuildRequest, Engine, in_batches
from reds_pipeline.embedding.engines.machine import usable_cores
from reds_pipeline.embedding.engines.measured import MeasuredEngines
from reds_pipeline.embedding.engines.measurement import Sample
from reds_pipeline.embedding.engines.selection import AUTO, Choice, Job, choose_engine, measure
from reds_pipeline.embedding.identity import EncoderIdentity
from reds_pipeline.embedding.timm_backbone import TimmEncoder
from reds_pipeline.embedding.tiny import TINY, TinyEncoder
from reds_pipeline.storage.arrays import ArrayStore

_LOGGER = logging.getLogger(__name__)

SHARD_ROWS = 256
"""Rows a shard: 38 MB of squares at once, and at most so much work lost by a kill."""

SAMPLE_PICTURES = 48
WORTH_MEASURING_SECONDS = 30.0

_BATCH_WITHOUT_NETWORK = 32
_WITHOUT_NETWORK = Engine(
    name="numpy",
    library="numpy",
    summary="no network: plain arithmetic",
    setup_seconds=0.0,
    batches=(_BATCH_WITHOUT_NETWORK,),
    lacking=str,
    build=lambda _request: in_batches(load_encoder(EncoderSpec(TINY)), TinyEncoder.dimension),
    is_reference=True,
)

Squares = Callable[[int, Sequence[str]], ArrayStore]
"""Returns, for a side in pixels and keys, a store of such squares that holds these keys."""


@dataclass(frozen=True)
class Places:
    """Where pictures come from and what is made of them goes.

    Attributes:
        squares: Gives the pictures; asked only for what is missing.
        embeddings: Directory with one store an encoder and engine.
        engines: Directory of what is known about engines, one directory an encoder.
    """

    squares: Squares
    embeddings: Path
    engines: Path


@dataclass(frozen=True)
class Inference:
    """How networks are to be run.

    Attributes:
        wanted: ``auto`` or the name of an engine.
        labels: Classes of pictures by key, as far as they are known; a measurement compares
            predictions on them.
        last_store: Name of the store that was used last, which is kept to where it is complete.
        worth_seconds: The reference's time for what is missing from which other engines are
            measured at all.
    """

    wanted: str = AUTO
    labels: Mapping[str, str] = field(default_factory=dict)
    last_store: str = ""
    worth_seconds: float = WORTH_MEASURING_SECONDS


@dataclass(frozen=True)
class EmbeddingReport:
    """What one call of ``embed_missing`` did.

    Attributes:
        encoder_id: Which function of a picture the embeddings are.
        embeddings_id: Name of the store that holds them: one engine's.
        engine: Which engine made them.
        reason: Why that one, as a sentence.
        dimension: Length of one embedding.
        input_size: Side in pixels of the squares they were made from.
        weights: Origin of the encoder's weights in plain words.
        preprocessing: What happened to a square first, in plain words.
        requested: Different keys asked for.
        computed: Pictures that went through the encoder in this call.
        seconds: Wall-clock time in the encoder's forward passes.
        measured: What engines were measured to give; None where the choice needed none.
    """

    encoder_id: str
    embeddings_id: str
    engine: str
    reason: str
    dimension: int
    input_size: int
    weights: str
    preprocessing: str
    requested: int
    computed: int
    seconds: float
    measured: MeasuredEngines | None


def embeddings_store(embeddings_root: Path, embeddings_id: str, dimension: int) -> ArrayStore:
    """Return the float32 store of the embeddings that one engine made with one encoder."""
    return ArrayStore(embeddings_root / embeddings_id, (dimension,), "float32")


def embed_missing(
    spec: EncoderSpec,
    places: Places,
    keys: Sequence[str],
    *,
    inference: Inference | None = None,
    build: Callable[[EncoderSpec], Encoder] = load_encoder,
) -> EmbeddingReport:
    """Embed those of ``keys`` that have not been embedded before.

    Args:
        spec: The encoder wanted.
        places: Where things are.
        keys: What is to be embedded; doubles are ignored.
        inference: How; by default the engine is chosen, without knowing any labels.
        build: Makes the encoder.

    Raises:
        RedsError: The encoder cannot be had, or not the engine that is named.
        KeyError: A missing key has no square.
    """
    inference = inference or Inference()
    work = _Work(EncoderSource(spec, places.embeddings, build), places, keys, inference)
    if complete := work.complete_store():
        return work.report(*complete, computed=0, seconds=0.0, measured=None)
    choice = work.chosen()
    _LOGGER.info("%s runs %s: %s", choice.engine.name, spec.name, choice.reason)
    store = work.store(choice.engine)
    missing = store.missing(keys)
    seconds = _embed(choice, spec.name, work.squares(missing), store, missing)
    return work.report(
        choice.engine,
        choice.reason,
        computed=len(missing),
        seconds=seconds,
        measured=choice.measured,
    )


def measure_engines(
    spec: EncoderSpec,
    places: Places,
    keys: Sequence[str],
    labels: Mapping[str, str],
) -> MeasuredEngines | None:
    """Measure every engine on some of these pictures, however long that takes.

    Args:
        spec: The encoder.
        places: Where things are.
        keys: Pictures to take the sample from, at least one.
        labels: Their classes, as far as they are known.

    Returns:
        What is known now, earlier results of this machine among it; None for an encoder that is
        no network, which no engine runs.

    Raises:
        RedsError: The encoder cannot be had.
    """
    source = EncoderSource(spec, places.embeddings)
    work = _Work(source, places, keys, Inference(labels=labels))
    return None if spec.name == TINY else measure(work.job())


class _Work:
    """One call's pictures, stores and encoder."""

    def __init__(
        self,
        source: EncoderSource,
        places: Places,
        keys: Sequence[str],
        inference: Inference,
    ) -> None:
        self._source = source
        self._places = places
        self._keys = keys
        self._inference = inference

    @property
    def identity(self) -> EncoderIdentity:
        return self._source.identity

    @property
    def _directory(self) -> Path:
        return self._places.engines / self.identity.encoder_id

    def store(self, engine: Engine) -> ArrayStore:
        return self._store_named(self._store_name(engine))

    def squares(self, keys: Sequence[str]) -> ArrayStore:
        return self._places.squares(self.identity.input_size, keys)

    def complete_store(self) -> tuple[Engine, str] | None:
        """Return an engine whose store lacks nothing, and why that one, or None."""
        for engine in self._engines_to_look_at():
            if not self.store(engine).missing(self._keys):
                return engine, "Its embeddings are all there."
        return None

    def chosen(self) -> Choice:
        """Return the engine that embeds what is missing."""
        if self._source.spec.name == TINY:
            runner = in_batches(self._source.encoder, self.identity.dimension)
            reason = "It needs no network, so nothing else can run it."
            return Choice(_WITHOUT_NETWORK, runner, _BATCH_WITHOUT_NETWORK, reason, None)
        return choose_engine(self.job())

    def job(self) -> Job:
        """Return what engines have to know."""
        return Job(
            wanted=self._inference.wanted,
            encoder_id=self.identity.encoder_id,
            request=BuildRequest(
                encoder=self._network,
                dimension=self.identity.dimension,
                threads=usable_cores(),
                directory=self._directory,
                calibration=lambda: self._sample().images,
            ),
            missing=lambda name: len(self._store_named(name).missing(self._keys)),
            sample=self._sample,
            worth_seconds=self._inference.worth_seconds,
        )

    def report(
        self,
        engine: Engine,
        reason: str,
        *,
        computed: int,
        seconds: float,
        measured: MeasuredEngines | None,
    ) -> EmbeddingReport:
        """Return what was done, and by whom."""
        identity = self.identity
        return EmbeddingReport(
            encoder_id=identity.encoder_id,
            embeddings_id=self._store_name(engine),
            engine=engine.name,
            reason=reason,
            dimension=identity.dimension,
            input_size=identity.input_size,
            weights=identity.weights,
            preprocessing=identity.preprocessing,
            requested=len(set(self._keys)),
            computed=computed,
            seconds=seconds,
            measured=measured,
        )

    def _engines_to_look_at(self) -> list[Engine]:
        """Return the engines whose embeddings will do, the one used last before all others."""
        if self._source.spec.name == TINY:
            return [_WITHOUT_NETWORK]
        if self._inference.wanted != AUTO:
            return [engine_named(self._inference.wanted)]
        last = self._inference.last_store
        return sorted(ENGINES, key=lambda engine: self._store_name(engine) != last)

    def _store_name(self, engine: Engine) -> str:
        return engine.store_name(self.identity.encoder_id, self._directory)

    def _store_named(self, name: str) -> ArrayStore:
        return embeddings_store(self._places.embeddings, name, self.identity.dimension)

    def _network(self) -> TimmEncoder:
        encoder = self._source.encoder
        assert isinstance(encoder, TimmEncoder), "only networks have engines"
        return encoder

    def _sample(self) -> Sample:
        """Return pictures to measure on, of all classes alike as far as classes are known."""
        labels = self._inference.labels
        by_class: dict[str, list[str]] = {}
        for key in sorted(set(self._keys)):
            by_class.setdefault(labels.get(key, ""), []).append(key)
        rounds = zip_longest(*by_class.values())
        chosen = [key for keys in rounds for key in keys if key is not None][:SAMPLE_PICTURES]
        images = self.squares(chosen).read(chosen)
        known = [labels[key] for key in chosen if key in labels]
        return Sample(images, known if len(known) == len(chosen) else None)


def _embed(
    choice: Choice, name: str, squares: ArrayStore, store: ArrayStore, keys: list[str]
) -> float:
    """Embed ``keys`` shard by shard and return the seconds spent in the network."""
    seconds = 0.0
    with tqdm(
        total=len(keys),
        desc=f"embedding with {name}",
        unit="image",
        disable=None,
        file=sys.stderr,
        leave=False,
    ) as progress:
        for shard_keys, images in squares.batches(keys, SHARD_ROWS):
            began = time.perf_counter()
            rows: NDArray[np.float32] = choice.runner(images, choice.batch)
            seconds += time.perf_counter() - began
            store.append(shard_keys, rows)
            progress.update(len(shard_keys))
    return seconds
