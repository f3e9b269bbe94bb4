"""The Dagster graph, put together in one place.

What belongs here: ``build_defs`` and the ``defs`` that Dagster loads. What does not: assets,
jobs, schedules, sensors; each has its own file.
"""

from __future__ import annotations

import dagster as dg

from reds_pipeline import sensors
from reds_pipeline.assets import (
    card,
    classes,
    contributions,
    dataset,
    features,
    images,
    posts,
    recheck,
    reports,
    tags,
    tensors,
)
from reds_pipeline.assets.backbones import backbones as backbones_table
from reds_pipeline.assets.backbones import domain_shift_asset, near_classes_asset
from reds_pipeline.assets.drift import retraining_advice_asset
from reds_pipeline.assets.embeddings import embeddings_asset
from reds_pipeline.assets.hashtags import champion_hashtags_asset, hashtags_asset
from reds_pipeline.assets.models import comparison_asset, svm_asset
from reds_pipeline.assets.promotion import champion_asset
from reds_pipeline.executor import one_worker_executor
from reds_pipeline.garbage_collection import collect_garbage_less_often
from reds_pipeline.housekeeping_job import housekeeping_job
from reds_pipeline.jobs import collect_class, measure_drift, recheck_posts, retrain, weekly_refresh
from reds_pipeline.model_jobs import MODEL_JOBS
from reds_pipeline.resources import Platform
from reds_pipeline.schedules import schedules
from reds_pipeline.settings import load_settings


def build_defs(platform: Platform | None = None) -> dg.Definitions:
    """Assemble assets, jobs, schedules, sensors and resources.

    Args:
        platform: The installation to work on; the configured one by default.

    Raises:
        RedsError: A setting is not valid.
    """
    # Every process that runs steps comes by here, those that `reds up` starts among them.
    collect_garbage_less_often()
    platform = platform or Platform(load_settings())
    backbones = platform.settings.backbones
    return dg.Definitions(
        assets=[
            *dg.load_assets_from_modules(
                [
                    tags,
                    classes,
                    posts,
                    images,
                    contributions,
                    recheck,
                    features,
                    dataset,
                    tensors,
                ]
            ),
            *(embeddings_asset(backbone) for backbone in backbones),
            retraining_advice_asset(backbones),
            *(svm_asset(backbone) for backbone in backbones),
            *(hashtags_asset(backbone) for backbone in backbones),
            champion_hashtags_asset(backbones),
            comparison_asset(backbones),
            near_classes_asset(backbones),
            domain_shift_asset(backbones),
            backbones_table,
            champion_asset(platform.settings),
            *dg.load_assets_from_modules([reports, card]),
        ],
        jobs=[
            weekly_refresh,
            collect_class,
            measure_drift,
            retrain,
            recheck_posts,
            housekeeping_job,
            *MODEL_JOBS,
        ],
        schedules=schedules(platform.settings),
        sensors=sensors.ALL,
        resources={"platform": platform},
        # A run is one process: its steps share what they import, and there are few of them.
        executor=one_worker_executor(platform.home, frozenset(job.name for job in MODEL_JOBS)),
    )


@dg.definitions
def defs() -> dg.Definitions:
    """What Dagster loads; built when asked for, so that importing this module builds nothing."""
    return build_defs()
