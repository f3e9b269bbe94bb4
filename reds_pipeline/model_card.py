"""The card of a model version: what somebody should read before using it.

What belongs here: gathering what is known of a version, and keeping its card in MLflow. What does
not: measuring. The text is in ``modeling/data/model_card.md.jinja``; the parts are those that
model cards ask for (Mitchell and others, FAT* 2019, arXiv 1810.03993). Everything in it is read
from what the training logged, so that it can be made again at any time; nothing in it names a
person or a picture.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from importlib import resources
from itertools import combinations
from typing import TYPE_CHECKING, Any

from reds_pipeline.errors import RedsError
from reds_pipeline.label_origins import IN_WORDS, LabelOrigins
from reds_pipeline.model_history import RecordedChange, history
from reds_pipeline.resources import Platform
from reds_pipeline.tracking import CHAMPION, REGISTERED_MODEL, RegisteredVersion, Tracking
from reds_pipeline.training import RECORD
from reds_pipeline.withdrawal.lineage import WITHDRAWN_PICTURES

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

CARD = "model_card.md"
LABEL_ORIGINS = "reds.label_origins"
"""Tag of a version: where the labels it learnt came from."""

_TEMPLATE = "model_card.md.jinja"
_MOST_PAIRS = 5
_logger = logging.getLogger(__name__)
_FOLDS, _TEST = "5 grouped folds", "the frozen test"
# Names of the training's record, with the metrics of the run that are the ends of its interval.
_RESULTS = (
    ("accuracy", _FOLDS, "cv_mean", ""),
    ("accuracy", _TEST, "test_accuracy", "test/accuracy"),
    ("macro F1", _TEST, "macro_f1", "test/macro_f1"),
    ("calibration error", _FOLDS, "cv_calibration_error", "cv/calibration_error"),
    ("calibration error", _TEST, "test_calibration_error", "test/calibration_error"),
    ("share of pictures answered", _TEST, "test_coverage", "test/coverage"),
    ("accuracy of the answers given", _TEST, "test_answered_accuracy", "test/answered_accuracy"),
)
_TAG_RESULTS = (
    ("precision at 1", _FOLDS, "precision_at_1", ""),
    ("precision at 1 of always naming the most frequent", _FOLDS, "popularity_precision_at_1", ""),
    ("recall at 5", _FOLDS, "recall_at_5", ""),
    ("recall at 5 of always naming the most frequent", _FOLDS, "popularity_recall_at_5", ""),
    ("accuracy at 5", _FOLDS, "accuracy_at_5", ""),
    ("accuracy at 5 of always naming the most frequent", _FOLDS, "popularity_accuracy_at_5", ""),
    ("mean average precision", _FOLDS, "mean_average_precision", ""),
    ("macro F1", _FOLDS, "macro_f1", ""),
    ("micro F1", _FOLDS, "micro_f1", ""),
    ("precision at 1", _TEST, "test_precision_at_1", "test/precision_at_1"),
    ("recall at 5", _TEST, "test_recall_at_5", "test/recall_at_5"),
    ("accuracy at 5", _TEST, "test_accuracy_at_5", "test/accuracy_at_5"),
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
    from reds_pipeline.shared_test import load_registered

    tracking = platform.tracking
    bundle = load_registered(tracking, version).bundle
    provenance = bundle.provenance
    record = tracking.record(version.run_id, RECORD) or {}
    is_tags = bundle.kind == "tags"
    has_counts = {"n_train", "n_test"} <= set(record)
    variances = (record.get("cv_var_ddof0"), record.get("cv_var_ddof1"))
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
        label_origins=_origins(version),
        results=_results(_TAG_RESULTS if is_tags else _RESULTS, record, tracking, version.run_id),
        variances=None if None in variances else (float(variances[0]), float(variances[1])),
        by_class=_by_class(bundle.classes, _matrix(tracking, version, "confusion_test.json")),
        confused=confused_pairs(
            bundle.classes, _matrix(tracking, version, "confusion_by_fold.json")
        ),
        calibration=_calibration(record),
        withdrawn_pictures=int(version.tags.get(WITHDRAWN_PICTURES) or 0),
        served=_served(history(platform.ledger, version.model), version.version),
    )


def render_model_card(facts: ModelFacts) -> str:
    """Return the card as Markdown."""
    from jinja2 import Environment, StrictUndefined

    from reds_pipeline.dataset.card import table_cell

    environment = Environment(
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
        # Markdown, not HTML: cells are made safe by ``cell``.
        autoescape=False,
    )
    environment.filters |= {
        "cell": table_cell,
        "share": str,
        "thousands": lambda number: f"{number:,}",
    }
    package = resources.files("reds_pipeline.modeling")
    text = (package / "data" / _TEMPLATE).read_text(encoding="utf-8")
    return environment.from_string(text).render(facts=facts)


def keep_cards(
    platform: Platform,
    numbers: Collection[str],
    *,
    origins: Mapping[str, LabelOrigins] | None = None,
    model: str = REGISTERED_MODEL,
) -> None:
    """Keep the cards of versions in MLflow, as an artifact of the run and a description.

    Where the same card is kept already, nothing is written; a version whose files are gone or
    damaged has none.

    Args:
        platform: The installation.
        numbers: Which versions; one that is not registered is passed over.
        origins: Where the labels come from that a version learnt; kept as a tag, once.
        model: The registered model.
    """
    tracking = platform.tracking
    for version in tracking.versions(model):
        if version.version not in numbers:
            continue
        found = (origins or {}).get(version.version)
        if found is not None and LABEL_ORIGINS not in version.tags:
            counts = json.dumps({IN_WORDS[origin]: n for origin, n in found.counts.items()})
            tracking.tag_version(version.version, LABEL_ORIGINS, counts, model)
            version = replace(version, tags={**version.tags, LABEL_ORIGINS: counts})
        try:
            facts = model_facts(platform, version)
        except RedsError as error:
            _logger.warning("Version %s gets no card. %s", version.version, error)
            continue
        card = render_model_card(facts)
        if _kept_card(tracking, version.run_id) != card:
            tracking.client.log_text(version.run_id, card, CARD)
            tracking.describe_version(version.version, summary(facts), model)


def model_card(platform: Platform, number: str, model: str = REGISTERED_MODEL) -> str:
    """Return the card of a version as it is now.

    Args:
        platform: The installation.
        number: Its number; the champion's if empty.
        model: The registered model.

    Raises:
        RedsError: There is no such version, or its files are gone or damaged.
    """
    tracking = platform.tracking
    version = tracking.version(number, model) if number else tracking.alias(CHAMPION, model)
    if version is None:
        missing = f"There is no version {number} of {model}" if number else f"No {model} serves yet"
        raise RedsError(f"{missing}; `reds history` shows which there are.")
    return render_model_card(model_facts(platform, version))


def summary(facts: ModelFacts) -> str:
    """Return what the page of the version says in the MLflow UI."""
    best = [result for result in facts.results if result.data == _TEST][:1]
    measured = "".join(
        f" On the frozen test its {result.name} is {result.value:.3f}"
        + (f" (95 % interval {result.interval})." if result.interval else ".")
        for result in best
    )
    withdrawn = (
        f" It has seen {facts.withdrawn_pictures} pictures that were withdrawn since."
        if facts.withdrawn_pictures
        else ""
    )
    return (
        f"Linear SVM on {facts.backbone} for {len(facts.classes)} {facts.kind}.{measured}"
        f"{withdrawn} Its card is the artifact {CARD} of its run."
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


def _results(
    wanted: Sequence[tuple[str, str, str, str]],
    record: Mapping[str, Any],
    tracking: Tracking,
    run_id: str,
) -> tuple[Result, ...]:
    metrics = tracking.metrics(run_id) if record else {}
    found = []
    for name, data, column, metric in wanted:
        if record.get(column) is None:
            continue
        ends = [metrics.get(f"{metric}_{end}") for end in ("low", "high")]
        known = None not in ends
        interval = f"{ends[0]:.3f} to {ends[1]:.3f}" if metric and known else ""
        found.append(Result(name, data, float(record[column]), interval))
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


def _kept_card(tracking: Tracking, run_id: str) -> str | None:
    from mlflow.exceptions import MlflowException

    try:
        return tracking.read_bytes(run_id, CARD).decode()
    except (MlflowException, OSError, ValueError):
        return None


def _origins(version: RegisteredVersion) -> dict[str, int]:
    try:
        counts = json.loads(version.tags.get(LABEL_ORIGINS, "{}"))
    except ValueError:
        # Tags can be edited in MLflow by anybody.
        return {}
    return {str(origin): int(count) for origin, count in counts.items()}


def _calibration(record: Mapping[str, Any]) -> tuple[str, ...]:
    if record.get("test_coverage") is None or record.get("test_answered_accuracy") is None:
        return ()
    return (
        f"On the frozen test it answers {record['test_coverage']:.1%} of the pictures, and "
        f"{record['test_answered_accuracy']:.1%} of these answers are right.",
    )


def _served(entries: Sequence[RecordedChange], version: str) -> tuple[ServedFacts, ...]:
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
