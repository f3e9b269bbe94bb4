"""The job that keeps house, on its schedule or from the Launchpad of the Dagster UI.

What belongs here: the job, what it asks for and shows, and telling the operator of a full disk.
What does not: finding and removing things (``housekeeping``), which ``reds prune`` does in the same
way, and when it runs (``schedules.py``).
"""

from typing import Literal

import dagster as dg
from pydantic import Field

from reds_pipeline.assets.common import markdown_table
from reds_pipeline.errors import RedsError
from reds_pipeline.housekeeping.disk_notice import tell_of_disk
from reds_pipeline.housekeeping.keep_house import HousekeepingReport, keep_house
from reds_pipeline.jobs import AFTER_OTHERS, HOUSEKEEPING
from reds_pipeline.resources import Platform
from reds_pipeline.run_history import remove_withdrawn_photographs


class HousekeepingConfig(dg.Config):
    """Whether to remove anything, and of which kinds."""

    mode: Literal["as_set", "apply", "report"] = Field(
        "as_set",
        description="apply removes what nobody needs, report only lists it, and as_set does what "
        "REDS_HOUSEKEEPING says.",
    )
    only: list[str] = Field(
        [], description="Kinds to look at, as in `reds prune --only`; all of them if empty."
    )


@dg.op(name="keep_house")
def keep_house_op(
    context: dg.OpExecutionContext,
    config: HousekeepingConfig,
    platform: dg.ResourceParam[Platform],
) -> None:
    """Remove what nobody needs any more, or say what that is."""
    mode = platform.settings.housekeeping if config.mode == "as_set" else config.mode
    if mode == "off":
        context.log.info("REDS_HOUSEKEEPING is off, so nothing was looked at.")
        return
    try:
        report = keep_house(
            platform,
            context.instance,
            apply=mode == "apply",
            only=config.only,
            say=context.log.info,
        )
    except RedsError as error:
        raise dg.Failure(description=str(error), allow_retries=False) from error
    # What showed the pictures that went must not wait for the next sweep.
    remove_withdrawn_photographs(context.instance, platform.home, context.run_id)
    for line in (report.sentence, *report.notes):
        context.log.info(line)
    context.add_output_metadata(_metadata(report))
    if report.complaint:
        tell_of_disk(platform, report.complaint)


@dg.job(
    name=HOUSEKEEPING,
    tags=AFTER_OTHERS,
    description="Removes what nobody needs any more: old models, trainings, runs, pictures, and "
    "what nothing names; or only lists it.",
)
def housekeeping_job() -> None:
    """Keep house as REDS_HOUSEKEEPING says."""
    keep_house_op()


def _metadata(report: HousekeepingReport) -> dict[str, dg.MetadataValue]:
    found = [
        {
            "kind": each.kind,
            "what": each.what,
            "how many": each.count,
            "MB": each.size / 1e6,
            "why": f"stays: {each.left_alone}" if each.left_alone else each.why,
        }
        for each in report.chores
    ]
    sizes = [{"kind": kind, "MB": size / 1e6} for kind, size in report.disk.kinds.items()]
    return {
        "what happened": dg.MetadataValue.text(report.sentence),
        "removed": dg.MetadataValue.bool(report.applied and bool(report.going)),
        "bytes freed": dg.MetadataValue.int(report.freed if report.applied else 0),
        "bytes that the home takes": dg.MetadataValue.int(report.disk.total),
        "found": markdown_table(found),
        "disk": markdown_table(sizes),
        "what to do about the disk": dg.MetadataValue.text(report.complaint or "nothing"),
    }
