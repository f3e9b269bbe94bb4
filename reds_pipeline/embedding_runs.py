"""Embedding pictures with one backbone and remembering that it was done.

What belongs here: what every stage that embeds has in common, and the table ``embedding_runs``.
What does not: encoders and the embedding loop (``reds_pipeline.embedding``).
"""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from reds_pipeline.embedding.encoder import EncoderSpec
from reds_pipeline.errors import RedsError
from reds_pipeline.resources import EMBEDDINGS_COMPUTED, PICTURES_RESIZED, Platform
from reds_pipeline.stage_inputs import curated_rows
from reds_pipeline.storage.arrays import ArrayStore
from reds_pipeline.storage.clock import utc_now
from reds_pipeline.storage.home import Home
from reds_pipeline.storage.tables import EMBEDDING_RUNS, read_rows, write_rows

if TYPE_CHECKING:
    from reds_pipeline.embedding.embed_missing import EmbeddingReport, Places
    from reds_pipeline.embedding.engines.measured import MeasuredEngines

_LOGGER = logging.getLogger(__name__)

_FROM_REPORT = tuple(name for name in EMBEDDING_RUNS.names if name != "at")


@dataclass(frozen=True)
class PictureFeatures:
    """Features of some pictures.

    Attributes:
        features: One row a picture, float32 ``(n, dimension)``.
        report: How they came about.
        resized: How many squares of the usual size were made for it.
    """

    features: NDArray[np.float32]
    report: EmbeddingReport
    resized: int

    @property
    def encoder_id(self) -> str:
        """Names the encoder with its weights and preprocessing."""
        return self.report.encoder_id

    @property
    def embedded(self) -> int:
        """How many pictures were embedded for it."""
        return self.report.computed


def embed_pictures(
    platform: Platform, backbone: str, rows: Sequence[Mapping[str, Any]]
) -> EmbeddingReport:
    """Embed those pictures that have not been embedded before, and note the run.

    Args:
        platform: The installation.
        backbone: A configured encoder.
        rows: ``sha256`` and ``extension`` of stored pictures, and ``class_name`` where it is
            known.

    Raises:
        RedsError: The encoder cannot be had, or the engine that the settings name, or a picture
            is gone.
    """
    from reds_pipeline.embedding.embed_missing import Inference, embed_missing

    home = platform.home
    runs = read_rows(home.table("embedding_runs", backbone), EMBEDDING_RUNS)
    report = embed_missing(
        EncoderSpec(backbone, platform.settings.weights_dir),
        _places(platform, rows),
        [row["sha256"] for row in rows],
        inference=Inference(
            wanted=platform.settings.inference,
            labels=_labels(rows),
            last_store=_store_of(runs[-1]) if runs else "",
        ),
    )
    platform.cost[EMBEDDINGS_COMPUTED] += report.computed
    if report.computed or not runs or _store_of(runs[-1]) != report.embeddings_id:
        run = {column: getattr(report, column) for column in _FROM_REPORT} | {"at": utc_now()}
        write_rows(home.table("embedding_runs", backbone), [*runs, run], EMBEDDING_RUNS)
    return report


def measure_engines(platform: Platform, backbone: str) -> list[dict[str, Any]]:
    """Measure every engine on pictures of this home, and return the results as a table.

    Args:
        platform: The installation.
        backbone: A configured encoder.

    Returns:
        One row an engine, the fastest that may be used first; see ``engine_table``. Empty for an
        encoder that is no network.

    Raises:
        RedsError: The encoder cannot be had, or there are no pictures to measure on.
    """
    from reds_pipeline.embedding.embed_missing import measure_engines as measure

    home = platform.home
    rows = curated_rows(home)
    if not rows:
        raise RedsError(
            "There are no pictures in the data set to measure engines on; run `reds run` first."
        )
    measured = measure(
        EncoderSpec(backbone, platform.settings.weights_dir),
        _places(platform, rows),
        [row["sha256"] for row in rows],
        _labels(rows),
    )
    return engine_table(measured) if measured else []


def engine_table(measured: MeasuredEngines) -> list[dict[str, Any]]:
    """Return what was measured as rows for people, the fastest usable engine first."""
    ordered = sorted(
        measured.engines.values(), key=lambda result: (bool(result.refusal), -result.rate)
    )
    return [
        {
            "engine": result.engine,
            "images per CPU-second": _shown(result.images_per_cpu_second, 1),
            "images per second": _shown(result.images_per_second, 1),
            "batch": result.batch if result.rate else "",
            "lowest cosine": _shown(result.lowest_cosine, 6),
            "same predictions": {True: "yes", False: "no", None: ""}[result.same_predictions],
            "MB more": _shown(result.megabytes, 0),
            "seconds to build": _shown(result.setup_seconds, 1),
            "verdict": result.refusal or "may be used",
        }
        for result in ordered
    ]


def _shown(number: float | None, digits: int) -> str:
    return f"{number:.{digits}f}" if number else ""


def _labels(rows: Sequence[Mapping[str, Any]]) -> dict[str, str]:
    return {row["sha256"]: row["class_name"] for row in rows if row.get("class_name")}


def _store_of(run: Mapping[str, Any]) -> str:
    """Return the name of the store of a run; older versions had one store an encoder."""
    return str(run.get("embeddings_id") or run["encoder_id"])


def _places(platform: Platform, rows: Sequence[Mapping[str, Any]]) -> Places:
    """Return the home's places; squares of any side are made from the originals where missing."""
    from reds_pipeline.embedding.embed_missing import Places
    from reds_pipeline.imaging.resize import SIDE, resize_rule
    from reds_pipeline.imaging.tensors import resize_missing

    home = platform.home
    by_key = {row["sha256"]: row for row in rows}

    def squares(side: int, keys: Sequence[str]) -> ArrayStore:
        store = home.tensors(resize_rule(side))
        resized = resize_missing([by_key[key] for key in keys], home.images, store)
        platform.cost[PICTURES_RESIZED] += resized
        if resized and side != SIDE:
            _LOGGER.info(
                "%d squares of %d pixels were made from the originals, because the network does "
                "not take %d.",
                resized,
                side,
                SIDE,
            )
        return store

    return Places(squares, home.embeddings, home.engines)


def picture_features(
    platform: Platform, backbone: str, rows: Sequence[Mapping[str, Any]]
) -> PictureFeatures:
    """Return what a backbone sees in pictures; squares and features that are missing are made.

    A stage that is after another one cannot count on its pictures: a person may have decided in
    between that one more belongs to the data set. Squares of the usual size are made for all of
    them, whatever the backbone takes, because other stages look at those.

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
    report = embed_pictures(platform, backbone, rows)
    _, store = embedded_pictures(home, backbone, keys)
    return PictureFeatures(store.read(keys), report, resized)


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
    from reds_pipeline.embedding.embed_missing import embeddings_store

    runs = read_rows(home.table("embedding_runs", backbone), EMBEDDING_RUNS)
    if not runs:
        raise RedsError(
            f"Nothing has been embedded with {backbone} yet; materialise its embeddings first."
        )
    store = embeddings_store(home.embeddings, _store_of(runs[-1]), runs[-1]["dimension"])
    if missing := store.missing(keys):
        raise RedsError(
            f"{len(missing)} pictures have not been embedded with {backbone} yet; materialise "
            "its embeddings first."
        )
    return runs[-1], store
