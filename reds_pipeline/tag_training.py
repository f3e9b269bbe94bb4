"""Training one backbone's multi-label model over all tags of the posts, and keeping it.

What belongs here: the order of such a training and the row that is kept of it. What does not: which
tags a picture has (``tag_lists.py``), fitting and measuring (``modeling.multilabel``), what is
logged (``tag_training_log.py``), or whose model serves (``tag_promotion.py``). A training that
MLflow already holds is read back, not repeated.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from reds_pipeline.hardware import this_machine
from reds_pipeline.resources import MODELS_TRAINED, Platform
from reds_pipeline.run_artifacts import SPLIT
from reds_pipeline.storage.tables import TAG_TRAININGS, write_rows
from reds_pipeline.tag_lists import choose_tags, never_learnt, tag_lists
from reds_pipeline.tag_training_log import (
    PROTOCOL,
    TagProblem,
    fold_numbers,
    log_tag_model,
    run_tags,
    summary,
    tag_numbers,
    tag_rows,
    training_row,
)
from reds_pipeline.tracking import Tracking
from reds_pipeline.training_log import split_manifest
from reds_pipeline.training_set import load_training_set, one_training

if TYPE_CHECKING:
    from reds_pipeline.modeling.multilabel import TagParameters
    from reds_pipeline.tracking_run import Training

TABLE = "tag_trainings"
RECORD = "tag_training.json"
TAG_TABLE = "tags.json"
FIGURE = "figures/average_precision.png"
# Raised when what a training computes or logs changes, so that old ones are not taken for new.
_VERSION = 2

Row = dict[str, Any]


@dataclass(frozen=True)
class TagTrained:
    """One multi-label training, whether it was made now or before.

    Attributes:
        row: Of the table ``tag_trainings``; None if there is too little to learn from.
        per_tag: What is known of each tag, the most frequent first.
        sentence: What came of it, for people.
        is_new: Whether it was made now.
    """

    row: Row | None
    per_tag: list[Row]
    sentence: str
    is_new: bool


def train_tags(platform: Platform, backbone: str, dagster_run_id: str) -> TagTrained:
    """Train the multi-label model of one backbone and write its table.

    Args:
        platform: The installation.
        backbone: A configured encoder, whose embeddings are there.
        dagster_run_id: The run that asks.

    Raises:
        RedsError: Something has not been embedded, or a class is too small to be split.
    """
    with one_training(platform.home, backbone):
        return _train_once(platform, backbone, dagster_run_id)


def _train_once(platform: Platform, backbone: str, dagster_run_id: str) -> TagTrained:
    from reds_pipeline.modeling.multilabel import TagParameters

    settings, tracking = platform.settings, platform.tracking
    table = platform.home.table(TABLE, backbone)
    problem = tag_problem(platform, backbone)
    if not problem.choice.tags:
        write_rows(table, [], TAG_TRAININGS)
        return TagTrained(None, [], _too_few(settings.min_pictures_per_tag), is_new=False)
    parameters = TagParameters(C=settings.svm_c, seed=settings.seed)
    key = tag_training_key(problem, parameters)
    before = _read_back(tracking, key)
    if before is not None:
        write_rows(table, [before.row or {}], TAG_TRAININGS)
        return before
    params = {
        "backbone": backbone,
        "encoder": problem.data.encoder_id,
        "embeddings": problem.data.embeddings_id,
        "engine": problem.data.engine,
        "weights": problem.data.weights,
        "head": "StandardScaler + LinearSVC, one against the rest, a sigmoid each",
        "choice_of_C": "inside the training folds" if parameters.C is None else "given",
        "protocol": PROTOCOL,
        "seed": parameters.seed,
        "tags": len(problem.choice.tags),
        "words_withheld": problem.choice.withheld,
        "min_pictures_per_tag": settings.min_pictures_per_tag,
        "dataset_digest": problem.data.dataset_digest,
        "pictures": len(problem.data.keys),
        "groups": len(set(problem.data.groups)),
        **this_machine().as_params(),
    }
    tags = run_tags(problem) | {"dagster.run_id": dagster_run_id}
    with tracking.training(f"{backbone} tags", key, params=params, tags=tags) as run:
        row, rows = _train(run, problem, parameters, key)
    row = row | {"run_id": run.run_id}
    write_rows(table, [row], TAG_TRAININGS)
    platform.cost[MODELS_TRAINED] += 1
    return TagTrained(row, rows, summary(row, rows), is_new=True)


def _read_back(tracking: Tracking, key: str) -> TagTrained | None:
    """Return a training as MLflow holds it, or None if it does not or can no longer be read."""
    run_id = tracking.finished_training(key)
    if run_id is None:
        return None
    record, table = tracking.record(run_id, RECORD), tracking.record(run_id, TAG_TABLE)
    if record is None or table is None:
        return None
    row = record | {"run_id": run_id}
    rows = [dict(zip(table["columns"], values, strict=True)) for values in table["data"]]
    return TagTrained(row, rows, summary(row, rows), is_new=False)


def tag_problem(platform: Platform, backbone: str) -> TagProblem:
    """Return what the multi-label model of a backbone learns from; there may be no tags."""
    from reds_pipeline.lexicon.wordnet import load_wordnet
    from reds_pipeline.modeling.splits import make_split

    settings, wordnet = platform.settings, load_wordnet()
    data = load_training_set(platform.home, backbone, settings.seed)
    split = make_split(
        data.labels, data.groups, protocol=PROTOCOL, seed=settings.seed, held_out=data.held_out
    )
    lists = tag_lists(platform.home, data.keys, data.labels, wordnet)
    training = np.flatnonzero(split.training)
    choice = choose_tags(
        [lists[row] for row in training],
        [data.groups[row] for row in training],
        fewest_pictures=settings.min_pictures_per_tag,
        most_tags=settings.tags_per_model,
        never=never_learnt(set().union(*lists), set(data.labels), wordnet),
    )
    return TagProblem(data, split, choice, choice.targets(lists))


def tag_training_key(problem: TagProblem, parameters: TagParameters) -> str:
    """Return the name of a training: equal if and only if it would give the same numbers."""
    data = problem.data
    parts = [
        _VERSION,
        "tags",
        data.embeddings_id,
        data.dataset_digest,
        split_manifest(problem.data, problem.split),
        problem.choice.tags,
        hashlib.sha256(np.packbits(problem.targets).tobytes()).hexdigest(),
        asdict(parameters),
    ]
    return hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()


def _train(
    run: Training, problem: TagProblem, parameters: TagParameters, key: str
) -> tuple[Row, list[Row]]:
    from reds_pipeline.modeling.familiarity import fit_familiarity
    from reds_pipeline.modeling.multilabel import run_tag_experiment
    from reds_pipeline.modeling.tag_figure import average_precision_figure

    data, split = problem.data, problem.split
    # First, for by it a withdrawal finds the runs that used a picture.
    run.log_json(SPLIT, split_manifest(problem.data, problem.split))
    run.log_dataset(data.as_dataset())
    experiment = run_tag_experiment(data.features, problem.targets, data.groups, split, parameters)
    row = training_row(problem, experiment, key)
    per_tag = tag_rows(problem, experiment)
    run.log_params({"C": f"{experiment.fits.final_C:g}"})
    run.log_metrics(tag_numbers(problem, experiment))
    for number in range(split.folds):
        run.log_fold(
            number + 1,
            fold_numbers(problem, experiment, number),
            run_tags(problem),
            {"C": f"{experiment.fits.fold_C[number]:g}"},
        )
    run.log_table(TAG_TABLE, per_tag, list(per_tag[0]))
    run.log_bytes(
        FIGURE, average_precision_figure(per_tag, f"{data.backbone}: how well pictures show a tag")
    )
    familiarity = fit_familiarity(data.features, data.labels, data.groups, split)
    log_tag_model(run, problem, experiment, row, familiarity)
    run.describe(summary(row, per_tag))
    run.log_json(RECORD, row)
    return row, per_tag


def _too_few(fewest: int) -> str:
    return (
        f"No hashtag has {fewest} pictures of {-(-fewest // 2)} authors to learn from yet, too few "
        "for a multi-label model; collect more posts, or lower REDS_MIN_PICTURES_PER_TAG."
    )
