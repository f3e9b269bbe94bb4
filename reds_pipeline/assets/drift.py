"""The asset that says how long a model lasts and whether a training is due.

What belongs here: the factory of ``retraining_advice``, and how its findings look in the UI. What
does not: measuring (``drift_study.py``, ``standing_model.py``), the rule (``retraining``), starting
a training (``sensors``).
"""

from collections.abc import Sequence
from typing import Any

import dagster as dg

from reds_pipeline.assets.common import HEAVY_POOL, markdown_table, picture, plain_failures
from reds_pipeline.assets.embeddings import asset_suffix
from reds_pipeline.drift_study import DriftStudy, study_drift
from reds_pipeline.jobs import TRAIN
from reds_pipeline.resources import Platform

RETRAINING_ADVICE = "retraining_advice"


def retraining_advice_asset(backbones: Sequence[str]) -> dg.AssetsDefinition:
    """Return the asset that studies what has changed since the standing model was trained."""

    @dg.asset(
        name=RETRAINING_ADVICE,
        deps=[f"embeddings_{asset_suffix(backbone)}" for backbone in backbones],
        group_name=TRAIN,
        kinds={"scikitlearn"},
        pool=HEAVY_POOL,
        description="How fast tags, supply and pictures change, how the standing model does on new "
        "pictures, and what follows for the next training (R-IMP-5).",
    )
    @plain_failures
    def retraining_advice(platform: dg.ResourceParam[Platform]) -> dg.MaterializeResult:
        study = study_drift(platform)
        advice = study.advice
        return dg.MaterializeResult(
            metadata={
                "training due": advice.due,
                "suggested interval in days": advice.interval_days,
                "reasons": dg.MetadataValue.md("\n".join(f"- {why}" for why in advice.reasons)),
                "standing model": _about_model(study),
                "new pictures not tested on": _left_out(study),
                "new pictures by class": _by_class(study),
                "top tags": _tags(study),
                "supply": _supply(study),
                **_figures(study),
            }
        )

    return retraining_advice


def _about_model(study: DriftStudy) -> str:
    model = study.model
    if model is None:
        return "none serves yet"
    if model.not_measured:
        return f"version {model.version}: {model.not_measured}"
    when = "now" if model.is_new else "before; nothing has changed since"
    return (
        f"version {model.version}, on {model.measured['fair']} of {model.measured['new']} new "
        f"pictures, measured {when}"
    )


def _left_out(study: DriftStudy) -> dg.MarkdownMetadataValue:
    left_out = study.model.measured.get("left_out", {}) if study.model else {}
    return markdown_table([{"because of": why, "pictures": n} for why, n in left_out.items()])


def _by_class(study: DriftStudy) -> dg.MarkdownMetadataValue:
    accuracy = (study.model.measured.get("accuracy") if study.model else None) or {}
    return markdown_table(
        [
            {
                "class": name,
                "new pictures": new,
                "right": new_right,
                "own test": tested,
                "right there": tested_right,
            }
            for name, new, new_right, tested, tested_right in accuracy.get("by_class", ())
        ]
    )


def _tags(study: DriftStudy) -> dg.MarkdownMetadataValue:
    return markdown_table(
        [
            {
                "names": kind,
                "samples": drift.samples,
                "too small": drift.left_out,
                "halves of one sample": _number(drift.floor),
                "days seen": _number(drift.days_seen, 1),
                "left by then": _number(drift.last_retained),
                "half-life in days": _number(drift.half_life_days, 1),
                "95 % interval": f"{_number(drift.half_life_low, 1)} to "
                f"{_number(drift.half_life_high, 1)}",
                "Jaccard of neighbours": _neighbours(drift.pairs, "jaccard"),
                "rank-biased overlap of neighbours": _neighbours(drift.pairs, "rank_biased"),
            }
            for kind, drift in study.tags.items()
        ]
    )


def _neighbours(pairs: Sequence[Any], measure: str) -> str:
    values = [getattr(pair, measure) for pair in pairs if pair.newer == pair.older + 1]
    return _number(sum(values) / len(values)) if values else _number(None)


def _supply(study: DriftStudy) -> dg.MarkdownMetadataValue:
    return markdown_table(
        [
            {
                "class": supply.class_name,
                "posts a day": supply.posts.per_day,
                "95 % interval": f"{supply.posts.low:.2f} to {supply.posts.high:.2f}",
                "posts": supply.posts.events,
                "in days": supply.posts.days,
                "over the time before": _number(supply.trend, 2),
                "its interval": f"{supply.trend_low:.2f} to {supply.trend_high:.2f}",
                "usable pictures a week": supply.pictures_a_week,
            }
            for supply in study.supplies
        ]
    )


def _figures(study: DriftStudy) -> dict[str, dg.MarkdownMetadataValue]:
    from reds_pipeline.drawing import small_png

    return {
        name.removesuffix(".png").replace("_", " "): picture(small_png(data), name)
        for name, data in study.figures.items()
    }


def _number(value: float | None, digits: int = 3) -> str:
    return "not known" if value is None else f"{value:.{digits}f}"
