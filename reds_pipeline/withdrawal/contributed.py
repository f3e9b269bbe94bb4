"""Taking contributed photos out of what was made of them.

What belongs here: their tables. What does not: deleting contributions (``feedback.deletion``) and
what all stored pictures have in common: files, arrays, findings and models (``steps.py``).

A contribution is its directory: whatever the tables know of one that is not there any more has to
go. So a deletion needs no memory of how far it came, and a stage that was at work during it
cannot bring anything back for longer than until the next call.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

from reds_pipeline.feedback.contributions import contributions
from reds_pipeline.feedback.deletion import delete_outdated, outdated
from reds_pipeline.storage.home import Home
from reds_pipeline.storage.ledger import Ledger
from reds_pipeline.storage.tables import (
    CONTRIBUTED,
    CONTRIBUTED_IMAGES,
    CURATED,
    read_rows,
    write_rows,
)
from reds_pipeline.withdrawal.rows import without_keepers, without_names

Row = dict[str, Any]
AtWork = Callable[[Path, str], AbstractContextManager[bool]]
"""Holds the lock of a table, and says whether it may be written; see ``WithdrawalSteps``."""

_IMAGES = "contributed_images"
_DATASET = "contributed_dataset"
_SCHEMAS = {_IMAGES: CONTRIBUTED_IMAGES, _DATASET: CONTRIBUTED}


class ContributedPurge:
    """One pass over the contributions of a home.

    Args:
        home: What is kept.
        ledger: Where it is recorded that contributions went.
        tombstones: ``Tombstones.keys``: what is withdrawn for good.
        write: Whether to change anything, or only to count.

    Attributes:
        removed: How many of each kind were, or would be, removed.
        held: Extension by SHA-256 of the pictures of contributions that stay.
        lost: The same of pictures that no contribution has any more.
    """

    def __init__(
        self, home: Home, ledger: Ledger, tombstones: Collection[str], *, write: bool
    ) -> None:
        self.removed: Counter[str] = Counter()
        self._home = home
        self._is_out_of_dataset = False
        going = {each.id for each in outdated(home, tombstones)}
        self.removed["contributed photos"] = len(going)
        if write:
            delete_outdated(home, ledger, tombstones)
        self._there = {each.id for each in contributions(home)} - going
        rows = [row for name in _SCHEMAS for row in self._rows(name)]
        staying = [row for row in rows if row["contribution_id"] in self._there]
        self.held = {row["sha256"]: row["extension"] for row in staying}
        self.lost = {
            row["sha256"]: row["extension"] for row in rows if row["sha256"] not in self.held
        }

    def take_out_of_dataset(self, gone: frozenset[str], at_work: AtWork) -> None:
        """Take lost photos out of the data set, where groups may be named after them.

        Args:
            gone: SHA-256 of the pictures that are kept nowhere any more.
            at_work: Holds a lock.
        """
        table = self._home.table("curated_dataset")
        from_posts = read_rows(table, CURATED)
        before = self._rows(_DATASET)
        staying = [row for row in before if row["contribution_id"] in self._there]
        # Together, because posts' pictures and contributions share groups.
        named = without_names([*from_posts, *staying], gone, ["group"])
        posts, left = named[: len(from_posts)], named[len(from_posts) :]
        posts = without_keepers(without_names(posts, gone, ["cluster"]), gone)
        with at_work(self._home.lock(_DATASET), "data set of contributed photos") as may_write:
            self.removed["rows of contributed photos"] += len(before) - len(left)
            self._is_out_of_dataset = may_write
            if may_write and posts != from_posts:
                write_rows(table, posts, CURATED)
            if may_write and (left := without_keepers(left, gone)) != before:
                write_rows(self._home.table(_DATASET), left, CONTRIBUTED)

    def forget(self, at_work: AtWork) -> None:
        """Drop the last rows that name lost photos, once their files are gone."""
        with at_work(self._home.lock(_IMAGES), "contributed photos") as may_write:
            before = self._rows(_IMAGES)
            left = [row for row in before if row["contribution_id"] in self._there]
            # As long as a row is there, the next call knows what still has to be done.
            if may_write and self._is_out_of_dataset and len(left) != len(before):
                write_rows(self._home.table(_IMAGES), left, CONTRIBUTED_IMAGES)

    def _rows(self, name: str) -> list[Row]:
        return read_rows(self._home.table(name), _SCHEMAS[name])
