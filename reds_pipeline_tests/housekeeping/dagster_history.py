"""A history of Dagster runs of the kinds that REDS makes, for tests of what may go."""

import dagster as dg

from reds_pipeline.jobs import COLLECT_CLASS, SELECTION_TAG, WEEKLY_REFRESH
from reds_pipeline.partitions import classes

WHAT_WAS_PRINTED = "what a step of this run said"


@dg.asset
def class_selection() -> dg.MaterializeResult:
    return dg.MaterializeResult(metadata={"chosen": 2})


@dg.asset(
    partitions_def=classes,
    check_specs=[dg.AssetCheckSpec("is_whole", asset="clean_images")],
)
def clean_images(context: dg.AssetExecutionContext) -> dg.MaterializeResult:
    if "fails" in context.run.tags:
        raise ValueError("the host did not answer")
    check = dg.AssetCheckResult(check_name="is_whole", passed=True)
    return dg.MaterializeResult(metadata={"of": context.partition_key}, check_results=[check])


DEFINITIONS = dg.Definitions(
    assets=[class_selection, clean_images],
    jobs=[
        dg.define_asset_job(WEEKLY_REFRESH, selection="class_selection"),
        dg.define_asset_job(COLLECT_CLASS, selection="clean_images"),
    ],
)


def refresh(instance: dg.DagsterInstance) -> str:
    """Execute a refresh and return its run."""
    job = DEFINITIONS.resolve_job_def(WEEKLY_REFRESH)
    return job.execute_in_process(instance=instance).run_id


def collect(instance: dg.DagsterInstance, name: str, selection: str, **tags: str) -> str:
    """Execute the collection of a class that belongs to a refresh, and return its run."""
    job = DEFINITIONS.resolve_job_def(COLLECT_CLASS)
    result = job.execute_in_process(
        instance=instance,
        partition_key=name,
        tags={SELECTION_TAG: selection, **tags},
        raise_on_error=False,
    )
    return result.run_id
