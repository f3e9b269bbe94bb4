"""The sweep: every post that REDS holds is looked for again, and what is gone is withdrawn.

What belongs here: putting together asking (``fediverse.recheck``) and withdrawing
(``withdrawal``), table by table. What does not: either of them, or when a sweep is due; that is
the asset ``recheck`` and its schedule.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from reds_pipeline.resources import Platform
from reds_pipeline.retraining.kept_samples import take_out_of_samples
from reds_pipeline.storage.clock import utc_now
from reds_pipeline.storage.journal import Journal
from reds_pipeline.storage.locks import WITHDRAWAL_SECONDS, exclusive
from reds_pipeline.storage.partitions import partitions
from reds_pipeline.storage.tables import POSTS, read_rows, write_rows

if TYPE_CHECKING:
    from reds_pipeline.fediverse.recheck.asking import Check
    from reds_pipeline.withdrawal.withdraw import WithdrawalReport

Row = dict[str, Any]


@dataclass
class SweepReport:
    """What a sweep found and did.

    Attributes:
        held: Kept posts before the sweep; a post that several classes use counts for each.
        due: Those of them that were not seen for so long that they had to be looked for.
        confirmed: Those of them that are still there.
        withdrawn: Reasons of those that are not, with their number.
        failed: Those about which their host failed to answer, for now.
        pictures_erased: Files that went.
        marked_models: Model versions that were trained with a picture that went, in this sweep or
            before.
        classes: Classes, as file names, of which a picture went.
        requests: What the host was asked.
        stopped_by: Why the sweep ended before its last post, a sentence for people, or "".
        copies_sentences: What to do about exports and backups that hold something that went.
    """

    held: int = 0
    due: int = 0
    confirmed: int = 0
    withdrawn: Counter[str] = field(default_factory=Counter)
    failed: int = 0
    pictures_erased: int = 0
    marked_models: set[str] = field(default_factory=set)
    classes: set[str] = field(default_factory=set)
    requests: int = 0
    stopped_by: str = ""
    copies_sentences: list[str] = field(default_factory=list)

    @property
    def alarm(self) -> str:
        """What an operator has to look into, a sentence, or ""."""
        from reds_pipeline.fediverse.recheck.asking import MASS_REMOVAL

        lost = self.withdrawn[MASS_REMOVAL]
        if not lost:
            return ""
        return (
            f"The host said of {lost} posts at once, most of those asked about, that they are gone "
            "or closed; their pictures are erased, and the posts come back only if the host shows "
            "them again, so please ask its operators what happened."
        )

    @property
    def not_reached(self) -> int:
        """Posts that nobody was asked about; they are first in the next sweep."""
        return self.due - self.confirmed - self.withdrawn.total() - self.failed

    def add_withdrawal(self, withdrawal: WithdrawalReport) -> None:
        """Take in what a withdrawal removed."""
        self.pictures_erased += withdrawal.removed.get("picture files", 0)
        self.marked_models.update(withdrawal.models.versions)
        self.classes.update(withdrawal.classes)
        told = [each for each in withdrawal.copies_sentences if each not in self.copies_sentences]
        self.copies_sentences.extend(told)


@dataclass(frozen=True)
class _Table:
    """One table of posts: where it is, the lock of its writers, and the sweep's own journal."""

    path: Path
    lock: Path
    journal: Journal


def sweep(platform: Platform) -> SweepReport:
    """Look for every post again that was not seen for ``recheck_after_hours``.

    The host is asked nothing where no post is due.

    Raises:
        RedsError: No host is configured, it is not approved, or another process is at work on
            the same posts.
    """
    from reds_pipeline.withdrawal.withdraw import finish_withdrawals

    report = SweepReport()
    with exclusive(platform.home.lock("recheck"), "looking for posts again"):
        due = _due(platform, report)
        if due:
            _ask(platform, due, report)
        # Also what an earlier withdrawal, or a collection since, left undone.
        report.add_withdrawal(finish_withdrawals(platform.home, platform.ledger, platform.tracking))
    return report


