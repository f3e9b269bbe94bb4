"""A training set of made-up features, with a square for each picture, for tests of trainings."""

from __future__ import annotations

import hashlib
import shutil
from pathlib import Path

import numpy as np

from reds_pipeline.storage.arrays import ArrayStore
from reds_pipeline.tracking import Tracking
from reds_pipeline.training_set import TrainingSet
from reds_pipeline_tests.modeling.clouds import clouds

SIDE = 24


def made_up_set(directory: Path, *, each: int = 24, spread: float = 1.7) -> TrainingSet:
    """Three classes that overlap, two pictures a group; one group of each class is held out."""
    features, labels = clouds(3, each, dimension=12, spread=spread)
    keys = [hashlib.sha256(f"picture {number}".encode()).hexdigest() for number in range(3 * each)]
    store = ArrayStore(directory / "squares", (SIDE, SIDE, 3), "uint8")
    squares = np.random.default_rng(0).integers(0, 256, (len(keys), SIDE, SIDE, 3), dtype=np.uint8)
    store.append(keys, squares)
    return TrainingSet(
        backbone="made up",
        encoder_id="made-up-1",
        embeddings_id="made-up-1",
        engine="pytorch",
        weights="none",
        resize_rule="made up",
        squares=store,
        dataset_digest="d" * 64,
        keys=keys,
        labels=labels,
        groups=[f"group {number // 2:03}" for number in range(len(keys))],
        held_out=np.array([number % each < 4 for number in range(len(keys))]),
        features=features,
        embed_seconds=2.0,
        embedded=100,
    )


def own_tracking(database: Path, directory: Path) -> Tracking:
    """Return MLflow on a copy of an empty database."""
    directory.mkdir(parents=True, exist_ok=True)
    shutil.copy(database, directory / "mlflow.sqlite")
    return Tracking(f"sqlite:///{directory / 'mlflow.sqlite'}", directory / "artifacts")
