"""What is logged of one training in MLflow (R-EXP-4 to R-EXP-7, R-EXP-10, R-EXP-13, R-EXP-14).

What belongs here: names of numbers and files, the same for every backbone, so that runs can be
compared side by side. What does not: computing them (``modeling``), their order in a training
(``training.py``), or MLflow's own interface (``tracking_run.py``).

Before anything that shows or lists pictures comes ``split.json``: by it a withdrawal finds the
trainings that used a picture, wherever a kill has left them.
"""

from __future__ import annotations

import re
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from reds_pipeline.run_artifacts import PREDICTION_COLUMNS, PREDICTIONS, SPLIT
from reds_pipeline.tracking import BUNDLE_DIRECTORY, MODEL_ARTIFACT

if TYPE_CHECKING:
    from reds_pipeline.modeling.abstention import Answers
    from reds_pipeline.modeling.experiment import Experiment
    from reds_pipeline.modeling.per_class import ClassMeasures
    from reds_pipeline.modeling.splits import Split
    from reds_pipeline.tracking_run import Training
    from reds_pipeline.training_set import TrainingSet

_MOST_POINTS = 500
# What MLflow does not take in the name of a metric.
_NOT_IN_A_NAME = re.compile(r"[^\w.\- ]")


@dataclass(frozen=True, eq=False)
class Outcome:
    """What one training came to.

    Attributes:
        data: What was learnt from.
        split: Its split.
        experiment: What was measured.
        record: The row of the trainings table.
        predictions: Rows of the predictions table.
        measures: Measures of each class on ``cv``, the out-of-fold answers, and ``test``.
    """

    data: TrainingSet
    split: Split
    experiment: Experiment
    record: Mapping[str, Any]
    predictions: Sequence[Mapping[str, Any]]
    measures: Mapping[str, Sequence[ClassMeasures]]


def log_numbers(run: Training, outcome: Outcome) -> None:
    """Log every number of folds and test on the run, and each fold as a run of its own."""
    from reds_pipeline.modeling.intervals import wilson_interval

    data, record, experiment = outcome.data, outcome.record, outcome.experiment
    folds, final = experiment.folds, experiment.final
    by_fold = {
        f"cv/fold_{number}/accuracy": accuracy
        for number, accuracy in enumerate(folds.fold_accuracy, 1)
    }
    calibration = {
        f"{part}/calibration_error{end}": value
        for part, error in (
            ("cv", experiment.cv_calibration),
            ("test", experiment.test_calibration),
        )
        for end, value in (
            ("", error.value),
            ("_low", error.low),
            ("_high", error.high),
            ("_by_chance", error.by_chance),
        )
    }
    answered: dict[str, float | None] = {}
    for part, answers in (("cv", experiment.cv_answers), ("test", experiment.test_answers)):
        ends = answers.accuracy_interval or (None, None)
        answered |= {
            f"{part}/coverage": answers.coverage,
            f"{part}/answered_accuracy": answers.accuracy,
            f"{part}/answered_accuracy_low": ends[0],
            f"{part}/answered_accuracy_high": ends[1],
        }
    familiar = experiment.test_familiar
    low, high = wilson_interval(int(familiar.sum()), len(familiar))
    rate = data.embedded / data.embed_seconds if data.embed_seconds else None
    values: dict[str, float | None] = {
        **by_fold,
        **calibration,
        **answered,
        **_by_class(outcome.measures),
        "cv/accuracy_mean": record["cv_mean"],
        "cv/accuracy_var_ddof0": record["cv_var_ddof0"],
        "cv/accuracy_var_ddof1": record["cv_var_ddof1"],
        "cv/macro_f1": _macro_f1(outcome.measures["cv"]),
        "test/accuracy": record["test_accuracy"],
        "test/accuracy_low": record["test_low"],
        "test/accuracy_high": record["test_high"],
        "test/macro_f1": record["macro_f1"],
        "test/familiar": float(familiar.mean()),
        "test/familiar_low": low,
        "test/familiar_high": high,
        "familiar_limit": experiment.familiarity.limit,
        "answer_threshold": record["answer_threshold"],
        "time/embed_s": record["embed_s"],
        "time/embed_pictures_per_s": rate,
        "time/fit_s": record["fit_s"],
        "time/choose_c_s": folds.choice_seconds,
        "time/final_fit_s": final.head.seconds,
    }
    run.log_metrics({name: value for name, value in values.items() if value is not None})
    _log_folds(run, outcome)


