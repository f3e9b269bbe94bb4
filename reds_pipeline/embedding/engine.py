"""Embedding what is not embedded yet.

What belongs here: the loop from a store of tensors to a store of embeddings, in shards, so that
a killed run loses at most the shard it was making and the next one goes on from there. What
does not: encoders, and the choice of what to embed. The cost follows what is new: with nothing
missing no network is loaded.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from tqdm import tqdm

from reds_pipeline.embedding.encoder import Encoder, EncoderSpec, load_encoder
from reds_pipeline.embedding.identity import (
    EncoderIdentity,
    remember_identity,
    remembered_identity,
)
from reds_pipeline.storage.arrays import ArrayStore

SHARD_ROWS = 256
"""Rows a shard: 38 MB of tensors at once, and at most so much work lost by a kill."""


@dataclass(frozen=True)
class EmbeddingReport:
    """What one call of ``embed_missing`` did.

    Attributes:
        encoder_id: Under which the embeddings are kept.
        dimension: Length of one embedding.
        weights: Origin of the encoder's weights in plain words.
        requested: Different keys asked for.
        computed: Pictures that went through the encoder in this call.
        seconds: Wall-clock time in the encoder's forward passes.
    """

    encoder_id: str
    dimension: int
    weights: str
    requested: int
    computed: int
    seconds: float


def embeddings_store(embeddings_root: Path, encoder_id: str, dimension: int) -> ArrayStore:
    """Return the float32 store of one encoder's embeddings."""
    return ArrayStore(embeddings_root / encoder_id, (dimension,), "float32")


def embed_missing(
    spec: EncoderSpec,
    tensors: ArrayStore,
    embeddings_root: Path,
    keys: Sequence[str],
    *,
    batch_size: int = 32,
    build: Callable[[EncoderSpec], Encoder] = load_encoder,
) -> EmbeddingReport:
    """Embed those of ``keys`` that this encoder has not embedded before.

    Args:
        spec: The encoder wanted.
        tensors: uint8 (224, 224, 3) rows that hold every missing key.
        embeddings_root: Directory with one store an encoder, ``<embeddings_root>/<encoder_id>``.
        keys: What is to be embedded; doubles are ignored.
        batch_size: Pictures given to the encoder at once.
        build: Makes the encoder; another engine may place it elsewhere.

    Raises:
        RedsError: The encoder cannot be had.
        KeyError: A missing key has no tensor.
    """
    requested = len(set(keys))
    known = remembered_identity(spec.name, spec.weights_dir, embeddings_root)
    if known is not None:
        store = embeddings_store(embeddings_root, known.encoder_id, known.dimension)
        if not store.missing(keys):
            return EmbeddingReport(
                known.encoder_id, known.dimension, known.weights, requested, 0, 0.0
            )
    encoder = build(spec)
    if encoder.weights_file is not None:
        identity = EncoderIdentity(encoder.encoder_id, encoder.dimension, encoder.weights)
        remember_identity(spec.name, identity, encoder.weights_file, embeddings_root)
    store = embeddings_store(embeddings_root, encoder.encoder_id, encoder.dimension)
    missing = store.missing(keys)
    seconds = _embed(encoder, tensors, store, missing, batch_size)
    return EmbeddingReport(
        encoder.encoder_id, encoder.dimension, encoder.weights, requested, len(missing), seconds
    )


def _embed(
    encoder: Encoder, tensors: ArrayStore, store: ArrayStore, keys: list[str], batch_size: int
) -> float:
    """Embed ``keys`` shard by shard and return the seconds spent in the encoder."""
    seconds = 0.0
    with tqdm(
        total=len(keys),
        desc=f"embedding with {encoder.name}",
        unit="image",
        disable=None,
        file=sys.stderr,
        leave=False,
    ) as progress:
        for shard_keys, images in tensors.batches(keys, SHARD_ROWS):
            rows = np.empty((len(shard_keys), encoder.dimension), np.float32)
            for start in range(0, len(shard_keys), batch_size):
                part = slice(start, start + batch_size)
                began = time.perf_counter()
                rows[part] = encoder(images[part])
                seconds += time.perf_counter() - began
                progress.update(len(images[part]))
            store.append(shard_keys, rows)
    return seconds
