"""Embedding pictures with one backbone and remembering that it was done.

What belongs here: what every stage that embeds has in common, and the table ``embedding_runs``.
What does not: encoders and the embedding loop (``reds_pipeline.embedding``).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from reds_pipeline.errors import RedsError
from reds_pipeline.resources import EMBEDDINGS_COMPUTED, PICTURES_RESIZED, Platform
from reds_pipeline.storage.arrays import ArrayStore
from reds_pipeline.storage.clock import utc_now
from reds_pipeline.storage.home import Home
from reds_pipeline.storage.tables import EMBEDDING_RUNS, read_rows, write_rows

if TYPE_CHECKING:
    from reds_pipeline.embedding.engine import EmbeddingReport

_FROM_REPORT = ("encoder_id", "dimension", "weights", "computed", "seconds")


@dataclass(frozen=True)
class PictureFeatures:
    """Features of some pictures.

    Attributes:
        features: One row a picture, float32 ``(n, dimension)``.
        encoder_id: Names the encoder with its weights and preprocessing.
        resized: How many squares were made for it.
        embedded: How many pictures were embedded for it.
    """

    features: NDArray[np.float32]
    encoder_id: str
    resized: int
    embedded: int


def embed_pictures(platform: Platform, backbone: str, keys: Sequence[str]) -> EmbeddingReport:
    """Embed those pictures that a backbone has not embedded before, and note the run.

    Args:
        platform: The installation.
        backbone: A configured encoder.
        keys: SHA-256 of pictures that have a tensor.

    Raises:
        RedsError: The encoder cannot be had.
    """
    from reds_pipeline.embedding.encoder import EncoderSpec
    from reds_pipeline.embedding.engine import embed_missing
    from reds_pipeline.imaging.resize import RESIZE_RULE

    home = platform.home
    report = embed_missing(
        EncoderSpec(backbone, platform.settings.weights_dir),
        home.tensors(RESIZE_RULE),
        home.embeddings,
        keys,
    )
    platform.cost[EMBEDDINGS_COMPUTED] += report.computed
    table = home.table("embedding_runs", backbone)
    runs = read_rows(table)
    if report.computed or not runs or runs[-1]["encoder_id"] != report.encoder_id:
        run = {column: getattr(report, column) for column in _FROM_REPORT} | {"at": utc_now()}
        write_rows(table, [*runs, run], EMBEDDING_RUNS)
    return report


def picture_features(
    platform: Platform, backbone: str, rows: Sequence[Mapping[str, Any]]
) -> PictureFeatures:
    """Return what a backbone sees in pictures; squares and features that are missing are made.

    A stage that is after another one cannot count on its pictures: a person may have decided in
    between that one more belongs to the data set.

    Args:
        platform: The installation.
        backbone: A configured encoder.
        rows: ``sha256`` and ``extension`` of stored pictures, each once.

    Raises:
        RedsError: The encoder cannot be had, or a picture is gone.
    """
    from reds_pipeline.imaging.resize import RESIZE_RULE
    from reds_pipeline.imaging.tensors import resize_missing

    home, keys = platform.home, [row["sha256"] for row in rows]
    resized = resize_missing(rows, home.images, home.tensors(RESIZE_RULE))
    platform.cost[PICTURES_RESIZED] += resized
    report = embed_pictures(platform, backbone, keys)
    _, store = embedded_pictures(home, backbone, keys)
    return PictureFeatures(store.read(keys), report.encoder_id, resized, report.computed)


def embedded_pictures(
    home: Home, backbone: str, keys: Sequence[str]
) -> tuple[dict[str, Any], ArrayStore]:
    """Return the latest embedding run of a backbone and the store that holds its features.

    Args:
        home: The installation's home.
        backbone: A configured encoder.
        keys: SHA-256 of the pictures that must be there.

    Raises:
        RedsError: They have not all been embedded with this backbone.
    """
    from reds_pipeline.embedding.engine import embeddings_store

    runs = read_rows(home.table("embedding_runs", backbone))
    if not runs:
        raise RedsError(
            f"Nothing has been embedded with {backbone} yet; materialise its embeddings first."
        )
    store = embeddings_store(home.embeddings, runs[-1]["encoder_id"], runs[-1]["dimension"])
    if missing := store.missing(keys):
        raise RedsError(
            f"{len(missing)} pictures have not been embedded with {backbone} yet; materialise "
            "its embeddings first."
        )
    return runs[-1], store
