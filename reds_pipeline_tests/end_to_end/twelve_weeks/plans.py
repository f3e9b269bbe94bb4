"""The two stories: the whole one, and a short one in which everything happens all the same."""

from __future__ import annotations

from typing import Any

from reds_pipeline.demo.drifting.plan import DriftPlan

WHOLE = DriftPlan(first_pictures=56, weekly_posts=14)
WHOLE_SETTINGS: dict[str, Any] = {
    "backbones": ("tiny",),
    "sample_posts": 160,
    "class_count": 5,
    "images_per_class": 64,
    "raw_per_class": 110,
    "min_images_per_class": 10,
    "free_disk_gb": 0.0,
    # Weeks of a story are all there is, so what is old is old sooner.
    "keep_run_days": 21.0,
    "keep_versions": 4,
}

SHORT = DriftPlan(
    weeks=4,
    classes=("cat", "dog", "flower"),
    first_pictures=24,
    weekly_posts=9,
    unrelated_posts=7,
    newcomer="bird",
    newcomer_week=1,
    fading="flower",
    fading_week=2,
    fading_shares=(),
    wrong_labels_week=2,
    outage_week=3,
    flood_week=4,
    flooded="dog",
    flood_posts=24,
    rested_week=4,
    style_per_week=3.0,
)
SHORT_SETTINGS: dict[str, Any] = WHOLE_SETTINGS | {
    "class_count": 4,
    "sample_posts": 60,
    "images_per_class": 32,
    "raw_per_class": 48,
    "class_patience": 1,
    "min_images_per_class": 6,
    "keep_run_days": 10.0,
    "keep_versions": 2,
    # Fewer sweeps, and no search for C: how either works is tested elsewhere.
    "recheck_cron": "0 2 * * 1,4",
    "svm_c": 0.1,
}
