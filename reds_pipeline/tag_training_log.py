"""What MLflow holds of a multi-label training: names of numbers and files.

What belongs here: turning an experiment into metrics, tables and files, under the names that
trainings of classes use wherever both measure the same (``training_log.py``). What does not:
computing them (``modeling.multilabel``), or their order in a training (``tag_training.py``).
"""

from __future__ import annotations

import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from reds_pipeline.storage.clock import utc_now
from reds_pipeline.tag_lists import TagChoice
from reds_pipeline.tracking import BUNDLE_DIRECTORY, MODEL_ARTIFACT
from reds_pipeline.training_set import TrainingSet

if TYPE_CHECKING:
    from reds_pipeline.modeling.familiarity import Familiarity
    from reds_pipeline.modeling.multilabel import TagExperiment
    from reds_pipeline.modeling.ranking_metrics import Interval, Recommendations, TagMeasures
    from reds_pipeline.modeling.splits import Protocol, Split
    from reds_pipeline.tracking_run import Training

PROTOCOL: Protocol = "grouped"
_RECOMMENDED = 5
_AT = ("precision_at_1", "recall_at_5", "accuracy_at_5")

Row = dict[str, Any]


@dataclass(frozen=True, eq=False)
class TagProblem:
    """What a multi-label model learns from.

    Attributes:
        data: The pictures, as the backbone sees them.
        split: Which of them test, the frozen test among them, and which fold the others are in.
        choice: The tags.
        targets: bool (n, t), which of the tags each picture has.
    """

    data: TrainingSet
    split: Split
    choice: TagChoice
    targets: NDArray[np.bool_]


def run_tags(problem: TagProblem) -> dict[str, str]:
    """Return the MLflow tags of a run and its folds."""
    return {
        "backbone": problem.data.backbone,
        "protocol": PROTOCOL,
        "dataset": problem.data.dataset_digest[:12],
        "head": "multi-label",
        "task": "tags",
        "engine": problem.data.engine,
    }


def training_row(problem: TagProblem, experiment: TagExperiment, key: str) -> Row:
    """Return the row of the table ``tag_trainings``, without the run."""
    data, folds, fits = problem.data, experiment.folds, experiment.fits
    test = experiment.test.recommendations if experiment.test else None
    return {
        "backbone": data.backbone,
        "encoder_id": data.encoder_id,
        "embeddings_id": data.embeddings_id,
        "training_key": key,
        "dataset_digest": data.dataset_digest,
        "tags": list(problem.choice.tags),
        "C": fits.final_C,
        **_values(folds.recommendations),
        **{f"popularity_{name}": value for name, value in _values(experiment.popularity).items()},
        **{f"test_{name}": value for name, value in _values(test).items()},
        "mean_average_precision": folds.mean_average_precision.value,
        "macro_f1": folds.macro_f1,
        "micro_f1": folds.micro_f1,
        "n_train": int(problem.split.training.sum()),
        "n_test": int(problem.split.test.sum()),
        "fit_s": fits.choice_seconds + sum(fits.fold_seconds) + fits.final_seconds,
        "trained_at": utc_now(),
    }


def tag_rows(problem: TagProblem, experiment: TagExperiment) -> list[Row]:
    """Return what is known of each tag; of the folds, but for the threshold of the final model."""
    share = problem.targets[problem.split.training].mean(axis=0)
    calibration, folds = experiment.calibration, experiment.folds
    return [
        {
            "tag": tag,
            "pictures": problem.choice.pictures[number],
            "authors": problem.choice.groups[number],
            "share": float(share[number]),
            "average_precision": float(folds.average_precision[number]),
            "f1": float(folds.f1[number]),
            "threshold": float(calibration.thresholds[number]),
            "shown": bool(calibration.shown[number]),
        }
        for number, tag in enumerate(problem.choice.tags)
    ]


def tag_numbers(problem: TagProblem, experiment: TagExperiment) -> dict[str, float]:
    """Return the metrics of the run."""
    numbers: dict[str, float] = {
        "tags": len(problem.choice.tags),
        "tags_shown": int(experiment.calibration.shown.sum()),
        "share_of_lists_covered": problem.choice.covered,
        "time/embed_s": problem.data.embed_seconds,
        "time/choose_c_s": experiment.fits.choice_seconds,
        "time/final_fit_s": experiment.fits.final_seconds,
        "time/fit_s": experiment.fits.choice_seconds
        + sum(experiment.fits.fold_seconds)
        + experiment.fits.final_seconds,
        **_measured("cv", experiment.folds),
        **_with_ends("cv/popularity", experiment.popularity),
        **_calibration_error("cv", problem, experiment, problem.split.training),
    }
    if experiment.test is not None and experiment.test_popularity is not None:
        numbers |= _measured("test", experiment.test)
        numbers |= _with_ends("test/popularity", experiment.test_popularity)
        numbers |= _calibration_error("test", problem, experiment, problem.split.test)
    return numbers


