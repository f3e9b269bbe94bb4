"""The study that says when to retrain: everything measured, brought together (R-IMP-5).

What belongs here: reading tables and the standing model into evidence, keeping the advice, and the
figures. What does not: measures and the rule (``retraining``), running the model
(``standing_model.py``), and Dagster.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

from reds_pipeline.kept_reports import kept_report
from reds_pipeline.resources import Platform
from reds_pipeline.retraining.advice import Advice, Evidence, Limits, advise
from reds_pipeline.retraining.kept_advice import append, measurements
from reds_pipeline.retraining.kept_samples import RANKS_FIGURE, kept_samples
from reds_pipeline.run_artifacts import SPLIT
from reds_pipeline.stage_inputs import curated_rows, learnt_rows, selected_classes, trainings
from reds_pipeline.standing_model import StandingModel, standing_model
from reds_pipeline.storage.clock import utc_now
from reds_pipeline.storage.home import Home
from reds_pipeline.storage.tables import CLEAN_IMAGES, CURSORS, POSTS, read_rows
from reds_pipeline.training import PROMOTABLE

if TYPE_CHECKING:
    from reds_pipeline.retraining.supply import ClassSupply
    from reds_pipeline.retraining.tag_drift import TagDrift

# Raised when the figures of the same numbers look different.
_RULE = 1
_SECONDS_A_DAY = 86_400.0

Row = Mapping[str, Any]


@dataclass(frozen=True)
class DriftStudy:
    """What one look at a home found.

    Attributes:
        advice: What the rule says.
        tags: How fast each kind of names changes.
        supplies: What each class brings; classes of which too little was walked are not in it.
        model: The standing model; None before any serves.
        figures: PNG files by name, in the home's directory too.
    """

    advice: Advice
    tags: Mapping[str, TagDrift]
    supplies: Sequence[ClassSupply]
    model: StandingModel | None
    figures: Mapping[str, bytes]


@dataclass(frozen=True)
class _LastTraining:
    """The newest training under the protocol that is quoted.

    Attributes:
        trained_at: When it ended.
        seen: SHA-256 of all that it was given, contributed photos too that it had to leave out;
            None if nobody knows any more.
        is_current: Whether every backbone has been trained on the data set as it is now.
    """

    trained_at: str
    seen: frozenset[str] | None
    is_current: bool


def study_drift(platform: Platform) -> DriftStudy:
    """Measure, judge and keep what was found.

    Nothing is asked of the network, and what was measured of the same model on the same data set
    is not measured again.
    """
    from reds_pipeline.retraining.tag_drift import tag_drift
    from reds_pipeline.retraining.tag_samples import KINDS

    home, settings = platform.home, platform.settings
    samples = kept_samples(home)
    tags: dict[str, TagDrift] = {
        kind: tag_drift(samples, kind, seed=settings.seed) for kind in KINDS
    }
    model = standing_model(platform)
    evidence = _evidence(platform, tags["lemma"], model)
    advice = advise(evidence, Limits(settings.retrain_min_days, settings.retrain_max_days))
    append(
        home,
        advice,
        model_version=model.version if model else "",
        training_key=model.training_key if model else "",
    )
    supplies = class_supplies(home)
    return DriftStudy(advice, tags, supplies, model, _figures(home, samples, tags, supplies))


def class_supplies(home: Home) -> list[ClassSupply]:
    """Measure what each selected class brings, most posts first."""
    from reds_pipeline.retraining.supply import class_supply

    found = (
        class_supply(
            name,
            read_rows(home.table("posts", name), POSTS),
            read_rows(home.table("clean_images", name), CLEAN_IMAGES),
            read_rows(home.table("cursors", name), CURSORS),
        )
        for name in selected_classes(home)
    )
    return sorted(
        (supply for supply in found if supply is not None),
        key=lambda supply: (-supply.posts.per_day, supply.class_name),
    )


def _evidence(platform: Platform, tags: TagDrift, model: StandingModel | None) -> Evidence:
    home, now = platform.home, utc_now()
    last = _last_training(platform)
    present = {row["sha256"] for row in learnt_rows(home)}
    classes = {row["class_name"] for row in curated_rows(home)}
    seen = last.seen if last and last.seen is not None else frozenset()
    return Evidence(
        at=now,
        has_champion=model is not None,
        has_changed=last is None or not last.is_current or bool(seen ^ present),
        pictures=len(present),
        days_since_training=_days(last.trained_at, now) if last else None,
        learnt_pictures=len(seen),
        new_pictures=len(present - seen) if last else 0,
        tag_half_life_days=tags.half_life_days,
        tag_days_seen=tags.days_seen,
        tag_retention=tags.last_retained,
        **(_about_model(model, classes, now) if model else {}),
    )


def _about_model(model: StandingModel, classes: set[str], now: str) -> dict[str, Any]:
    known = set(model.classes) or classes
    accuracy = model.measured.get("accuracy") or {}
    shift = model.measured.get("shift") or {}
    return {
        "champion_days": _days(model.trained_at, now) if model.trained_at else None,
        "withdrawn_pictures": model.withdrawn_pictures,
        "classes_entered": tuple(sorted(classes - known)),
        "classes_left": tuple(sorted(known - classes)),
        "tested_new": model.measured.get("fair", 0),
        "accuracy_before": accuracy.get("before"),
        "accuracy_new": accuracy.get("now"),
        "accuracy_new_low": accuracy.get("now_low"),
        "accuracy_new_high": accuracy.get("now_high"),
        "accuracy_loss": accuracy.get("loss"),
        "accuracy_loss_low": accuracy.get("loss_low"),
        "accuracy_loss_high": accuracy.get("loss_high"),
        "auc": shift.get("auc"),
        "auc_low": shift.get("low"),
        "auc_high": shift.get("high"),
        "auc_baseline": shift.get("baseline"),
        "auc_chance": shift.get("chance"),
        "class_share_change": model.measured.get("class_share_change"),
    }


def _last_training(platform: Platform) -> _LastTraining | None:
    from reds_pipeline.imaging.curation import dataset_digest

    backbones = platform.settings.backbones
    rows = [row for row in trainings(platform.home, backbones) if row["protocol"] == PROMOTABLE]
    if not rows:
        return None
    newest = max(rows, key=lambda row: row["trained_at"])
    split = platform.tracking.record(newest["run_id"], SPLIT)
    seen = (
        None
        if split is None
        else frozenset(
            (*split.get("test", ()), *split.get("fold", {}), *split.get("contributed", {}))
        )
    )
    digest = dataset_digest(curated_rows(platform.home))
    trained = {row["backbone"] for row in rows if row["dataset_digest"] == digest}
    return _LastTraining(newest["trained_at"], seen, trained >= set(backbones))


def _days(since: str, now: str) -> float:
    seconds = (datetime.fromisoformat(now) - datetime.fromisoformat(since)).total_seconds()
    return max(0.0, seconds / _SECONDS_A_DAY)


def _figures(
    home: Home,
    samples: Sequence[Sequence[Row]],
    tags: Mapping[str, TagDrift],
    supplies: Sequence[ClassSupply],
) -> dict[str, bytes]:
    """Return the figures for which there is something to draw; only what changed is drawn anew."""
    history = [row for row in measurements(home) if row["accuracy_new"] is not None]
    figures: dict[str, bytes] = {}
    if any(drift.curve for drift in tags.values()):
        drawn_from = [sample[0]["sampled_at"] for sample in samples]
        figures |= _kept(home, "retraining_tags", drawn_from, lambda: _draw_tags(samples, tags))
    if supplies:
        figures |= _kept(
            home,
            "retraining_supply",
            [
                [supply.class_name, supply.posts.events, supply.posts.days, supply.pictures.events]
                for supply in supplies
            ],
            lambda: _draw_supply(supplies),
        )
    if history:
        figures |= _kept(
            home,
            "retraining_accuracy",
            [[row["at"], row["model_version"]] for row in history],
            lambda: _draw_accuracy(history),
        )
    return figures


def _kept(
    home: Home, name: str, inputs: Sequence[Any], draw: Callable[[], dict[str, bytes]]
) -> dict[str, bytes]:
    return kept_report(home, name, [_RULE, *inputs], lambda: ({}, draw())).figures


def _draw_tags(samples: Sequence[Sequence[Row]], tags: Mapping[str, TagDrift]) -> dict[str, bytes]:
    from reds_pipeline.retraining.tag_figures import ranks_figure, retention_figure

    return {
        "retraining_tags.png": retention_figure(tags),
        RANKS_FIGURE: ranks_figure(samples),
    }


def _draw_supply(supplies: Sequence[ClassSupply]) -> dict[str, bytes]:
    from reds_pipeline.retraining.supply_figure import supply_figure

    return {"retraining_supply.png": supply_figure(supplies)}


def _draw_accuracy(history: Sequence[Row]) -> dict[str, bytes]:
    from reds_pipeline.retraining.accuracy_figure import accuracy_figure

    return {"retraining_accuracy.png": accuracy_figure(history)}
