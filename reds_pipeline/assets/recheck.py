"""Looking for every post again, before anything is learnt from it.

What belongs here: the asset ``recheck``. What does not: asking hosts (``fediverse.recheck``),
withdrawing (``withdrawal/withdraw.py``) and putting the two together (``sweep.py``).
"""

import dagster as dg

from reds_pipeline.assets.common import HOST_POOL, markdown_table, plain_failures
from reds_pipeline.jobs import CLEAN
from reds_pipeline.notices import REMOVAL_ALARM, notify
from reds_pipeline.resources import Platform
from reds_pipeline.run_history import remove_withdrawn_photographs


@dg.asset(
    deps=[dg.AssetDep("clean_images", partition_mapping=dg.AllPartitionMapping())],
    group_name=CLEAN,
    kinds={"python", "parquet"},
    pool=HOST_POOL,
    check_specs=[
        dg.AssetCheckSpec(
            "every_post_was_looked_for",
            asset="recheck",
            description="No host stopped answering before its last post was looked for.",
        ),
        dg.AssetCheckSpec(
            "most_posts_are_still_there",
            asset="recheck",
            description="No host lost or closed most of its posts at once.",
        ),
    ],
)
@plain_failures
def recheck(
    context: dg.AssetExecutionContext, platform: dg.ResourceParam[Platform]
) -> dg.MaterializeResult:
    """Posts that are gone, private, sensitive or unwilling by now, withdrawn (R-SCR-11)."""
    from reds_pipeline.sweep import sweep

    report = sweep(platform)
    sheets = remove_withdrawn_photographs(context.instance, platform.home, context.run_id)
    platform.notices.extend(
        filter(None, (report.stopped_by, report.alarm, *report.copies_sentences))
    )
    if report.withdrawn:
        reasons = ", ".join(f"{why.replace('_', ' ')} {n}" for why, n in report.withdrawn.items())
        platform.notices.append(f"Posts that were taken back, and erased here too: {reasons}.")
    if report.alarm and not platform.attended:
        notify(platform, REMOVAL_ALARM, "Many posts are gone at once", report.alarm)
    withdrawn = [{"reason": why, "posts": n} for why, n in report.withdrawn.most_common()]
    return dg.MaterializeResult(
        metadata={
            "posts held": report.held,
            "due": report.due,
            "still there": report.confirmed,
            "withdrawn": markdown_table(withdrawn),
            "pictures erased": report.pictures_erased,
            "model versions that have seen a withdrawn picture": len(report.marked_models),
            "failed for now": report.failed,
            "not reached": report.not_reached,
            "requests": report.requests,
            "contact sheets removed from history": sheets,
        },
        check_results=[
            dg.AssetCheckResult(
                check_name="every_post_was_looked_for",
                passed=not report.stopped_by,
                # Posts that were not reached stay as they are, and are left out after a while.
                severity=dg.AssetCheckSeverity.WARN,
                metadata={"stopped by": report.stopped_by or "nothing"},
            ),
            dg.AssetCheckResult(
                check_name="most_posts_are_still_there",
                passed=not report.alarm,
                severity=dg.AssetCheckSeverity.WARN,
                metadata={"alarm": report.alarm or "none"},
            ),
        ],
    )
