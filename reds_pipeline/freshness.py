"""How old the newest training may be before something is wrong.

What belongs here: the window, from what the operator set. What does not: telling anybody
(``sensors.py``, ``status.py``), or what a training finds: one that looked and left the champion in
its place is as fresh as one that promoted.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from reds_pipeline.errors import RedsError
from reds_pipeline.settings import Settings

# Collecting and training take their time, and one refresh may wait for another.
_GRACE = timedelta(days=1)
# Ticks to look at for the longest time between two: "on weekdays" has one longer than the others.
_TICKS = 40
# The second is for schedules that rest for months.
_DAYS_LOOKED_BACK = (70, 10 * 365)


@dataclass(frozen=True)
class FreshnessWindow:
    """When the newest training is old.

    Attributes:
        warn: Older than this, a refresh or a training was missed.
        fail: Older than this, two were: something is broken, and it does not mend itself.
    """

    warn: timedelta
    fail: timedelta


def freshness_window(settings: Settings) -> FreshnessWindow:
    """Return how old the newest training may be with these settings.

    With ``every_refresh`` a training follows every refresh. Otherwise it is due after
    ``retrain_max_days`` at the latest, and begins with the refresh that comes next.

    Raises:
        RedsError: ``refresh_cron`` or ``timezone`` cannot be read.
    """
    between = longest_interval(settings.refresh_cron, settings.timezone)
    planned = between
    if settings.retrain != "every_refresh":
        planned += timedelta(days=settings.retrain_max_days)
    return FreshnessWindow(warn=planned + _GRACE, fail=planned + between + _GRACE)


def longest_interval(cron: str, timezone: str) -> timedelta:
    """Return the longest time between two ticks of a schedule, of its last some ticks.

    Raises:
        RedsError: The schedule or the time zone cannot be read.
    """
    for days in _DAYS_LOOKED_BACK:
        try:
            longest = _longest_interval(cron, timezone, timedelta(days=days))
        except Exception as error:
            raise unreadable_schedule(cron, timezone) from error
        if longest:
            break
    return longest


def _longest_interval(cron: str, timezone: str, looked_back: timedelta) -> timedelta:
    import dagster as dg

    now = datetime.now(UTC)
    # Dagster brings the reader of such texts, but offers it only as part of its partitions.
    ticks = dg.TimeWindowPartitionsDefinition(
        start=now - looked_back, fmt="%Y-%m-%d-%H:%M", cron_schedule=cron, timezone=timezone
    )
    window, longest = ticks.get_prev_partition_window(now), timedelta(0)
    for _ in range(_TICKS):
        if window is None:
            break
        longest = max(longest, window.end - window.start)
        window = ticks.get_prev_partition_window(window.start)
    return longest


def unreadable_schedule(cron: str, timezone: str) -> RedsError:
    """Return what is said of a schedule that Dagster cannot read."""
    return RedsError(
        f"The schedule {cron!r} in the time zone {timezone!r} cannot be read; write it as five "
        'fields, minute, hour, day, month and weekday, such as "0 3 * * 1", and the zone such as '
        "Europe/Berlin."
    )
