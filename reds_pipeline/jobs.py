"""The jobs: refresh, collect, measure and retrain make the spine, and recheck follows deletions.

What belongs here: which assets a job materialises, and the names that tie runs together. What
does not: when a job runs (``schedules.py``, ``sensors.py``). ``reds run`` executes the same jobs
in the same order inside one process.
"""

from __future__ import annotations

import dagster as dg

# Groups of assets; each asset names the one it belongs to.
DISCOVER, COLLECT, CLEAN, TRAIN, REPORT = "discover", "collect", "clean", "train", "report"

# Tags on runs: the refresh run that a collection or a training belongs to, and who drives it.
SELECTION_TAG = "reds/selection"
DRIVER_TAG = "reds/driver"
COMMAND_LINE = "reds run"

# What the refresh notes of the classes that it chose, where those who collect them look.
TO_COLLECT = "to collect"

WEEKLY_REFRESH, COLLECT_CLASS, RETRAIN = "weekly_refresh", "collect_class", "retrain"
MEASURE_DRIFT, RECHECK_POSTS, HOUSEKEEPING = "measure_drift", "recheck_posts", "housekeeping"

# One run works at a time. What people took back goes before all else, housekeeping after it.
PRIORITY_TAG = "dagster/priority"
BEFORE_OTHERS, AFTER_OTHERS = {PRIORITY_TAG: "10"}, {PRIORITY_TAG: "-10"}

weekly_refresh = dg.define_asset_job(
    WEEKLY_REFRESH,
    selection=dg.AssetSelection.groups(DISCOVER),
    description="Samples the newest posts, counts their hashtags and chooses the classes.",
)

collect_class = dg.define_asset_job(
    COLLECT_CLASS,
    selection=dg.AssetSelection.assets("raw_posts", "raw_images", "clean_images"),
    description="Collects the posts and images of one class and cleans them.",
)

_NEWEST_DATA = dg.AssetSelection.assets(
    "recheck", "contributed_images", "picture_features", "curated_dataset"
)

measure_drift = dg.define_asset_job(
    MEASURE_DRIFT,
    selection=_NEWEST_DATA
    | dg.AssetSelection.assets("image_tensors", "retraining_advice")
    # One for each backbone of the settings.
    | dg.AssetSelection.from_string('key:"embeddings_*"'),
    description="Re-checks posts, curates the data set, embeds what is new, and measures how far "
    "the world has moved from what the champion learnt: whether a training is due, and why.",
)

retrain = dg.define_asset_job(
    RETRAIN,
    selection=_NEWEST_DATA | dg.AssetSelection.groups(TRAIN, REPORT),
    description="Re-checks posts, curates the data set, embeds what is new, trains, compares and "
    "promotes.",
)

recheck_posts = dg.define_asset_job(
    RECHECK_POSTS,
    selection=dg.AssetSelection.assets("recheck"),
    tags=BEFORE_OTHERS,
    description="Looks for every post again and withdraws what is gone or no longer willing.",
)


def is_driven_by_command_line(run: dg.DagsterRun) -> bool:
    """Whether ``reds run`` executes this run and everything that follows from it."""
    return run.tags.get(DRIVER_TAG) == COMMAND_LINE
