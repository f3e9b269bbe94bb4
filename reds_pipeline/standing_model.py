"""The model that serves, on pictures that came after what it learnt (R-IMP-5, R-IMP-8).

What belongs here: running the champion on new pictures, and measuring once per champion and data
set. What does not: which pictures are fair and what the numbers are (``retraining``), and what
follows from them (``retraining.advice``).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from reds_pipeline.errors import RedsError
from reds_pipeline.feedback.contributed_tables import judged_contributions
from reds_pipeline.kept_reports import Made, kept_report
from reds_pipeline.promotion import withdrawn_pictures
from reds_pipeline.resources import Platform
from reds_pipeline.run_artifacts import SPLIT
from reds_pipeline.shared_test import EncoderChanged, RegisteredBundle, load_registered
from reds_pipeline.stage_inputs import curated_rows
from reds_pipeline.storage.home import Home
from reds_pipeline.storage.tables import CURATED, IMAGES, read_rows
from reds_pipeline.tracking import CHAMPION, RegisteredVersion
from reds_pipeline.training import RECORD

if TYPE_CHECKING:
    from reds_pipeline.retraining.accuracy_change import Answers
    from reds_pipeline.retraining.new_pictures import NewPictures
    from reds_pipeline.retraining.window_shift import Pictures

REPORT = "standing_model"
MOST_OLD = 2000
"""Pictures that the model learnt from to compare new ones with at most."""

# Raised when other numbers come out of the same model and data set.
_RULE = 1

Row = Mapping[str, Any]


@dataclass(frozen=True)
class StandingModel:
    """The champion and what was measured of it.

    Attributes:
        version: Its version in the registry.
        training_key: Of the training it came from; empty if nobody knows any more.
        trained_at: When that ended, ISO 8601 in UTC; empty if nobody knows any more.
        classes: What it can say; empty if its files are gone.
        withdrawn_pictures: Pictures that it has seen and that were withdrawn since.
        measured: ``new`` and ``fair`` (pictures), ``left_out`` (how many, by why), ``accuracy``
            (an ``AccuracyChange`` or None), ``shift`` (a ``WindowShift`` or None) and
            ``class_share_change`` (or None).
        not_measured: Why nothing could be measured, as a sentence; empty if it was.
        is_new: Whether it was measured now.
    """

    version: str
    training_key: str
    trained_at: str
    classes: tuple[str, ...]
    withdrawn_pictures: int
    measured: Mapping[str, Any]
    not_measured: str = ""
    is_new: bool = True


def standing_model(platform: Platform) -> StandingModel | None:
    """Measure the champion on the data set as it is now, unless that was done before.

    Returns:
        None before any model serves.
    """
    from reds_pipeline.imaging.curation import dataset_digest

    tracking = platform.tracking
    champion = tracking.alias(CHAMPION)
    if champion is None:
        return None
    record = tracking.record(champion.run_id, RECORD) or {}
    inputs = {
        "rule": _RULE,
        "run": champion.run_id,
        "data set": dataset_digest(curated_rows(platform.home)),
        "seed": platform.settings.seed,
    }
    content: Mapping[str, Any] = {}
    reason, is_new = "", True
    try:
        report = kept_report(platform.home, REPORT, inputs, lambda: _measured(platform, champion))
        content, is_new = report.content, report.is_new
    except RedsError as error:
        # A model that cannot be run here any more can be replaced by training all the same.
        reason = str(error)
    return StandingModel(
        version=champion.version,
        training_key=record.get("training_key", ""),
        trained_at=record.get("trained_at", ""),
        classes=tuple(record.get("classes", ())),
        withdrawn_pictures=withdrawn_pictures(champion),
        measured=content,
        not_measured=reason,
        is_new=is_new,
    )


def _measured(platform: Platform, champion: RegisteredVersion) -> Made:
    from reds_pipeline.modeling.promotion_evidence import LEAST_TEST_PICTURES
    from reds_pipeline.retraining.accuracy_change import accuracy_change
    from reds_pipeline.retraining.window_shift import class_share_change, window_shift

    model = load_registered(platform.tracking, champion)
    split = platform.tracking.record(champion.run_id, SPLIT)
    if model.learnt is None or split is None:
        raise RedsError(
            f"What version {champion.version} learnt from is no longer known, so nobody can say "
            "which pictures are new to it; the next training mends that."
        )
    tested = frozenset(split.get("test", ()))
    chosen = _new(platform.home, model, tested)
    content: dict[str, Any] = {
        "new": len(chosen.rows),
        "fair": len(chosen.fair),
        "left_out": dict(chosen.left_out),
        "accuracy": None,
        "shift": None,
        "class_share_change": None,
    }
    if len(chosen.rows) < LEAST_TEST_PICTURES:
        return content, {}
    known = [
        row for row in curated_rows(platform.home) if row["class_name"] in model.bundle.classes
    ]
    old = _some([row for row in known if row["sha256"] in model.learnt], platform.settings.seed)
    held_out = [row for row in known if row["sha256"] in tested]
    features = _features(platform, model, [*old, *held_out, *chosen.rows])
    change = accuracy_change(
        _answers(model, chosen.fair, features), _answers(model, held_out, features)
    )
    shift = window_shift(
        _pictures(old, features), _pictures(chosen.rows, features), seed=platform.settings.seed
    )
    content["accuracy"] = asdict(change) if change else None
    content["shift"] = asdict(shift) if shift else None
    if old:
        content["class_share_change"] = class_share_change(
            [row["class_name"] for row in old], [row["class_name"] for row in chosen.rows]
        )
    return content, {}


def _new(home: Home, model: RegisteredBundle, tested: frozenset[str]) -> NewPictures:
    from reds_pipeline.retraining.new_pictures import new_pictures

    images = (
        row
        for path in sorted((home.root / "tables" / "images").glob("[!.]*.parquet"))
        for row in read_rows(path, IMAGES)
    )
    return new_pictures(
        read_rows(home.table("curated_dataset"), CURATED),
        judged_contributions(home),
        images,
        learnt=model.learnt or frozenset(),
        tested=tested,
        classes=model.bundle.classes,
    )


def _features(
    platform: Platform, model: RegisteredBundle, rows: Sequence[Row]
) -> dict[str, NDArray[np.float32]]:
    """Return what the model's own encoder sees in each picture, by SHA-256."""
    from reds_pipeline.embedding_runs import picture_features

    provenance = model.bundle.provenance
    seen = picture_features(platform, provenance.encoder_name, rows)
    if seen.encoder_id != provenance.encoder_id:
        raise EncoderChanged(
            f"Version {model.version.version} cannot be run on new pictures: it needs the encoder "
            f"{provenance.encoder_id}, and the one here is {seen.encoder_id}; the next training "
            "uses that one."
        )
    return {row["sha256"]: features for row, features in zip(rows, seen.features, strict=True)}


