"""The time as tables hold it: ISO-8601 in UTC, ending in ``Z``.

What belongs here: the one format of time. What does not: time zones of schedules.
"""

from __future__ import annotations

from datetime import UTC, datetime


def utc_now() -> str:
    """Return the present moment with whole seconds, such as ``2026-11-21T10:00:00Z``."""
    return as_text(datetime.now(UTC))


def as_text(moment: datetime) -> str:
    """Return an aware ``moment`` in the format of the tables."""
    return moment.astimezone(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")
