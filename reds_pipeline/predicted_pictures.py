"""What the heads of a backbone said of pictures that they had not seen, with their features.

What belongs here: reading the table ``predictions`` and the embeddings for reports about classes
and backbones. What does not: making predictions (``training.py``) and the reports.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from reds_pipeline.embedding_runs import embedded_pictures
from reds_pipeline.storage.home import Home
from reds_pipeline.storage.tables import CURATED, PREDICTIONS, TRAININGS, read_rows

_PROTOCOL = "grouped"


@dataclass(frozen=True, eq=False)
class PredictedPictures:
    """Out-of-fold answers of one backbone's head.

    Attributes:
        embeddings_id: The store that the features come from.
        labels: Class of each of n pictures.
        predicted: What the head that had not seen it said.
        groups: Its group.
        fold: int64 (n,), its fold.
        created_at: When it was posted, ISO 8601; empty where it is not known.
        features: float32 (n, d).
    """

    embeddings_id: str
    labels: list[str]
    predicted: list[str]
    groups: list[str]
    fold: NDArray[np.int64]
    created_at: list[str]
    features: NDArray[np.float32]


def grouped_training(home: Home, backbone: str) -> dict[str, Any] | None:
    """Return the row of a backbone's latest grouped training; None before there is one."""
    rows = read_rows(home.table("trainings", backbone), TRAININGS)
    return next((row for row in rows if row["protocol"] == _PROTOCOL), None)


def out_of_fold_rows(home: Home, backbone: str) -> list[dict[str, Any]]:
    """Return the grouped predictions of one backbone without the held-out test, by picture."""
    rows = read_rows(home.table("predictions", backbone), PREDICTIONS)
    chosen = [row for row in rows if row["protocol"] == _PROTOCOL and row["fold"] >= 0]
    return sorted(chosen, key=lambda row: str(row["sha256"]))


def predicted_pictures(home: Home, backbone: str) -> PredictedPictures | None:
    """Return a backbone's out-of-fold answers; None if it has been trained before they were kept.

    Raises:
        RedsError: A picture has not been embedded with this backbone.
    """
    rows = out_of_fold_rows(home, backbone)
    if not rows:
        return None
    keys = [row["sha256"] for row in rows]
    run, store = embedded_pictures(home, backbone, keys)
    curated = read_rows(home.table("curated_dataset"), CURATED)
    posted = {row["sha256"]: row["created_at"] or "" for row in curated}
    return PredictedPictures(
        embeddings_id=run.get("embeddings_id") or run["encoder_id"],
        labels=[row["class_name"] for row in rows],
        predicted=[row["predicted"] for row in rows],
        groups=[row["group"] for row in rows],
        fold=np.asarray([row["fold"] for row in rows], np.int64),
        created_at=[posted.get(key, "") for key in keys],
        features=store.read(keys),
    )
