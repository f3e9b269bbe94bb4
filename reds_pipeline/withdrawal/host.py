"""Erasing everything that came from one host, because its operators no longer allow it.

What belongs here: gating all posts of a host. What does not: taking back the approval
(``approvals.py``) and erasing what gated posts leave behind (``steps.py``). Nobody of the host
asked for it personally, so there are no tombstones: should the host be approved again, its posts
may come back.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from reds_pipeline.fediverse.recheck.rows import HOST_REVOKED, gated_row
from reds_pipeline.retraining.kept_samples import take_out_of_samples
from reds_pipeline.storage.clock import utc_now
from reds_pipeline.storage.home import Home
from reds_pipeline.storage.journal import Journal
from reds_pipeline.storage.ledger import Ledger
from reds_pipeline.storage.locks import WITHDRAWAL_SECONDS, exclusive
from reds_pipeline.storage.partitions import partitions
from reds_pipeline.storage.tables import CURSORS, POSTS, read_rows, write_rows
from reds_pipeline.tracking import Tracking
from reds_pipeline.withdrawal.requests import opened_permalink
from reds_pipeline.withdrawal.withdraw import WithdrawalReport, finish_withdrawals

Row = dict[str, Any]


@dataclass(frozen=True)
class _Place:
    """One table of posts with what belongs to it."""

    posts: Path
    cursors: Path
    journals: tuple[Journal, ...]
    lock: Path
    is_sample: bool = False


def erase_host(home: Home, ledger: Ledger, tracking: Tracking, host: str) -> WithdrawalReport:
    """Gate every post that a host made or showed, and erase what was made of them.

    A kill in between is made good by repeating it.

    Args:
        home: What is kept.
        ledger: Where withdrawals stand.
        tracking: Where models stand.
        host: The host as people write it, such as ``pix.example``.

    Raises:
        RedsError: A table is damaged or somebody is collecting into it, or the disk is full.
    """
    for place in _places(home):
        with exclusive(place.lock, "collecting posts", patience_seconds=WITHDRAWAL_SECONDS):
            # Work in progress is asked for again, should it still be wanted.
            for journal in place.journals:
                journal.delete()
            rows, now = read_rows(place.posts, POSTS), utc_now()
            gated = [
                gated_row(row, HOST_REVOKED, now) if _is_from(home, row, host) else row
                for row in rows
            ]
            if place.is_sample:
                take_out_of_samples(home, rows, gated, write=True)
            if gated != rows:
                write_rows(place.posts, gated, POSTS)
            walked = read_rows(place.cursors, CURSORS)
            elsewhere = [row for row in walked if row["host"] != host]
            if elsewhere != walked:
                write_rows(place.cursors, elsewhere, CURSORS)
    return finish_withdrawals(home, ledger, tracking)


def _places(home: Home) -> Iterator[_Place]:
    for part in partitions(home, "posts"):
        yield _Place(
            part.table,
            home.root / "tables" / "cursors" / part.table.name,
            (part.journal, home.journal("recheck", part.stem)),
            part.lock,
        )
    journals = (home.journal("sample", "public"), home.journal("recheck_sample", "public"))
    yield _Place(
        home.table("sample_posts"),
        home.table("sample_cursors"),
        journals,
        home.lock("sample"),
        is_sample=True,
    )


def _is_from(home: Home, row: Row, host: str) -> bool:
    """Return whether a kept post was shown by the host, or made there and relayed by another."""
    if row["status"] != "kept":
        return False
    permalink = opened_permalink(home.seal, row)
    return row["host"] == host or (permalink is not None and permalink.host == host)
