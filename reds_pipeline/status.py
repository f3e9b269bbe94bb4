"""What a home holds at the moment, summed up for people: funnel, models, champion.

What belongs here: the objects that ``reds run --json`` and ``reds status`` show. What does not:
changing anything, printing, or what stages read of one another (``stage_inputs.py``).
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import Any

from reds_pipeline.resources import Platform
from reds_pipeline.stage_inputs import selected_classes, trainings
from reds_pipeline.storage.home import Home
from reds_pipeline.storage.tables import read_rows
from reds_pipeline.tracking import CHAMPION

_FAILURES_SHOWN = 5


@dataclass(frozen=True)
class ClassFunnel:
    """Where the images of one class went.

    The unit is an image; a gated post counts as one, because nothing about it is kept that could
    say how many images it had. ``seen`` always equals ``kept`` plus the sum of ``dropped``.
    """

    seen: int
    kept: int
    dropped: dict[str, int] = field(default_factory=dict)

    def as_dict(self) -> dict[str, Any]:
        """Return the JSON shape of the contract."""
        return {"seen": self.seen, "kept": self.kept, "dropped": self.dropped}


def class_funnel(home: Home, class_name: str) -> ClassFunnel:
    """Count the images of one class by their fate in the latest tables of each stage."""
    dropped: Counter[str] = Counter()
    posts = read_rows(home.table("posts", class_name))
    # A picture that went with its post is counted by that post; one that was withdrawn by itself
    # has left its post too.
    images = [
        row
        for row in read_rows(home.table("images", class_name))
        if row["reason"] not in {"post_gated", "withdrawn"}
    ]
    cleaned = read_rows(home.table("clean_images", class_name))
    curated = [
        row for row in read_rows(home.table("curated_dataset")) if row["class_name"] == class_name
    ]
    attachments = sum(len(row["media"] or ()) for row in posts if row["status"] == "kept")
    dropped.update(row["reason"] for row in posts if row["status"] == "gated")
    dropped["not_needed"] = attachments - len(images)
    dropped.update(row["reason"] for row in images if row["status"] != "stored")
    stored = sum(row["status"] == "stored" for row in images)
    dropped["not_cleaned_yet"] = stored - len(cleaned)
    dropped.update(row["drop_reason"] for row in cleaned if not row["kept"])
    dropped["not_curated_yet"] = sum(row["kept"] for row in cleaned) - len(curated)
    dropped.update(row["drop_reason"] for row in curated if not row["kept"])
    return ClassFunnel(
        seen=attachments + sum(row["status"] == "gated" for row in posts),
        kept=sum(row["kept"] for row in curated),
        dropped={reason: count for reason, count in sorted(dropped.items()) if count},
    )


def champion(platform: Platform) -> dict[str, str] | None:
    """Return the backbone and version that serve now, or None before the first promotion."""
    version = platform.tracking.alias(CHAMPION)
    if version is None:
        return None
    return {"backbone": version.tags.get("backbone", ""), "version": version.version}


def run_summary(platform: Platform) -> dict[str, Any]:
    """Return the object that ``reds run --json`` prints (design.md, section 5)."""
    settings, home = platform.settings, platform.home
    names = selected_classes(home)
    return {
        "classes": names,
        "funnel": {name: class_funnel(home, name).as_dict() for name in names},
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
        "champion": champion(platform),
        "tracking_uri": platform.tracking.uri,
        "home": str(home.root),
    }


def home_status(platform: Platform) -> dict[str, Any]:
    """Return what ``reds status`` shows: the summary, promotions and the latest failures."""
    return {
        **run_summary(platform),
        "promotions": platform.ledger.events("promotion"),
        "failures": platform.ledger.events("run_failure")[-_FAILURES_SHOWN:],
    }
