"""Training one backbone's head under one protocol, with everything logged in MLflow.

What belongs here: the order of a training and what is logged of it (design.md, section 4). What
does not: statistics, splits and files of models (``modeling``), or MLflow's own interface
(``tracking.py``). A training that MLflow already holds is read back, not repeated.
"""

from __future__ import annotations

import hashlib
import json
import platform as machine
import tempfile
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from reds_pipeline.embedding_runs import embedded_pictures
from reds_pipeline.stage_inputs import curated_rows
from reds_pipeline.storage.clock import utc_now
from reds_pipeline.storage.home import Home
from reds_pipeline.storage.tables import read_rows
from reds_pipeline.tracking import BUNDLE_DIRECTORY, MODEL_ARTIFACT, Tracking
from reds_pipeline.tracking_run import Training

if TYPE_CHECKING:
    from reds_pipeline.modeling.cross_validation import CrossValidation, FinalFit
    from reds_pipeline.modeling.heads import HeadParameters
    from reds_pipeline.modeling.splits import Protocol, Split

PROTOCOLS: tuple[Protocol, ...] = ("grouped", "report")
PROMOTABLE: Protocol = "grouped"
RECORD = "training.json"
_MOST_POINTS = 2000
# Raised when what a training computes or logs changes, so that old ones are not taken for new.
_VERSION = 1


@dataclass(frozen=True, eq=False)
class TrainingSet:
    """The embeddings of one encoder for one curated data set.

    Attributes:
        backbone: The encoder's name.
        encoder_id: The encoder's id.
        weights: Where its weights come from, in words.
        resize_rule: The rule that made the tensors.
        dataset_digest: Digest of the curated data set.
        keys: SHA-256 of each of the n pictures.
        labels: Class of each picture.
        groups: Split group of each picture.
        features: float32 (n, d).
        embed_seconds: Time the encoder has taken in this home for all it has embedded.
    """

    backbone: str
    encoder_id: str
    weights: str
    resize_rule: str
    dataset_digest: str
    keys: list[str]
    labels: list[str]
    groups: list[str]
    features: NDArray[np.float32]
    embed_seconds: float


def load_training_set(home: Home, backbone: str) -> TrainingSet:
    """Return the curated pictures as one backbone sees them.

    Raises:
        RedsError: They have not been embedded with this backbone.
    """
    from reds_pipeline.imaging.curation import dataset_digest
    from reds_pipeline.imaging.resize import RESIZE_RULE

    rows = curated_rows(home)
    keys = [row["sha256"] for row in rows]
    latest, store = embedded_pictures(home, backbone, keys)
    runs = read_rows(home.table("embedding_runs", backbone))
    return TrainingSet(
        backbone=backbone,
        encoder_id=latest["encoder_id"],
        weights=latest["weights"],
        resize_rule=RESIZE_RULE,
        dataset_digest=dataset_digest(rows),
        keys=keys,
        labels=[row["class_name"] for row in rows],
        groups=[row["group"] for row in rows],
        features=store.read(keys),
        embed_seconds=sum(
            run["seconds"] for run in runs if run["encoder_id"] == latest["encoder_id"]
        ),
    )


def training_key(data: TrainingSet, protocol: Protocol, parameters: HeadParameters) -> str:
    """Return the name of a training: equal if and only if it would give the same numbers."""
    parts = [_VERSION, data.encoder_id, data.dataset_digest, protocol, asdict(parameters)]
    return hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()


def train(
    tracking: Tracking, data: TrainingSet, protocol: Protocol, seed: int, dagster_run_id: str
) -> tuple[dict[str, Any], bool]:
    """Cross-validate, fit, measure and log; or find that this was done before.

    Args:
        tracking: Where to log.
        data: What to learn from.
        protocol: ``grouped``, whose model can be promoted, or ``report``, which shows how much
            a plain shuffle flatters.
        seed: Of split and head.
        dagster_run_id: The run that asks, for the tag ``dagster.run_id``.

    Returns:
        (the row of the trainings table, whether it was trained now).

    Raises:
        RedsError: A class is too small to be split.
    """
    from reds_pipeline.modeling.heads import HeadParameters

    parameters = HeadParameters(seed=seed)
    key = training_key(data, protocol, parameters)
    run_id = tracking.finished_training(key)
    if run_id is not None and (record := tracking.record(run_id, RECORD)) is not None:
        return {**record, "run_id": run_id}, False
    with tracking.training(
        f"{data.backbone} {protocol}",
        key,
        params={
            "encoder": data.encoder_id,
            "head": "StandardScaler + LinearSVC",
            "C": parameters.C,
            "protocol": protocol,
            "seed": seed,
            "dataset_digest": data.dataset_digest,
            "weights": data.weights,
            "machine": f"{machine.machine()}, {machine.platform(terse=True)}",
        },
        tags={
            "dagster.run_id": dagster_run_id,
            "backbone": data.backbone,
            "protocol": protocol,
            "dataset": data.dataset_digest[:12],
        },
    ) as run:
        return {**_train(run, data, protocol, parameters, key), "run_id": run.run_id}, True


