"""A home with trained heads: pictures of several months, their features and what was said of them.

Features are drawn; what the heads said is planned, so that every count can be told by hand.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from typing import Any

import numpy as np

from reds_pipeline.resources import Platform
from reds_pipeline.storage.arrays import ArrayStore
from reds_pipeline.storage.tables import (
    CLASS_SELECTION,
    CURATED,
    EMBEDDING_RUNS,
    PREDICTIONS,
    TRAININGS,
    write_rows,
)

CLASSES = ("bird", "cat", "dog")
PICTURES = 60
"""Of each class, by 15 authors, over four months."""

REFUSED = ("fox", "love")
FOLDS = 5
TESTED = 5
"""Of each class, held out and in no fold."""

Row = dict[str, Any]


def fill(platform: Platform, backbones: Sequence[str], cats_taken_for_dogs: int = 4) -> None:
    """Fill the home; each backbone was trained once under the grouped protocol."""
    home = platform.home
    assert home.keyed_hash("post", "any"), "a home with posts and without its key looks damaged"
    selection = [
        {"lemma": name, "synset": f"{name}.n.01", "rank": rank, "accepted": name in CLASSES}
        for rank, name in enumerate((*CLASSES, *REFUSED), start=1)
    ]
    write_rows(home.table("class_selection"), selection, CLASS_SELECTION)
    rows = [picture(name, number) for name in CLASSES for number in range(PICTURES)]
    write_rows(home.table("curated_dataset"), rows, CURATED)
    for seed, backbone in enumerate(backbones):
        _embed(platform, backbone, rows, seed)
        _train(platform, backbone, rows, cats_taken_for_dogs)


def picture(name: str, number: int) -> Row:
    """Return one curated row."""
    author = f"{name} author {number % 15}"
    return {
        "sha256": hashlib.sha256(f"{name} {number}".encode()).hexdigest(),
        "class_name": name,
        "author_key": author,
        "group": author,
        "created_at": f"2026-{7 + number % 4:02}-11T00:00:00Z",
        "kept": True,
    }


def _embed(platform: Platform, backbone: str, rows: Sequence[Row], seed: int) -> None:
    generator = np.random.default_rng(seed)
    features = generator.normal(size=(len(rows), 12)).astype(np.float32)
    for number, row in enumerate(rows):
        features[number, CLASSES.index(row["class_name"])] += 6
    store = ArrayStore(platform.home.embeddings / f"{backbone}-seen", (12,), "float32")
    store.append([row["sha256"] for row in rows], features)
    run = {"encoder_id": f"{backbone}-seen", "dimension": 12, "weights": "drawn"}
    write_rows(platform.home.table("embedding_runs", backbone), [run], EMBEDDING_RUNS)


def _train(
    platform: Platform, backbone: str, rows: Sequence[Row], cats_taken_for_dogs: int
) -> None:
    key = f"{backbone} {cats_taken_for_dogs}"
    with platform.tracking.training(f"{backbone} grouped", key, params={}, tags={}) as run:
        run_id = run.run_id
    row = {
        "backbone": backbone,
        "protocol": "grouped",
        "training_key": key,
        "run_id": run_id,
        "weights": "drawn",
        "cv_mean": 0.9,
    }
    write_rows(platform.home.table("trainings", backbone), [row], TRAININGS)
    predictions = []
    for number, curated in enumerate(rows):
        place = number % PICTURES
        wrong = curated["class_name"] == "cat" and TESTED <= place < TESTED + cats_taken_for_dogs
        predictions.append(
            {
                "sha256": curated["sha256"],
                "protocol": "grouped",
                "fold": -1 if place < TESTED else place % 15 % FOLDS,
                "class_name": curated["class_name"],
                "predicted": "dog" if wrong else curated["class_name"],
                "chance": 0.9,
                "group": curated["group"],
            }
        )
    write_rows(platform.home.table("predictions", backbone), predictions, PREDICTIONS)
