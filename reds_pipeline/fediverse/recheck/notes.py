"""What a sweep notes down, and when a failure is worth noting.

What belongs here: the answers of one host in a row, which of them are believed, and the notes of
a sweep that was killed.
What does not: asking (``asking.py``).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import datetime, timedelta

from reds_pipeline.fediverse.recheck.rows import POST_DELETED, RECHECK_FAILED, Check, Row
from reds_pipeline.storage.clock import as_text, utc_now
from reds_pipeline.storage.journal import Journal

# What a killed sweep found out is used for so long; then hosts are asked again.
_RESUMED_FOR = timedelta(hours=24)
# Posts of as many authors that have to fail, and nothing else come, to take the host for closed.
# Fewer may be people whose pages it cannot show, and nobody else would ever be asked about.
_TOLERATED_FAILURES = 5
# A host that lost its data, or its mind, denies everything, also what its own timeline shows.
_SUSPICIOUS = 10


class HostAnswers:
    """What one host answers, and what of it is believed at once.

    Failures count only where the host has answered something else. That posts are gone counts
    for a few, or once the host has shown that it finds any.

    Args:
        record: Notes a check down.
        is_origin: Whether the host is asked about posts that another one shows.

    Attributes:
        has_answered: Whether it has answered anything.
    """

    def __init__(self, record: Callable[[Check], None], *, is_origin: bool = False) -> None:
        self.has_answered = False
        self._record = record
        self._is_origin = is_origin
        self._doubtful: list[Check] = []
        self._vanished: list[Check] = []
        self._finds_posts = False

    def answered(self) -> None:
        """Take note that the host lives, so that the failures so far were about posts."""
        self.has_answered = True
        self.settle()

    def found(self, check: Check | None) -> None:
        """Take note of a check of a post; None where the host shows it and that is not enough."""
        self.answered()
        if check is None or check.outcome == "confirmed":
            self.believe()
        if check is not None:
            self._record(replace(check, at_origin=self._is_origin))

    def gone(self, row: Row) -> None:
        """Take note that the host does not know a post any more."""
        self.answered()
        check = Check(
            row["post_key"], "gone", POST_DELETED, at=utc_now(), at_origin=self._is_origin
        )
        if self._finds_posts:
            self._record(check)
        else:
            self._vanished.append(check)

    def failed(self, row: Row) -> None:
        """Take note that the host failed over one post."""
        self._doubtful.append(failed_check(row))

    @property
    def finds_nothing(self) -> bool:
        """Whether so many posts are gone, and none was found, that the host has to prove itself."""
        return not self._finds_posts and len(self._vanished) >= _SUSPICIOUS

    @property
    def fails_over_everything(self) -> bool:
        """Whether the host failed over so many posts, and answered nothing, to be left alone."""
        return not self.has_answered and len(self._doubtful) >= _TOLERATED_FAILURES

    def is_settled(self) -> bool:
        """Say whether no failure waits for a later answer."""
        return not self._doubtful

    def settle(self) -> None:
        """Record the failures."""
        for check in self._doubtful:
            self._record(check)
        self._doubtful.clear()

    def believe(self) -> None:
        """Record what is gone, and from now on at once."""
        self._finds_posts = True
        for check in self._vanished:
            self._record(check)
        self._vanished.clear()


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
