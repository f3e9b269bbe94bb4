"""The asset that lets the better model serve.

What belongs here: ``champion_model``. What does not: the promotion rule
(``modeling/promotion.py``), how it is carried out (``promotion.py``), or training.
"""

import dagster as dg

from reds_pipeline.assets.common import markdown_table, plain_failures
from reds_pipeline.freshness import freshness_window
from reds_pipeline.jobs import TRAIN
from reds_pipeline.modeling.promotion_evidence import SharedTest
from reds_pipeline.notices import PROMOTION, notify
from reds_pipeline.resources import Platform
from reds_pipeline.settings import Settings


def champion_asset(settings: Settings) -> dg.AssetsDefinition:
    """Return the asset, which is fresh for as long as these settings plan between trainings.

    It is materialised by every training, also by one after which the champion stays: fresh means
    that a training has looked, not that a better model was found.
    """
    window = freshness_window(settings)

    @dg.asset(
        deps=["model_comparison", "near_classes"],
        group_name=TRAIN,
        kinds={"mlflow"},
        freshness_policy=dg.FreshnessPolicy.time_window(
            fail_window=window.fail, warn_window=window.warn
        ),
    )
    @plain_failures
    def champion_model(platform: dg.ResourceParam[Platform]) -> dg.MaterializeResult:
        """The model that serves: the better one, by a rule that gives its reason (R-EXP-12)."""
        from reds_pipeline.promotion import promote_best

        result = promote_best(platform)
        if result.promoted and not platform.attended:
            notify(
                platform,
                PROMOTION,
                "Another model serves",
                f"Version {result.champion_version} serves now: {result.reason} `reds rollback` "
                "lets the one before serve again.",
            )
        return dg.MaterializeResult(
            metadata={
                "champion": result.champion_version or "none",
                "considered": result.candidate_version,
                "promoted now": result.promoted,
                "reason": result.reason,
                "same test pictures": _shared_test_table(result.test),
                "noticed": " ".join(result.notices) or "nothing",
                "MLflow run": dg.MetadataValue.url(platform.tracking.link(result.champion_run_id)),
            }
        )

    return champion_model


def _shared_test_table(test: SharedTest | None) -> dg.MarkdownMetadataValue | str:
    """Show how often both models are right on the pictures of each class."""
    if test is None:
        return "no two models were measured on the same pictures this time"
    return markdown_table(
        [
            {
                "class": each.class_name,
                "test pictures": each.pictures,
                "right: considered": each.challenger_right,
                "right: champion before": each.rival_right,
            }
            for each in test.by_class
        ]
    )
