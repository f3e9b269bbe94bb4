"""What a home holds at the moment, summed up for people: funnel, models, champion.

What belongs here: the objects that ``reds run --json`` and ``reds status`` show. What does not:
changing anything, printing, or what stages read of one another (``stage_inputs.py``).
"""

from __future__ import annotations

from typing import Any

from reds_pipeline.balance import raw_posts_needed, review_counts
from reds_pipeline.dataset.remembered import remembered_exports
from reds_pipeline.feedback.contributions import contributions
from reds_pipeline.feedback.deletion import learnt_from
from reds_pipeline.feedback.summary import feedback_summary
from reds_pipeline.funnel import class_funnels
from reds_pipeline.model_history import PROMOTION
from reds_pipeline.overview import Sections, has_ledger, overview
from reds_pipeline.resources import Platform
from reds_pipeline.review.desk import ReviewDesk
from reds_pipeline.stage_inputs import learnt_classes, trainings
from reds_pipeline.storage.tables import CURATED, read_rows
from reds_pipeline.tracking import CHAMPION, REGISTERED_MODEL
from reds_pipeline.verdict import verdict

_FAILURES_SHOWN = 5
_NOTHING_LEARNT: dict[str, Any] = {"classes": [], "funnel": {}, "models": []}
_NOTHING_REVIEWED: dict[str, Any] = {"balance": [], "review": [], "decisions_waiting": 0}
_NO_FEEDBACK = {
    "answers": 0,
    "shown": 0,
    "accepted": 0,
    "rejected": 0,
    "photos_given": 0,
    "photos_learnt_from": 0,
}


def champion(platform: Platform) -> dict[str, str] | None:
    """Return the backbone and version that serve now, or None before the first promotion."""
    version = platform.tracking.alias(CHAMPION)
    if version is None:
        return None
    return {"backbone": version.tags.get("backbone", ""), "version": version.version}


def run_summary(platform: Platform) -> dict[str, Any]:
    """Return the object that ``reds run --json`` prints (design.md, section 5)."""
    return {
        **_learnt(platform),
        "champion": champion(platform),
        "tracking_uri": platform.tracking.uri,
        "home": str(platform.home.root),
    }


def _learnt(platform: Platform) -> dict[str, Any]:
    settings, home = platform.settings, platform.home
    names = learnt_classes(home)
    return {
        "classes": names,
        "funnel": {name: funnel.as_dict() for name, funnel in class_funnels(home, names).items()},
        "models": [
            {
                "backbone": row["backbone"],
                "protocol": row["protocol"],
                "cv_accuracy": row["cv_accuracy"],
                "cv_mean": row["cv_mean"],
                "cv_var_ddof0": row["cv_var_ddof0"],
                "test_accuracy": row["test_accuracy"],
                "test_interval": [row["test_low"], row["test_high"]],
                "n_train": row["n_train"],
                "n_test": row["n_test"],
            }
            for row in trainings(home, settings.backbones)
        ],
    }


def home_status(platform: Platform) -> dict[str, Any]:
    """Return what ``reds status`` shows: the overview, what to think of it, and the details.

    ``balance`` says of each class that is short what it still needs (R-SCR-10), ``review`` what
    people have said about it, ``decisions_waiting`` how many decisions the data set does not
    follow yet, ``feedback`` what people made of suggestions and the photos they gave; then the
    exports that were made, with the number of pictures in them that were withdrawn since,
    promotions and the latest failures. What cannot be read is named in ``unreadable``.
    """
    sections = Sections()
    nothing: list[dict[str, Any]] = []
    found = overview(platform, sections)
    serving = found["serving"] or {}
    details = {
        **sections.read("pictures", lambda: _learnt(platform), _NOTHING_LEARNT),
        **sections.read("pictures", lambda: _reviewed(platform), _NOTHING_REVIEWED),
        "feedback": sections.read("ledger", lambda: _feedback(platform), dict(_NO_FEEDBACK)),
        "exports": sections.read("exports", lambda: _exports(platform), nothing),
        "promotions": sections.read("ledger", lambda: _promotions(platform), nothing),
        "failures": sections.read("ledger", lambda: _failures(platform), nothing),
        "champion": {name: serving[name] for name in ("backbone", "version")}
        if serving.get("version")
        else None,
        "tracking_uri": platform.settings.tracking_uri or platform.home.default_tracking_uri,
        "home": str(platform.home.root),
    }
    report = {**found, **details, "unreadable": sections.unreadable}
    return {"verdict": verdict(report).as_dict(), **report}


def _reviewed(platform: Platform) -> dict[str, Any]:
    home, target = platform.home, platform.settings.images_per_class
    names = learnt_classes(home)
    balances = [
        raw_posts_needed(name, funnel, target)
        for name, funnel in class_funnels(home, names).items()
    ]
    curated = read_rows(home.table("curated_dataset"), CURATED)
    return {
        "balance": [
            {"class": each.class_name, "missing": each.missing, "sentence": each.sentence}
            for each in balances
        ],
        "review": [
            {
                "class": each.class_name,
                "confirmed": each.confirmed,
                "unreviewed": each.unreviewed,
                "discarded": each.discarded,
                "moved_away": each.moved_away,
                "moved_here": each.moved_here,
            }
            for each in review_counts(curated, names)
        ],
        # The key of a home that holds nothing is not made by looking at it.
        "decisions_waiting": ReviewDesk(home, platform.ledger).reviewed().waiting if names else 0,
    }


def _exports(platform: Platform) -> list[dict[str, Any]]:
    return [
        {
            "directory": export.directory,
            "at": export.at,
            "format": export.format,
            "pictures": len(export.sha256s),
            "withdrawn": export.withdrawn,
        }
        for export in remembered_exports(platform.home)
    ]


def _promotions(platform: Platform) -> list[dict[str, Any]]:
    if not has_ledger(platform):
        return []
    return [
        event
        for event in platform.ledger.events(PROMOTION)
        if event.get("model", REGISTERED_MODEL) == REGISTERED_MODEL
    ]


def _failures(platform: Platform) -> list[dict[str, Any]]:
    if not has_ledger(platform):
        return []
    return platform.ledger.events("run_failure")[-_FAILURES_SHOWN:]


def _feedback(platform: Platform) -> dict[str, int]:
    if not has_ledger(platform):
        return dict(_NO_FEEDBACK)
    summary = feedback_summary(platform.ledger)
    rates = summary.total
    given, learnt = contributions(platform.home), learnt_from(platform.home)
    return {
        "answers": summary.answers,
        "shown": rates.shown,
        "accepted": rates.accepted,
        "rejected": rates.rejected,
        "photos_given": len(given),
        "photos_learnt_from": sum(each.id in learnt for each in given),
    }
