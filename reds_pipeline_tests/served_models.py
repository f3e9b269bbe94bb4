"""A home with frozen test pictures and registered models that are right on a planned share of them.

A picture's features say what each model will answer: column n belongs to the n-th model, and is 1
where that model takes the picture for a dog.
"""

from __future__ import annotations

import hashlib
import json
import shutil
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from reds_pipeline.embedding.tiny import TINY, TinyEncoder
from reds_pipeline.imaging.resize import RESIZE_RULE
from reds_pipeline.modeling.bundle import ModelBundle, Provenance, save_bundle
from reds_pipeline.resources import Platform
from reds_pipeline.settings import load_settings
from reds_pipeline.storage.arrays import ArrayStore
from reds_pipeline.storage.tables import CURATED, TEST_PICTURES, TRAININGS, write_rows
from reds_pipeline.tracking import BUNDLE_DIRECTORY, MODEL_ARTIFACT

CLASSES = ("cat", "dog")
TESTED, LEARNT = 20, 3
"""Pictures of each class."""

Row = dict[str, Any]


@dataclass
class ServedModels:
    """The home, and what was trained in it.

    Attributes:
        platform: The installation.
        right: Of each model, on how many test pictures of each class it is right.
        runs: MLflow run of each model.
    """

    platform: Platform
    right: Sequence[tuple[int, int]]
    runs: dict[int, str] = field(default_factory=dict)

    def train(self, model: int, *, learnt: Sequence[str] | None = None, **record: Any) -> str:
        """Log a training and make it the latest one; return its run.

        It says its first class for a cat, its second for a dog, and all others never.
        """
        digest = f"{model}" * 64
        row: Row = {
            "backbone": TINY,
            "encoder_id": TinyEncoder.encoder_id,
            "protocol": "grouped",
            "training_key": f"key {model}",
            "dataset_digest": digest,
            "classes": list(CLASSES),
            "cv_accuracy": [0.8, 0.9],
            "cv_mean": 0.85,
            "cv_var_ddof0": 0.0025,
            "test_accuracy": sum(self.right[model]) / (2 * TESTED),
            "test_low": 0.5,
            "test_high": 1.0,
            "macro_f1": 0.8,
            "n_train": 2 * LEARNT,
            "n_test": 2 * TESTED,
            "trained_at": "2026-11-21T12:00:00.000Z",
            **record,
        }
        learnt = [sha_of(name, "learnt", n) for name in CLASSES for n in range(LEARNT)] + list(
            learnt or ()
        )
        tracking = self.platform.tracking
        with tracking.training("tiny grouped", f"key {model}", params={}, tags={}) as run:
            confusion = [
                [self.right[model][0], TESTED - self.right[model][0]],
                [TESTED - self.right[model][1], self.right[model][1]],
            ]
            run.log_json("training.json", row)
            run.log_json("split.json", {"test": [], "fold": dict.fromkeys(learnt, 0)})
            run.log_json("confusion_test.json", confusion)
            run.log_json("confusion_by_fold.json", [confusion, confusion])
            local = self.platform.home.root / "logged" / str(model)
            save_bundle(bundle(model, digest, row["classes"]), local / BUNDLE_DIRECTORY)
            (local / "MLmodel").write_text("flavors: {}\n")
            run.log_directory(local, MODEL_ARTIFACT)
        self.runs[model] = run.run_id
        rows = [{**row, "run_id": run.run_id}]
        write_rows(self.platform.home.table("trainings", TINY), rows, TRAININGS)
        return run.run_id

    def model_files(self, model: int) -> Path:
        """Return where MLflow keeps the files of a model."""
        return self.platform.home.artifacts / self.runs[model] / "artifacts" / MODEL_ARTIFACT


def fill(
    root: Path, database: Path, right: Sequence[tuple[int, int]], **settings: Any
) -> ServedModels:
    """Make the home.

    Args:
        root: Where.
        database: An MLflow database with its tables, which take seconds to make.
        right: Of each model, on how many test pictures of each class it is right.
        **settings: Written into the home, for commands as well.
    """
    root.mkdir(parents=True, exist_ok=True)
    written = {"backbones": [TINY], **settings}
    lines = [f"{name} = {json.dumps(value)}\n" for name, value in written.items()]
    (root / "reds.toml").write_text("".join(lines))
    platform = Platform(load_settings(home=root))
    home = platform.home
    shutil.copy(database, root / "mlflow.sqlite")
    rows = [
        curated_row(name, part, number)
        for name in CLASSES
        for part, count in (("tested", TESTED), ("learnt", LEARNT))
        for number in range(count)
    ]
    write_rows(home.table("curated_dataset"), rows, CURATED)
    tested = [row for row in rows if row["cluster"] == "tested"]
    frozen = [
        {"sha256": row["sha256"], "class_name": row["class_name"], "held_out_at": "2026-11-21"}
        for row in tested
    ]
    write_rows(home.table("test_pictures"), frozen, TEST_PICTURES)
    keys = [row["sha256"] for row in rows]
    squares = np.zeros((len(keys), 224, 224, 3), np.uint8)
    home.tensors(RESIZE_RULE).append(keys, squares, {"cropped": [False] * len(keys)})
    features = np.zeros((len(keys), TinyEncoder.dimension), np.float32)
    for position, row in enumerate(tested):
        is_dog = row["class_name"] == CLASSES[1]
        number = int(row["media_key"].split()[-1])
        for model, counts in enumerate(right):
            says_dog = is_dog if number < counts[int(is_dog)] else not is_dog
            features[keys.index(tested[position]["sha256"]), model] = 1.0 if says_dog else -1.0
    store = ArrayStore(
        home.embeddings / TinyEncoder.encoder_id, (TinyEncoder.dimension,), "float32"
    )
    store.append(keys, features)
    return ServedModels(platform, right)


def curated_row(name: str, part: str, number: int) -> Row:
    return {
        "media_key": f"{name} {part} {number}",
        "sha256": sha_of(name, part, number),
        "extension": "jpg",
        "class_name": name,
        "collected_as": name,
        "cluster": part,
        "author_key": f"author of {name} {part} {number}",
        "group": f"group {name} {part} {number}",
        "decision": "",
        "kept": True,
        "drop_reason": "",
    }


def sha_of(name: str, part: str, number: int) -> str:
    return hashlib.sha256(f"{name} {part} {number}".encode()).hexdigest()


def bundle(model: int, digest: str, classes: Sequence[str] = CLASSES) -> ModelBundle:
    """Return a model that answers what its column of the features says."""
    weights = np.zeros((len(classes), TinyEncoder.dimension))
    weights[:2, model] = (-1.0, 1.0)
    intercept = np.full(len(classes), -9.0)
    intercept[:2] = 0.0
    return ModelBundle(
        kind="classes",
        classes=tuple(classes),
        mean=np.zeros(TinyEncoder.dimension),
        scale=np.ones(TinyEncoder.dimension),
        weights=weights,
        intercept=intercept,
        slope=np.ones(len(classes)),
        offset=np.zeros(len(classes)),
        thresholds=np.full(len(classes), 0.6),
        provenance=Provenance(
            encoder_name=TINY,
            encoder_id=TinyEncoder.encoder_id,
            resize_rule=RESIZE_RULE,
            dataset_digest=digest,
            trained_at="2026-11-21T12:00:00.000Z",
            metrics={"cv_mean": 0.85},
        ),
    )
