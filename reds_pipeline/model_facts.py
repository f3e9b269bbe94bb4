"""What is known of a version of a model, for its card.

What belongs here: gathering what the training logged and what the registry and the ledger say.
What does not: measuring, or the text of the card (``model_card.py``). Nothing in it names a
person or a picture.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import TYPE_CHECKING, Any

from reds_pipeline.model_history import RecordedChange, history
from reds_pipeline.resources import Platform
from reds_pipeline.tracking import RegisteredVersion, Tracking
from reds_pipeline.training import RECORD
from reds_pipeline.withdrawal.lineage import WITHDRAWN_PICTURES

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

LABEL_ORIGINS = "reds.label_origins"
"""Tag of a version: where the labels it learnt came from."""

_MOST_PAIRS = 5
FOLDS, TEST = "5 grouped folds", "the frozen test"
# Names of the training's record, empty where only the metric has the value, with the metrics of the
# run that are the ends of its interval.
_RESULTS = (
    ("mean accuracy of the folds", FOLDS, "cv_mean", ""),
    ("accuracy", TEST, "test_accuracy", "test/accuracy"),
    ("macro F1", TEST, "macro_f1", "test/macro_f1"),
    ("calibration error", FOLDS, "cv_calibration_error", "cv/calibration_error"),
    ("calibration error", TEST, "test_calibration_error", "test/calibration_error"),
    ("share of pictures answered", TEST, "test_coverage", "test/coverage"),
    ("accuracy of the answers given", TEST, "test_answered_accuracy", "test/answered_accuracy"),
    ("share of pictures found familiar", TEST, "", "test/familiar"),
)
_TAG_RESULTS = (
    ("precision at 1", FOLDS, "precision_at_1", "cv/precision_at_1"),
    (
        "precision at 1 of always naming the most frequent",
        FOLDS,
        "popularity_precision_at_1",
        "cv/popularity/precision_at_1",
    ),
    ("recall at 5", FOLDS, "recall_at_5", "cv/recall_at_5"),
    (
        "recall at 5 of always naming the most frequent",
        FOLDS,
        "popularity_recall_at_5",
        "cv/popularity/recall_at_5",
    ),
    ("accuracy at 5", FOLDS, "accuracy_at_5", "cv/accuracy_at_5"),
    (
        "accuracy at 5 of always naming the most frequent",
        FOLDS,
        "popularity_accuracy_at_5",
        "cv/popularity/accuracy_at_5",
    ),
    ("mean average precision", FOLDS, "mean_average_precision", "cv/mean_average_precision"),
    ("macro F1", FOLDS, "macro_f1", "cv/macro_f1"),
    ("micro F1", FOLDS, "micro_f1", "cv/micro_f1"),
    ("precision at 1", TEST, "test_precision_at_1", "test/precision_at_1"),
    ("recall at 5", TEST, "test_recall_at_5", "test/recall_at_5"),
    ("accuracy at 5", TEST, "test_accuracy_at_5", "test/accuracy_at_5"),
)


@dataclass(frozen=True)
class Share:
    """A share of a count, with its 95 % Wilson interval where there is anything to count."""

    part: int
    whole: int

    def __str__(self) -> str:
        """Return it for people."""
        from reds_pipeline.modeling.intervals import wilson_interval

        if not self.whole:
            return "not measured"
        low, high = wilson_interval(self.part, self.whole)
        return f"{self.part / self.whole:.1%} ({low:.1%} to {high:.1%})"


@dataclass(frozen=True)
class Result:
    """One line of the table of results."""

    name: str
    data: str
    value: float
    interval: str


@dataclass(frozen=True)
class ClassFacts:
    """How well one class is told on the test."""

    name: str
    pictures: int
    recall: Share
    precision: Share


@dataclass(frozen=True)
class ConfusedPair:
    """Two classes, and how many of their pictures the folds took for the other one."""

    first: str
    second: str
    mistaken: int
    pictures: int

    @property
    def rate(self) -> Share:
        """The share of their pictures that is mistaken."""
        return Share(self.mistaken, self.pictures)


@dataclass(frozen=True)
class ServedFacts:
    """One change that concerned the version."""

    at: str
    what: str
    by: str
    reason: str


@dataclass(frozen=True)
class ModelFacts:
    """Everything that a card says about one version; what is not known is empty or None."""

    model: str
    version: str
    run_id: str
    kind: str
    classes: tuple[str, ...]
    backbone: str
    encoder_id: str
    dimension: int
    weights: str
    resize_rule: str
    dataset_digest: str
    trained_at: str
    penalty: float | None
    threshold: float | None
    pictures: tuple[int, int] | None
    contributed: int
    label_origins: Mapping[str, int]
    results: tuple[Result, ...]
    variances: tuple[float, float] | None
    by_class: tuple[ClassFacts, ...]
    confused: tuple[ConfusedPair, ...]
    calibration: tuple[str, ...]
    withdrawn_pictures: int
    served: tuple[ServedFacts, ...]


def model_facts(platform: Platform, version: RegisteredVersion) -> ModelFacts:
    """Gather what is known of a version.

    Raises:
        RedsError: Its bundle is gone, damaged or not one.
    """
    from reds_pipeline.shared_test import read_bundle
    from reds_pipeline.tag_training import RECORD as TAG_RECORD

    tracking = platform.tracking
    bundle = read_bundle(tracking, version)
    provenance = bundle.provenance
    is_tags = bundle.kind == "tags"
    record = tracking.record(version.run_id, TAG_RECORD if is_tags else RECORD) or {}
    has_counts = {"n_train", "n_test"} <= set(record)
    by_fold = _matrix(tracking, version, "confusion_by_fold.json")
    return ModelFacts(
        model=version.model,
        version=version.version,
        run_id=version.run_id,
        kind=bundle.kind,
        classes=bundle.classes,
        backbone=provenance.encoder_name,
        encoder_id=provenance.encoder_id,
        dimension=bundle.dimension,
        weights=record.get("weights") or "",
        resize_rule=provenance.resize_rule,
        dataset_digest=provenance.dataset_digest,
        trained_at=provenance.trained_at,
        penalty=record.get("C"),
        threshold=None if is_tags else float(bundle.thresholds.max()),
        pictures=(record["n_train"], record["n_test"]) if has_counts else None,
        contributed=int(record.get("n_contributed") or 0),
        label_origins=_origins(version),
        results=(
            *_out_of_fold(by_fold),
            *_results(_TAG_RESULTS if is_tags else _RESULTS, record, tracking, version.run_id),
        ),
        variances=_variances(record),
        by_class=_by_class(bundle.classes, _matrix(tracking, version, "confusion_test.json")),
        confused=confused_pairs(bundle.classes, by_fold),
        calibration=_calibration(record),
        withdrawn_pictures=int(version.tags.get(WITHDRAWN_PICTURES) or 0),
        served=served_facts(history(platform.ledger, version.model), version.version),
    )


def confused_pairs(
    classes: Sequence[str], confusion: NDArray[np.int64] | None
) -> tuple[ConfusedPair, ...]:
    """Return the pairs of classes that are taken for each other most often, the worst first.

    Args:
        classes: The k classes.
        confusion: int64 (k, k), true class by predicted class; None if it is not known.
    """
    if confusion is None or confusion.shape != (len(classes), len(classes)):
        return ()
    totals = confusion.sum(axis=1)
    pairs = [
        ConfusedPair(
            classes[one],
            classes[other],
            int(confusion[one, other] + confusion[other, one]),
            int(totals[one] + totals[other]),
        )
        for one, other in combinations(range(len(classes)), 2)
    ]
    mistaken = [pair for pair in pairs if pair.mistaken]
    return tuple(sorted(mistaken, key=lambda pair: -pair.mistaken / pair.pictures)[:_MOST_PAIRS])


def _by_class(
    classes: Sequence[str], confusion: NDArray[np.int64] | None
) -> tuple[ClassFacts, ...]:
    if confusion is None or confusion.shape != (len(classes), len(classes)):
        return ()
    given, said = confusion.sum(axis=1), confusion.sum(axis=0)
    return tuple(
        ClassFacts(
            name,
            int(given[row]),
            Share(int(confusion[row, row]), int(given[row])),
            Share(int(confusion[row, row]), int(said[row])),
        )
        for row, name in enumerate(classes)
    )


def _out_of_fold(confusion: NDArray[np.int64] | None) -> tuple[Result, ...]:
    """Return the accuracy over all pictures of the folds, each told by a head that had not seen it.

    The interval takes pictures for independent; those of one author are not quite.
    """
    from reds_pipeline.modeling.intervals import wilson_interval

    if confusion is None or not confusion.sum():
        return ()
    right, total = int(confusion.trace()), int(confusion.sum())
    low, high = wilson_interval(right, total)
    return (Result("accuracy", FOLDS, right / total, f"{low:.3f} to {high:.3f}"),)


def _results(
    wanted: Sequence[tuple[str, str, str, str]],
    record: Mapping[str, Any],
    tracking: Tracking,
    run_id: str,
) -> tuple[Result, ...]:
    metrics = tracking.metrics(run_id) if record else {}
    found = []
    for name, data, column, metric in wanted:
        value = record.get(column) if column else metrics.get(metric)
        if value is None:
            continue
        ends = [metrics.get(f"{metric}_{end}") for end in ("low", "high")]
        known = None not in ends
        interval = f"{ends[0]:.3f} to {ends[1]:.3f}" if metric and known else ""
        found.append(Result(name, data, float(value), interval))
    return tuple(found)


def _matrix(
    tracking: Tracking, version: RegisteredVersion, artifact: str
) -> NDArray[np.int64] | None:
    """Return a confusion matrix that a training logged, that of the folds added up, or None."""
    import numpy as np
    from mlflow.exceptions import MlflowException

    try:
        counts = np.array(tracking.read_json(version.run_id, artifact), np.int64)
    except (MlflowException, OSError, ValueError):
        return None
    return np.asarray(counts.sum(axis=0) if counts.ndim == 3 else counts)


def _origins(version: RegisteredVersion) -> dict[str, int]:
    try:
        counts = json.loads(version.tags.get(LABEL_ORIGINS, "{}"))
    except ValueError:
        # Tags can be edited in MLflow by anybody.
        return {}
    return {str(origin): int(count) for origin, count in counts.items()}


def _variances(record: Mapping[str, Any]) -> tuple[float, float] | None:
    divided_by_folds, by_one_less = record.get("cv_var_ddof0"), record.get("cv_var_ddof1")
    if divided_by_folds is None or by_one_less is None:
        return None
    return float(divided_by_folds), float(by_one_less)


def _calibration(record: Mapping[str, Any]) -> tuple[str, ...]:
    if record.get("test_coverage") is None or record.get("test_answered_accuracy") is None:
        return ()
    return (
        f"On the frozen test it answers {record['test_coverage']:.1%} of the pictures, and "
        f"{record['test_answered_accuracy']:.1%} of these answers are right.",
    )


def served_facts(entries: Sequence[RecordedChange], version: str) -> tuple[ServedFacts, ...]:
    """Return the changes of the champion that concern a version, oldest first."""
    found = []
    for entry in entries:
        change = entry.change
        if change.version == version:
            after = f" after version {change.previous}" if change.previous else ""
            found.append(ServedFacts(entry.at, f"began to serve{after}", change.by, change.reason))
        elif change.previous == version:
            then = f"version {change.version}" if change.version else "none"
            found.append(ServedFacts(entry.at, f"replaced by {then}", change.by, change.reason))
    return tuple(found)