def log_artifacts(run: Training, outcome: Outcome, *, with_projection: bool) -> None:
    """Log the split, the answers, matrices, figures and the pictures that were got wrong."""
    from reds_pipeline.error_gallery import COLUMNS, ERROR_LIST, error_gallery
    from reds_pipeline.modeling.figures import confusion_figure
    from reds_pipeline.modeling.reliability_figure import reliability_figure

    data, split, experiment = outcome.data, outcome.split, outcome.experiment
    folds, final = experiment.folds, experiment.final
    run.log_json(SPLIT, split_manifest(data, split) | contributed_manifest(data, split))
    run.log_table(PREDICTIONS, outcome.predictions, PREDICTION_COLUMNS)
    gallery = error_gallery(outcome.predictions, data.squares)
    run.log_table(ERROR_LIST, gallery.rows, COLUMNS)
    for name, sheet in gallery.sheets.items():
        run.log_bytes(name, sheet)
    run.log_json("class_order.json", list(folds.classes))
    run.log_json("confusion_by_fold.json", folds.fold_confusions.tolist())
    run.log_json("confusion_test.json", final.confusion.tolist())
    for part, of_part in outcome.measures.items():
        rows = [_class_row(measure) for measure in of_part]
        run.log_table(f"per_class_{part}.json", rows, list(rows[0]))
    run.log_json(
        "reliability.json",
        {
            "cv": [asdict(part) for part in experiment.cv_reliability],
            "test": [asdict(part) for part in experiment.test_reliability],
        },
    )
    run.log_json(
        "choice_of_c.json",
        {
            "C": list(folds.penalties),
            "inner_accuracy_by_fold": folds.inner_accuracy.tolist(),
            "chosen_by_fold": list(folds.fold_C),
            "accuracy_for_final": list(final.choice_accuracy),
            "chosen_for_final": final.C,
        },
    )
    title = f"{data.backbone}, {split.protocol}"
    run.log_bytes(
        "figures/confusion.png",
        confusion_figure(
            folds.mean_confusion, folds.classes, f"{title}: mean of {split.folds} folds"
        ),
    )
    totals = final.confusion.sum(axis=1, keepdims=True)
    run.log_bytes(
        "figures/confusion_test.png",
        confusion_figure(
            final.confusion / np.maximum(totals, 1),
            folds.classes,
            f"{title}: test of {final.n_test} pictures",
        ),
    )
    run.log_bytes(
        "figures/reliability.png",
        reliability_figure(
            {"folds": experiment.cv_reliability, "test": experiment.test_reliability},
            f"{title}: are chances what they say?",
            experiment.threshold,
        ),
    )
    if with_projection:
        _log_projection(run, data, split.seed)


def log_model(run: Training, outcome: Outcome) -> None:
    """Log the final head for people, and beside it the bundle that our own programs read."""
    import sklearn
    from mlflow.sklearn import save_model

    from reds_pipeline.modeling.bundle import bundle_from_head, save_bundle
    from reds_pipeline.modeling.quick_skops import import_skops

    import_skops()
    data, experiment, record = outcome.data, outcome.experiment, outcome.record
    head = experiment.final.head
    shown = ("cv_mean", "cv_var_ddof0", "test_accuracy", "test_low", "test_high")
    provenance = data.provenance(record, shown)
    bundle = bundle_from_head(
        head, experiment.temperature, experiment.threshold, provenance, experiment.familiarity
    )
    with tempfile.TemporaryDirectory() as temporary:
        directory = Path(temporary) / MODEL_ARTIFACT
        # For people: loads with mlflow.sklearn and takes embeddings. Our own programs read the
        # bundle beside it, which needs no trust.
        save_model(
            head.pipeline,
            str(directory),
            serialization_format="skops",
            # Named here, or MLflow starts a process to find them out.
            pip_requirements=[f"scikit-learn=={sklearn.__version__}", "skops"],
        )
        save_bundle(bundle, directory / BUNDLE_DIRECTORY)
        run.log_directory(directory, MODEL_ARTIFACT)


def summary(outcome: Outcome) -> str:
    """Return what people read first on the page of the run, as Markdown."""
    data, experiment, record = outcome.data, outcome.experiment, outcome.record
    folds, test = experiment.cv_calibration, experiment.test_answers
    return (
        f"**{record['backbone']}**, protocol `{record['protocol']}`: {len(data.keys)} pictures of "
        f"{len(record['classes'])} classes ({', '.join(record['classes'])}).\n\n"
        f"- Folds: {record['cv_mean']:.1%} on average, standard deviation over the "
        f"{len(record['cv_accuracy'])} folds {record['cv_var_ddof1'] ** 0.5:.1%}.\n"
        f"- Test: {record['test_accuracy']:.1%} of {record['n_test']} pictures (95 % interval "
        f"{record['test_low']:.1%} to {record['test_high']:.1%}).\n"
        f"- Chances out of fold are off by {folds.value:.1%} on average (95 % interval "
        f"{folds.low:.1%} to {folds.high:.1%}; {folds.by_chance:.1%} would be so by chance).\n"
        f"- {answers_in_words(test)}\n"
        f"- {experiment.test_familiar.mean():.1%} of the test is found familiar; of photos that "
        "are not, nothing is called likely.\n"
        f"{_contributed_in_words(outcome)}"
        f"- C = {record['C']:g}. Fitting took {record['fit_s']:.1f} s, embedding "
        f"{record['embed_s']:.1f} s for {data.embedded} pictures with {data.engine}."
    )