def _answers(
    model: RegisteredBundle, rows: Sequence[Row], features: Mapping[str, NDArray[np.float32]]
) -> Answers:
    from reds_pipeline.retraining.accuracy_change import Answers

    labels = [row["class_name"] for row in rows]
    groups = [row["group"] for row in rows]
    if not rows:
        return Answers(labels, np.empty(0, bool), groups)
    chances = model.bundle.predict(np.stack([features[row["sha256"]] for row in rows]))
    said = [model.bundle.classes[column] for column in chances.argmax(axis=1)]
    return Answers(labels, np.array(said) == np.array(labels), groups)


def _pictures(rows: Sequence[Row], features: Mapping[str, NDArray[np.float32]]) -> Pictures:
    from reds_pipeline.retraining.window_shift import Pictures

    width = len(next(iter(features.values())))
    stacked = np.array([features[row["sha256"]] for row in rows]).reshape(-1, width)
    return Pictures(stacked, [row["class_name"] for row in rows], [row["group"] for row in rows])


def _some(rows: Sequence[Row], seed: int) -> list[Row]:
    """Return at most ``MOST_OLD`` of the rows, in order."""
    if len(rows) <= MOST_OLD:
        return list(rows)
    chosen = np.random.default_rng(seed).choice(len(rows), MOST_OLD, replace=False)
    return [rows[place] for place in sorted(chosen)]
