"""What a sweep notes down, and when a failure is worth noting.

What belongs here: the answers of one host in a row, and the notes of a sweep that was killed.
What does not: asking (``recheck.py``).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime, timedelta

from reds_pipeline.fediverse.recheck_rows import RECHECK_FAILED, Check, Row
from reds_pipeline.storage.clock import as_text, utc_now
from reds_pipeline.storage.journal import Journal

# What a killed sweep found out is used for so long; then hosts are asked again.
_RESUMED_FOR = timedelta(hours=24)


class HostAnswers:
    """What one host answers: its failures count only where it has answered something else."""

    def __init__(self, record: Callable[[Check], None]) -> None:
        self.has_answered = False
        self._record = record
        self._doubtful: list[Check] = []

    def answered(self) -> None:
        """Take note that the host lives, so that the failures so far were about posts."""
        self.has_answered = True
        self.settle()

    def failed(self, row: Row) -> None:
        """Take note that the host failed over one post."""
        self._doubtful.append(failed_check(row))

    def is_settled(self) -> bool:
        """Say whether no failure waits for a later answer."""
        return not self._doubtful

    def settle(self) -> None:
        """Record the failures."""
        for check in self._doubtful:
            self._record(check)
        self._doubtful.clear()


def recorded_checks(journal: Journal, rows: Sequence[Row]) -> list[Check]:
    """Return what a sweep that was cut short has found out of some posts in the last day.

    Args:
        journal: As ``recheck_posts`` was given it.
        rows: The posts.
    """
    wanted = {row["post_key"] for row in rows}
    since = as_text(datetime.fromisoformat(utc_now()) - _RESUMED_FOR)
    found = {record["post_key"]: Check(**record) for record in journal.records()}
    return [check for check in found.values() if check.post_key in wanted and check.at >= since]


def failed_check(row: Row) -> Check:
    """Return the check of a post that could not be asked about."""
    return Check(row["post_key"], "failed", RECHECK_FAILED, at=utc_now())
