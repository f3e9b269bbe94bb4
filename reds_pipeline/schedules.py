"""When the spine, and the sweep for deleted posts, start by themselves.

What belongs here: schedules. What does not: what follows from a refresh; that is
``sensors.py``. Schedules run by default, because a pipeline that silently never starts looks
like one that works.
"""

from __future__ import annotations

import dagster as dg

from reds_pipeline.jobs import recheck_posts, weekly_refresh
from reds_pipeline.settings import Settings


def refresh_schedule(settings: Settings) -> dg.ScheduleDefinition:
    """Return the schedule of ``weekly_refresh`` as the operator set it."""
    return dg.ScheduleDefinition(
        name="refresh_schedule",
        job=weekly_refresh,
        cron_schedule=settings.refresh_cron,
        execution_timezone=settings.timezone,
        default_status=dg.DefaultScheduleStatus.RUNNING,
    )


def recheck_schedule(settings: Settings) -> dg.ScheduleDefinition:
    """Return the schedule of ``recheck_posts``; a training has a sweep of its own before it."""
    return dg.ScheduleDefinition(
        name="recheck_schedule",
        job=recheck_posts,
        cron_schedule=settings.recheck_cron,
        execution_timezone=settings.timezone,
        default_status=dg.DefaultScheduleStatus.RUNNING,
    )