def _contributed_in_words(outcome: Outcome) -> str:
    count = outcome.experiment.n_only_trained
    if not count:
        return ""
    return f"- {count} contributed photos train besides; nothing above is measured on them.\n"


def answers_in_words(test: Answers) -> str:
    """Return when an answer is one to rely on, and what that means on the test."""
    from reds_pipeline.modeling.abstention import NO_ANSWER

    if test.threshold >= NO_ANSWER:
        return "No answer is one to rely on: at no chance are as many right as were asked for."
    right = (
        "so that nothing can be said of such answers"
        if test.accuracy is None
        else f"of which {test.accuracy:.1%} were right"
    )
    return (
        f"Answers are given from a chance of {test.threshold:.2f}: {test.coverage:.1%} of the "
        f"test, {right}."
    )


def _log_folds(run: Training, outcome: Outcome) -> None:
    from sklearn.metrics import f1_score

    from reds_pipeline.modeling.calibration_error import calibration_error

    data, split, experiment = outcome.data, outcome.split, outcome.experiment
    folds, record = experiment.folds, outcome.record
    labels, groups = np.asarray(data.labels, dtype=str), np.asarray(data.groups, dtype=str)
    tags = {name: record[name] for name in ("backbone", "protocol")} | {
        "dataset": data.dataset_name,
        "task": "classes",
        "head": "linear SVM",
    }
    for number, accuracy in enumerate(folds.fold_accuracy):
        asked = split.fold == number
        chances = experiment.chances[asked]
        said = np.asarray(folds.classes)[chances.argmax(axis=1)]
        error = calibration_error(
            chances.max(axis=1),
            np.asarray(said == labels[asked]),
            groups[asked].tolist(),
            seed=split.seed,
        )
        metrics = {
            "accuracy": accuracy,
            "macro_f1": float(f1_score(labels[asked], said, average="macro")),
            "calibration_error": error.value,
            "pictures": int(asked.sum()),
            "time/fit_s": folds.fit_seconds[number],
        }
        run.log_fold(number + 1, metrics, tags, {"C": f"{folds.fold_C[number]:g}"})


def _log_projection(run: Training, data: TrainingSet, seed: int) -> None:
    from reds_pipeline.modeling.figures import tsne_figure
    from reds_pipeline.modeling.projection import sample_rows, tsne_points

    rows = sample_rows(data.labels, _MOST_POINTS, seed)
    points = tsne_points(data.features[rows], seed)
    title = f"{data.backbone}: t-SNE of {len(rows)} pictures"
    run.log_bytes(
        "figures/tsne.png", tsne_figure(points, [data.labels[row] for row in rows], title)
    )


def split_manifest(data: TrainingSet, split: Split) -> dict[str, Any]:
    """Return what says of every picture, by SHA-256, where the split put it."""
    return {
        "protocol": split.protocol,
        "seed": split.seed,
        "test": [key for key, tested in zip(data.keys, split.test, strict=True) if tested],
        "fold": {
            key: int(fold) for key, fold in zip(data.keys, split.fold, strict=True) if fold >= 0
        },
    }


def contributed_manifest(data: TrainingSet, split: Split) -> dict[str, Any]:
    """Return what says of every contributed photo, by SHA-256, which fold did without it.

    Empty where nobody gave any, or the protocol does not learn from them.
    """
    if data.contributed is None or split.protocol != "grouped":
        return {}
    folds = data.contributed.pictures.folds(split, data.groups)
    return {"contributed": dict(zip(data.contributed.keys, folds.tolist(), strict=True))}


def _by_class(measures: Mapping[str, Sequence[ClassMeasures]]) -> dict[str, float | None]:
    return {
        f"{part}/{name}/{_NOT_IN_A_NAME.sub('_', measure.name)}": getattr(measure, name)
        for part, of_part in measures.items()
        for measure in of_part
        for name in ("precision", "recall", "f1")
    }


def _class_row(measure: ClassMeasures) -> dict[str, Any]:
    row: dict[str, Any] = {
        "class": measure.name,
        "pictures": measure.pictures,
        "answers": measure.answers,
        "found": measure.found,
    }
    for name in ("precision", "recall", "f1"):
        low, high = getattr(measure, f"{name}_interval") or (None, None)
        row |= {name: getattr(measure, name), f"{name}_low": low, f"{name}_high": high}
    return row


def _macro_f1(measures: Sequence[ClassMeasures]) -> float:
    """Return the mean F1 of the classes that there are or that were said."""
    return float(np.mean([measure.f1 for measure in measures if measure.f1 is not None]))