def _train(
    run: Training, data: TrainingSet, protocol: Protocol, parameters: HeadParameters, key: str
) -> dict[str, Any]:
    from reds_pipeline.modeling.calibration import fit_temperature
    from reds_pipeline.modeling.cross_validation import cross_validate, final_fit
    from reds_pipeline.modeling.splits import make_split

    split = make_split(data.labels, data.groups, protocol=protocol, seed=parameters.seed)
    folds = cross_validate(data.features, data.labels, split, parameters)
    final = final_fit(data.features, data.labels, split, parameters)
    record: dict[str, Any] = {
        "backbone": data.backbone,
        "encoder_id": data.encoder_id,
        "weights": data.weights,
        "protocol": protocol,
        "training_key": key,
        "dataset_digest": data.dataset_digest,
        "classes": list(folds.classes),
        "cv_accuracy": list(folds.fold_accuracy),
        "cv_mean": folds.mean,
        "cv_var_ddof0": folds.var_ddof0,
        "cv_var_ddof1": folds.var_ddof1,
        "test_accuracy": final.test_accuracy,
        "test_low": final.test_interval[0],
        "test_high": final.test_interval[1],
        "macro_f1": final.macro_f1,
        "n_train": final.n_train,
        "n_test": final.n_test,
        "embed_s": data.embed_seconds,
        "fit_s": sum(folds.fit_seconds) + final.head.seconds,
        "trained_at": utc_now(),
    }
    _log_numbers(run, record, folds, final)
    _log_artifacts(run, data, split, folds, final)
    if protocol == PROMOTABLE:
        temperature = fit_temperature(
            folds.decisions[split.training],
            [label for label, kept in zip(data.labels, split.training, strict=True) if kept],
            folds.classes,
        )
        _log_model(run, data, final, temperature, record)
    run.log_json(RECORD, record)
    return record


def _log_numbers(
    run: Training, record: Mapping[str, Any], folds: CrossValidation, final: FinalFit
) -> None:
    fold_metrics = {
        f"cv/fold_{number}/accuracy": accuracy
        for number, accuracy in enumerate(folds.fold_accuracy, 1)
    }
    recall = {
        f"test/recall/{name}": value for name, value in final.recall.items() if value is not None
    }
    run.log_metrics(
        {
            **fold_metrics,
            **recall,
            "cv/accuracy_mean": record["cv_mean"],
            "cv/accuracy_var_ddof0": record["cv_var_ddof0"],
            "cv/accuracy_var_ddof1": record["cv_var_ddof1"],
            "test/accuracy": record["test_accuracy"],
            "test/accuracy_low": record["test_low"],
            "test/accuracy_high": record["test_high"],
            "test/macro_f1": record["macro_f1"],
            "time/embed_s": record["embed_s"],
            "time/fit_s": record["fit_s"],
        }
    )
    tags = {"backbone": record["backbone"], "protocol": record["protocol"]}
    for number, accuracy in enumerate(folds.fold_accuracy, 1):
        metrics = {"accuracy": accuracy, "time/fit_s": folds.fit_seconds[number - 1]}
        run.log_fold(number, metrics, tags)


def _log_artifacts(
    run: Training, data: TrainingSet, split: Split, folds: CrossValidation, final: FinalFit
) -> None:
    from reds_pipeline.modeling.figures import confusion_figure, tsne_figure
    from reds_pipeline.modeling.projection import sample_rows, tsne_points

    title = f"{data.backbone}, {split.protocol}: mean of {len(folds.fold_accuracy)} folds"
    run.log_bytes(
        "figures/confusion.png", confusion_figure(folds.mean_confusion, folds.classes, title)
    )
    run.log_json("confusion_by_fold.json", folds.fold_confusions.tolist())
    run.log_json("confusion_test.json", final.confusion.tolist())
    run.log_json("class_order.json", list(folds.classes))
    run.log_json(
        "split.json",
        {
            "protocol": split.protocol,
            "seed": split.seed,
            "test": [key for key, held_out in zip(data.keys, split.test, strict=True) if held_out],
            "fold": {
                key: int(fold) for key, fold in zip(data.keys, split.fold, strict=True) if fold >= 0
            },
        },
    )
    # The picture depends on the embeddings alone, so one of the protocols shows it.
    if split.protocol == PROMOTABLE:
        rows = sample_rows(data.labels, _MOST_POINTS, split.seed)
        points = tsne_points(data.features[rows], split.seed)
        run.log_bytes(
            "figures/tsne.png",
            tsne_figure(points, [data.labels[row] for row in rows], f"{data.backbone}: t-SNE"),
        )


def _log_model(
    run: Training,
    data: TrainingSet,
    final: FinalFit,
    temperature: float,
    record: Mapping[str, Any],
) -> None:
    import sklearn
    from mlflow.sklearn import save_model

    from reds_pipeline.modeling.bundle import Provenance, bundle_from_head, save_bundle

    provenance = Provenance(
        encoder_name=data.backbone,
        encoder_id=data.encoder_id,
        resize_rule=data.resize_rule,
        dataset_digest=data.dataset_digest,
        trained_at=record["trained_at"],
        metrics={
            name: record[name]
            for name in ("cv_mean", "cv_var_ddof0", "test_accuracy", "test_low", "test_high")
        },
    )
    with tempfile.TemporaryDirectory() as temporary:
        directory = Path(temporary) / MODEL_ARTIFACT
        # For people: loads with mlflow.sklearn and takes embeddings. Our own programs read the
        # bundle beside it, which needs no trust.
        save_model(
            final.head.pipeline,
            str(directory),
            serialization_format="skops",
            # Named here, or MLflow starts a process to find them out.
            pip_requirements=[f"scikit-learn=={sklearn.__version__}", "skops"],
        )
        save_bundle(
            bundle_from_head(final.head, temperature, 0.0, provenance), directory / BUNDLE_DIRECTORY
        )
        run.log_directory(directory, MODEL_ARTIFACT)