def _due(platform: Platform, report: SweepReport) -> dict[_Table, list[Row]]:
    """Return the posts to be asked about, by their tables."""
    from reds_pipeline.fediverse.recheck.asking import stale

    home = platform.home
    tables = [
        _Table(part.table, part.lock, home.journal("recheck", part.stem))
        for part in partitions(home, "posts")
    ]
    sample = home.journal("recheck_sample", "public")
    tables.append(_Table(home.table("sample_posts"), home.lock("sample"), sample))
    due = {}
    for table in tables:
        rows = read_rows(table.path, POSTS)
        report.held += sum(row["status"] == "kept" for row in rows)
        found = stale(
            rows,
            now=datetime.now(UTC),
            hours=platform.settings.recheck_after_hours,
            policy_digest=platform.consent_policy.digest,
        )
        if found:
            due[table] = found
            report.due += len(found)
    return due


def _ask(platform: Platform, due: dict[_Table, list[Row]], report: SweepReport) -> None:
    """Ask about the posts that are due, then act on the answers.

    Not table by table: only all answers together tell people who left from a host with a fault.
    """
    from reds_pipeline.fediverse.recheck.asking import (
        as_mass_removal,
        mass_removal,
        recheck_posts,
        recorded_checks,
    )
    from reds_pipeline.fediverse.web.failures import HostError

    found: dict[_Table, list[Check]] = {}
    with platform.host() as client, ExitStack() as stack:
        try:
            profile = platform.profile(client)
            reader = stack.enter_context(platform.post_reader(client, profile))
            origins = stack.enter_context(platform.origins())
            for table, rows in due.items():
                try:
                    found[table] = recheck_posts(
                        client,
                        profile,
                        rows,
                        reader=reader,
                        tags=sorted({row["query_tag"] for row in rows}),
                        journal=table.journal,
                        origins=origins,
                    )
                except HostError:
                    # What was found out before it failed counts all the same.
                    found[table] = recorded_checks(table.journal, rows)
                    raise
        except HostError as error:
            report.stopped_by = f"Looking for posts again ended early: {error}"
        finally:
            report.requests = client.requests_made
    lost = mass_removal(
        [row for rows in due.values() for row in rows],
        [check for checks in found.values() for check in checks],
    )
    for table, checks in found.items():
        weighed = [as_mass_removal(each) if each.post_key in lost else each for each in checks]
        _act(platform, table, weighed, report)
    if report.not_reached and not report.stopped_by:
        report.stopped_by = (
            f"{report.not_reached} posts could not be looked for, because the request budget of "
            "their host was spent; the next run begins with them."
        )


def _act(platform: Platform, table: _Table, checks: Sequence[Check], report: SweepReport) -> None:
    """Withdraw what must not come back, then write the table, then forget the journal."""
    from reds_pipeline.fediverse.recheck.asking import lasting_withdrawals, updated_rows
    from reds_pipeline.withdrawal.withdraw import RecheckedPosts, WithdrawalRequest, withdraw

    before = read_rows(table.path, POSTS)
    if lasting := lasting_withdrawals(before, checks):
        request = WithdrawalRequest(RecheckedPosts(lasting), why="found by a re-check")
        report.add_withdrawal(withdraw(platform.home, platform.ledger, platform.tracking, request))
    with exclusive(table.lock, "collecting posts", patience_seconds=WITHDRAWAL_SECONDS):
        held = read_rows(table.path, POSTS)
        rows = updated_rows(held, checks, utc_now())
        if table.path == platform.home.table("sample_posts"):
            take_out_of_samples(platform.home, held, rows, write=True)
        write_rows(table.path, rows, POSTS)
    table.journal.delete()
    now = {row["post_key"]: row for row in rows}
    for check in checks:
        row = now.get(check.post_key)
        if row is None:
            continue
        if row["status"] != "kept":
            report.withdrawn[row["reason"]] += 1
        elif check.outcome == "confirmed":
            report.confirmed += 1
        else:
            report.failed += 1
