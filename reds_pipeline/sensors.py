"""What follows from what: collections from a refresh, a training from its collections.

What belongs here: sensors. What does not: work; a sensor only looks at runs and tables and asks
for runs. Every request carries a run key made of the refresh it belongs to, so that a repeated
tick asks for nothing twice. Runs that ``reds run`` drives are left to it.
"""

from __future__ import annotations

from collections.abc import Iterator

import dagster as dg

from reds_pipeline.jobs import (
    COLLECT_CLASS,
    COMMAND_LINE,
    SELECTION_TAG,
    WEEKLY_REFRESH,
    collect_class,
    is_driven_by_command_line,
    recheck_posts,
    retrain,
    weekly_refresh,
)
from reds_pipeline.resources import Platform
from reds_pipeline.stage_inputs import selected_classes

_RUNNING = dg.DefaultSensorStatus.RUNNING
_FINISHED = {
    dg.DagsterRunStatus.SUCCESS,
    dg.DagsterRunStatus.FAILURE,
    dg.DagsterRunStatus.CANCELED,
}


@dg.run_status_sensor(
    run_status=dg.DagsterRunStatus.SUCCESS,
    monitored_jobs=[weekly_refresh],
    request_job=collect_class,
    default_status=_RUNNING,
    description="Starts one collection per class that the refresh selected.",
)
def collect_selected_classes(
    context: dg.RunStatusSensorContext, platform: dg.ResourceParam[Platform]
) -> Iterator[dg.RunRequest | dg.SkipReason]:
    """Fan out a finished refresh into one run per selected class."""
    refresh = context.dagster_run
    if is_driven_by_command_line(refresh):
        yield dg.SkipReason(f"{COMMAND_LINE} collects the classes of its own refresh")
        return
    for name in selected_classes(platform.home):
        yield dg.RunRequest(
            run_key=f"{refresh.run_id}:{name}",
            partition_key=name,
            tags={SELECTION_TAG: refresh.run_id},
        )


@dg.sensor(
    job=retrain,
    minimum_interval_seconds=30,
    default_status=_RUNNING,
    description="Starts the training when every class of the newest refresh has ended.",
)
def retrain_when_collected(
    context: dg.SensorEvaluationContext, platform: dg.ResourceParam[Platform]
) -> dg.RunRequest | dg.SkipReason:
    """Ask for one training per refresh, after its last collection ended, however it ended."""
    refreshes = [
        run
        for run in context.instance.get_runs(
            dg.RunsFilter(job_name=WEEKLY_REFRESH, statuses=[dg.DagsterRunStatus.SUCCESS]), limit=20
        )
        if not is_driven_by_command_line(run)
    ]
    if not refreshes:
        return dg.SkipReason("no refresh has finished yet")
    selection = refreshes[0].run_id
    runs = context.instance.get_runs(
        dg.RunsFilter(job_name=COLLECT_CLASS, tags={SELECTION_TAG: selection})
    )
    ended = {run.tags["dagster/partition"] for run in runs if run.status in _FINISHED}
    waiting = [name for name in selected_classes(platform.home) if name not in ended]
    if waiting:
        return dg.SkipReason(f"waiting for the collection of {', '.join(waiting)}")
    return dg.RunRequest(run_key=selection, tags={SELECTION_TAG: selection})


@dg.run_failure_sensor(
    monitored_jobs=[weekly_refresh, collect_class, retrain, recheck_posts],
    default_status=_RUNNING,
    description="Writes every failed run into the ledger, where `reds status` finds it.",
)
def record_failure(
    context: dg.RunFailureSensorContext, platform: dg.ResourceParam[Platform]
) -> None:
    """Keep the sentence of a failed run where an operator looks."""
    platform.ledger.append(
        "run_failure",
        context.dagster_run.job_name,
        {
            "run_id": context.dagster_run.run_id,
            "class": context.dagster_run.tags.get("dagster/partition", ""),
            "message": context.failure_event.message or "",
        },
    )


ALL = [collect_selected_classes, retrain_when_collected, record_failure]
