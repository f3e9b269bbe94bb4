"""Training one backbone's head under both protocols, and keeping what came of it.

What belongs here: the order of a training and the row that is kept of it (design.md, section 4).
What does not: what it learns from (``training_set.py``), what is logged (``training_log.py``),
statistics, splits and files of models (``modeling``). A training that MLflow already holds is
read back, not repeated.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from reds_pipeline.hardware import this_machine
from reds_pipeline.resources import MODELS_TRAINED, Platform
from reds_pipeline.run_artifacts import PREDICTIONS as PREDICTIONS_ARTIFACT
from reds_pipeline.software import this_software
from reds_pipeline.storage.clock import utc_now
from reds_pipeline.storage.tables import PREDICTIONS, TRAININGS, write_rows
from reds_pipeline.tracking import Tracking
from reds_pipeline.training_log import Outcome, log_artifacts, log_model, log_numbers, summary
from reds_pipeline.training_set import (
    ContributedPictures,
    TrainingSet,
    load_training_set,
    one_training,
)

if TYPE_CHECKING:
    from reds_pipeline.modeling.experiment import Experiment
    from reds_pipeline.modeling.heads import HeadParameters
    from reds_pipeline.modeling.per_class import ClassMeasures
    from reds_pipeline.modeling.splits import Protocol, Split
    from reds_pipeline.tracking_run import Training

PROTOCOLS: tuple[Protocol, ...] = ("grouped", "report")
PROMOTABLE: Protocol = "grouped"
RECORD = "training.json"
# Raised when what a training computes or logs changes, so that old ones are not taken for new.
_VERSION = 3

Row = dict[str, Any]


@dataclass(frozen=True)
class Trained:
    """One training, whether it was made now or before.

    Attributes:
        row: Of the trainings table.
        predictions: Rows of the predictions table: each picture by a head that has not seen it.
        is_new: Whether it was made now.
    """

    row: Row
    predictions: list[Row]
    is_new: bool


def train_backbone(platform: Platform, backbone: str, dagster_run_id: str) -> list[Trained]:
    """Train the head of one backbone under every protocol and write both tables.

    Args:
        platform: The installation.
        backbone: A configured encoder, whose embeddings are there.
        dagster_run_id: The run that asks.

    Returns:
        In the order of ``PROTOCOLS``.

    Raises:
        RedsError: Something has not been embedded, or a class is too small to be split.
    """
    from reds_pipeline.modeling.heads import HeadParameters

    settings, home = platform.settings, platform.home
    parameters = HeadParameters(
        C=settings.svm_c, seed=settings.seed, answer_accuracy=settings.answer_accuracy
    )
    about = _backbone_params(platform, backbone)
    with one_training(home, backbone):
        data = load_training_set(home, backbone, settings.seed)
        trained = [
            train(
                platform.tracking,
                data,
                protocol,
                parameters,
                dagster_run_id=dagster_run_id,
                about_backbone=about,
            )
            for protocol in PROTOCOLS
        ]
        platform.cost[MODELS_TRAINED] += sum(one.is_new for one in trained)
        predictions = [row for one in trained for row in one.predictions]
        write_rows(home.table("predictions", backbone), predictions, PREDICTIONS)
        write_rows(home.table("trainings", backbone), [one.row for one in trained], TRAININGS)
    return trained


def training_key(data: TrainingSet, protocol: Protocol, parameters: HeadParameters) -> str:
    """Return the name of a training: equal if and only if it would give the same numbers."""
    held_out = _held_out(data) if protocol == PROMOTABLE else []
    parts = [
        _VERSION,
        data.embeddings_id,
        data.dataset_digest,
        protocol,
        held_out,
        asdict(parameters),
    ]
    if (given := _contributed(data, protocol)) is not None:
        parts.append(given.digest)
    return hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()


def train(
    tracking: Tracking,
    data: TrainingSet,
    protocol: Protocol,
    parameters: HeadParameters,
    *,
    dagster_run_id: str = "",
    about_backbone: Mapping[str, str] | None = None,
) -> Trained:
    """Cross-validate, fit, measure and log; or find that this was done before.

    Args:
        tracking: Where to log.
        data: What to learn from.
        protocol: ``grouped``, whose model can be promoted, or ``report``, which shows how much
            a plain shuffle flatters.
        parameters: Of the head.
        dagster_run_id: The run that asks, for the tag ``dagster.run_id``.
        about_backbone: More parameters that say what the backbone is.

    Raises:
        RedsError: A class is too small to be split.
    """
    key = training_key(data, protocol, parameters)
    run_id = tracking.finished_training(key)
    if run_id is not None and (before := _read_back(tracking, run_id, data)) is not None:
        return before
    software = this_software()
    tags = {
        "backbone": data.backbone,
        "protocol": protocol,
        "dataset": data.dataset_name,
        "head": "linear SVM",
        "task": "classes",
        "engine": data.engine,
        "dagster.run_id": dagster_run_id,
        "reds.version": software.reds,
        "mlflow.source.name": f"svm_{data.backbone}",
        "mlflow.source.type": "JOB",
    }
    if software.commit:
        tags |= {
            "mlflow.source.git.commit": software.commit,
            "reds.code_changed": str(software.changed).lower(),
        }
    params = {
        "backbone": data.backbone,
        **(about_backbone or {}),
        "encoder": data.encoder_id,
        "embeddings": data.embeddings_id,
        "engine": data.engine,
        "weights": data.weights,
        "head": "StandardScaler + LinearSVC",
        "choice_of_C": "inside the training folds" if parameters.C is None else "given",
        "protocol": protocol,
        "seed": parameters.seed,
        "answer_accuracy": parameters.answer_accuracy,
        "dataset_digest": data.dataset_digest,
        "pictures": len(data.keys),
        "groups": len(set(data.groups)),
        **this_machine().as_params(),
    }
    if (given := _contributed(data, protocol)) is not None:
        params |= given.as_params()
    name = f"{data.backbone} {protocol}"
    with tracking.training(name, key, params=params, tags=tags) as run:
        row, predictions = _train(run, data, protocol, parameters, key)
    return Trained(row | {"run_id": run.run_id}, predictions, is_new=True)


def _train(
    run: Training, data: TrainingSet, protocol: Protocol, parameters: HeadParameters, key: str
) -> tuple[Row, list[Row]]:
    from reds_pipeline.modeling.experiment import run_experiment
    from reds_pipeline.modeling.splits import make_split

    split = make_split(
        data.labels, data.groups, protocol=protocol, seed=parameters.seed, held_out=data.held_out
    )
    run.log_dataset(data.as_dataset())
    given = _contributed(data, protocol)
    experiment = run_experiment(
        data.features,
        data.labels,
        data.groups,
        split,
        parameters,
        only_trained=None if given is None else given.pictures,
    )
    record = _record(data, protocol, key, experiment)
    predictions = _predictions(data, split, experiment)
    outcome = Outcome(
        data=data,
        split=split,
        experiment=experiment,
        record=record,
        predictions=predictions,
        measures=_measures(predictions, experiment.folds.classes, parameters.seed),
    )
    # The projection depends on the embeddings alone, so one of the protocols shows it.
    log_artifacts(run, outcome, with_projection=protocol == PROMOTABLE)
    run.log_params({"C": f"{experiment.final.C:g}"})
    log_numbers(run, outcome)
    if protocol == PROMOTABLE:
        log_model(run, outcome)
    run.log_json("environment.json", asdict(this_software()))
    run.describe(summary(outcome))
    run.log_json(RECORD, record)
    return record, predictions


def _record(data: TrainingSet, protocol: Protocol, key: str, experiment: Experiment) -> Row:
    folds, final, test = experiment.folds, experiment.final, experiment.test_answers
    return {
        "backbone": data.backbone,
        "encoder_id": data.encoder_id,
        "embeddings_id": data.embeddings_id,
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
        "C": final.C,
        "fold_C": list(folds.fold_C),
        "cv_calibration_error": experiment.cv_calibration.value,
        "test_calibration_error": experiment.test_calibration.value,
        "answer_threshold": experiment.threshold,
        "test_coverage": test.coverage,
        "test_answered_accuracy": test.accuracy,
        "n_train": final.n_train,
        "n_test": final.n_test,
        "n_contributed": experiment.n_only_trained,
        "embed_s": data.embed_seconds,
        "fit_s": folds.choice_seconds + sum(folds.fit_seconds) + final.head.seconds,
        "trained_at": utc_now(),
    }


def _predictions(data: TrainingSet, split: Split, experiment: Experiment) -> list[Row]:
    """Return what was said of each picture by a head that had not seen it."""
    chances = experiment.chances.copy()
    chances[split.test] = experiment.test_chances
    said = np.asarray(experiment.folds.classes)[chances.argmax(axis=1)]
    return [
        {
            "sha256": key,
            "protocol": split.protocol,
            "fold": int(fold),
            "class_name": label,
            "predicted": str(answer),
            "chance": float(chance),
            "group": group,
        }
        for key, fold, label, answer, chance, group in zip(
            data.keys, split.fold, data.labels, said, chances.max(axis=1), data.groups, strict=True
        )
    ]


def _measures(
    predictions: Sequence[Mapping[str, Any]], classes: Sequence[str], seed: int
) -> dict[str, list[ClassMeasures]]:
    from reds_pipeline.modeling.per_class import measures_per_class

    parts = {
        "cv": [row for row in predictions if row["fold"] >= 0],
        "test": [row for row in predictions if row["fold"] < 0],
    }
    return {
        part: measures_per_class(
            [row["class_name"] for row in rows],
            [row["predicted"] for row in rows],
            [row["group"] for row in rows],
            classes,
            seed,
        )
        for part, rows in parts.items()
    }


def logged_predictions(tracking: Tracking, run_id: str) -> list[Row]:
    """Return what MLflow holds of a training's answers, empty if they can no longer be read.

    Each row has the columns of the table ``PREDICTIONS`` but ``protocol`` and ``group``; pictures
    that were withdrawn since are not among them.
    """
    answers = tracking.record(run_id, PREDICTIONS_ARTIFACT)
    if answers is None:
        return []
    return [dict(zip(answers["columns"], values, strict=True)) for values in answers["data"]]


def _read_back(tracking: Tracking, run_id: str, data: TrainingSet) -> Trained | None:
    """Return a training as MLflow holds it, or None if it can no longer be read."""
    record = tracking.record(run_id, RECORD)
    rows = logged_predictions(tracking, run_id)
    if record is None or not rows:
        return None
    group_of = dict(zip(data.keys, data.groups, strict=True))
    predictions = [
        row | {"protocol": record["protocol"], "group": group_of[row["sha256"]]}
        for row in rows
        # A withdrawal takes answers out of MLflow; what is not there is not made up.
        if row["sha256"] in group_of
    ]
    return Trained(record | {"run_id": run_id}, predictions, is_new=False)


def _contributed(data: TrainingSet, protocol: Protocol) -> ContributedPictures | None:
    """Return the photos that only train; the report's plain shuffle knows none."""
    return data.contributed if protocol == PROMOTABLE else None


def _held_out(data: TrainingSet) -> list[str]:
    return sorted(key for key, tested in zip(data.keys, data.held_out, strict=True) if tested)


def _backbone_params(platform: Platform, backbone: str) -> dict[str, str]:
    from reds_pipeline.embedding.architecture_notes import known_backbone

    return known_backbone(backbone, platform.home.embeddings).as_params()