def fold_numbers(problem: TagProblem, experiment: TagExperiment, number: int) -> dict[str, float]:
    """Return the metrics of the run of one fold."""
    from reds_pipeline.modeling import ranking_metrics

    asked = problem.split.fold == number
    chances, truth = experiment.chances[asked], problem.targets[asked]
    has_tag = truth.any(axis=1)
    values = {
        "precision_at_1": ranking_metrics.precision_at(chances, truth, 1)[has_tag],
        "recall_at_5": ranking_metrics.recall_at(chances, truth, 5)[has_tag],
        "accuracy_at_5": ranking_metrics.accuracy_at(chances, truth, 5)[has_tag],
        "mean_average_precision": ranking_metrics.average_precision(chances, truth),
        "macro_f1": ranking_metrics.f1_scores(experiment.given[asked], truth),
    }
    numbers = {
        name: float(np.nanmean(each)) for name, each in values.items() if np.isfinite(each).any()
    }
    return numbers | {
        "pictures": int(asked.sum()),
        "time/fit_s": experiment.fits.fold_seconds[number],
    }


def _measured(part: str, measures: TagMeasures) -> dict[str, float]:
    return {
        **_with_ends(part, measures.recommendations),
        **_ends(f"{part}/mean_average_precision", measures.mean_average_precision),
        f"{part}/macro_f1": measures.macro_f1,
        f"{part}/micro_f1": measures.micro_f1,
        f"{part}/decision_accuracy": measures.decision_accuracy,
    }


def _calibration_error(
    part: str, problem: TagProblem, experiment: TagExperiment, asked: NDArray[np.bool_]
) -> dict[str, float]:
    """Return how far the chances of the five likeliest tags of each picture are off."""
    from reds_pipeline.modeling.calibration_error import calibration_error

    chances = experiment.chances[asked]
    shown = np.argsort(-chances, axis=1, kind="stable")[:, :_RECOMMENDED]
    error = calibration_error(
        np.take_along_axis(chances, shown, axis=1).ravel(),
        np.take_along_axis(problem.targets[asked], shown, axis=1).ravel(),
        np.repeat(np.asarray(problem.data.groups, dtype=str)[asked], shown.shape[1]).tolist(),
        seed=problem.split.seed,
    )
    name = f"{part}/calibration_error"
    return {name: error.value, f"{name}_low": error.low, f"{name}_high": error.high}


def log_tag_model(
    run: Training,
    problem: TagProblem,
    experiment: TagExperiment,
    row: Row,
    familiarity: Familiarity,
) -> None:
    """Log the final model as a bundle, which is all that our own programs read."""
    from reds_pipeline.modeling.bundle import save_bundle
    from reds_pipeline.modeling.multilabel import bundle_of_tags

    shown = ("mean_average_precision", "precision_at_1", "recall_at_5", "macro_f1")
    provenance = problem.data.provenance(row, shown)
    with tempfile.TemporaryDirectory() as temporary:
        directory = Path(temporary) / MODEL_ARTIFACT
        bundle = bundle_of_tags(experiment, problem.choice.tags, provenance, familiarity)
        save_bundle(bundle, directory / BUNDLE_DIRECTORY)
        run.log_directory(directory, MODEL_ARTIFACT)


def summary(row: Mapping[str, Any], per_tag: Sequence[Mapping[str, Any]]) -> str:
    """Return what people read first: what came of a training, in sentences."""
    shown = [tag["tag"] for tag in per_tag if tag["shown"]]
    return (
        f"{row['backbone']} was trained on {len(per_tag)} tags, of which pictures show "
        f"{len(shown)}. Out of fold ({row['n_train']} pictures), of those with any of these tags "
        f"{row['precision_at_1']:.1%} have the likeliest one (naming the most frequent: "
        f"{row['popularity_precision_at_1']:.1%}), and the five likeliest hold "
        f"{row['recall_at_5']:.1%} of their tags "
        f"({row['popularity_recall_at_5']:.1%}). A tag that an author did not write counts as "
        "wrong, though the picture may show it."
    )


def _values(measured: Recommendations | None) -> dict[str, float | None]:
    return {name: getattr(measured, name).value if measured else None for name in _AT}


def _with_ends(part: str, measured: Recommendations) -> dict[str, float]:
    ends: dict[str, float] = {}
    for name in _AT:
        ends |= _ends(f"{part}/{name}", getattr(measured, name))
    return ends


def _ends(name: str, measured: Interval) -> dict[str, float]:
    return {name: measured.value, f"{name}_low": measured.low, f"{name}_high": measured.high}
