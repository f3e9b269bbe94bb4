"""What people took back after a backup was made.

What belongs here: taking it over from the ledger of the installation that was backed up, and what
becomes of a restored home for which nobody can tell. What does not: erasing (``withdrawal``) and
files (``restore.py``). A backup knows nothing of what came after it; a restored home must not
learn from what somebody took back in the meantime.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Collection, Iterator, Mapping
from contextlib import closing
from pathlib import Path
from typing import Any

from reds_pipeline.approvals import HOST_APPROVAL, HOST_REVOCATION, approvals
from reds_pipeline.backup.places import KEY, LEDGER
from reds_pipeline.backup.remembered import BACKUP, MADE
from reds_pipeline.dataset.remembered import remember, remembered_exports
from reds_pipeline.errors import RedsError
from reds_pipeline.feedback.contributions import contributions, remove_contribution
from reds_pipeline.feedback.deletion import CONTRIBUTION, delete_contribution
from reds_pipeline.review.decisions import REVIEW_DECISION
from reds_pipeline.storage.home import Home
from reds_pipeline.storage.journal import Journal
from reds_pipeline.storage.ledger import Ledger
from reds_pipeline.storage.partitions import partitions
from reds_pipeline.storage.tables import IMAGES, POSTS, read_rows, write_rows
from reds_pipeline.withdrawal.tombstones import (
    PICTURES_ERASED,
    WITHDRAWAL,
    erased_key,
    erased_keys,
)

Row = dict[str, Any]

# Whatever somebody may rely on: what was taken back or allowed, and what reviewers decided. What
# models did meanwhile is not among it: those models are not in the backup.
_CARRIED = (
    WITHDRAWAL,
    PICTURES_ERASED,
    HOST_APPROVAL,
    HOST_REVOCATION,
    CONTRIBUTION,
    REVIEW_DECISION,
    BACKUP,
)
NEVER_CONFIRMED = "1970-01-01T00:00:00Z"
"""When the host of a post last showed it, of a restored one: before anybody could remember."""


def open_newer_ledger(source: str, home: Home, backup_id: str) -> Ledger:
    """Open the ledger that knows what happened after a backup.

    Args:
        source: The home that was backed up, its ledger file, or the ledger's SQLAlchemy address.
        home: The restored home.
        backup_id: Of the backup; the right ledger remembers having made it.

    Raises:
        RedsError: It is not the ledger of the installation that was backed up.
    """
    ledger = Ledger(_url_of(source, home))
    made = {event["backup_id"] for event in ledger.events(BACKUP) if event["event"] == MADE}
    if backup_id not in made:
        ledger.close()
        raise RedsError(
            f"The ledger of {source} knows nothing of this backup, so it is older or belongs to "
            "another installation; name the home that was backed up, or its ledger."
        )
    return ledger


def take_over(newer: Ledger, home: Home, ledger: Ledger) -> list[str]:
    """Take over what people took back or decided after a backup.

    Args:
        newer: Knows it.
        home: The restored home.
        ledger: That of the restored home.

    Returns:
        Hosts whose approval was taken back meanwhile, and which are not approved now: everything
        of theirs has to go.
    """
    revoked_before, erased_before = len(ledger.events(HOST_REVOCATION)), erased_keys(ledger)
    for kind in _CARRIED:
        known = {_as_key(event) for event in ledger.events(kind)}
        ledger.take_over(
            kind, [event for event in newer.events(kind) if _as_key(event) not in known]
        )
    for event in ledger.events(CONTRIBUTION):
        if event["event"] == "deleted":
            remove_contribution(home, event["subject"])
    # Pictures that went for another reason than somebody's wish may come back, but only once
    # their host has shown them again.
    require_confirmation(home, _posts_of(home, erased_keys(ledger) - erased_before))
    revoked = {event["subject"] for event in ledger.events(HOST_REVOCATION)[revoked_before:]}
    return sorted(revoked - {approval["host"] for approval in approvals(ledger)})


def take_over_exports(old: Home, home: Home) -> None:
    """Take over which exports of the data set were made after a backup."""
    known = {export.export_id for export in remembered_exports(home)}
    for export in remembered_exports(old):
        if export.export_id not in known:
            remember(home, export)


def require_confirmation(home: Home, post_keys: Collection[str] | None = None) -> int:
    """Let nothing be learnt from posts until their host has shown them again.

    Args:
        home: The restored home; nobody works on it.
        post_keys: Which posts; None for all.

    Returns:
        How many kept posts there are of them.
    """

    def unconfirmed(row: Row) -> Row:
        if row["status"] != "kept" or (post_keys is not None and row["post_key"] not in post_keys):
            return row
        return row | {"confirmed_at": NEVER_CONFIRMED}

    def in_record(record: Row) -> Row:
        revised = dict(record)
        if record.get("rows"):
            revised["rows"] = [unconfirmed(row) for row in record["rows"]]
        return revised

    # What a sweep had found out before the backup says nothing of now.
    for name in ("recheck", "recheck_sample"):
        for part in partitions(home, name):
            part.journal.delete()
    waiting: set[str] = set()
    for table, journal in _tables_of_posts(home):
        journal.rewrite(in_record)
        rows = read_rows(table, POSTS)
        revised = [unconfirmed(row) for row in rows]
        if revised != rows:
            write_rows(table, revised, POSTS)
        waiting |= {row["post_key"] for row in revised if row["confirmed_at"] == NEVER_CONFIRMED}
    return len(waiting)


def leave_out_given_photos(home: Home, ledger: Ledger) -> int:
    """Delete the photos that people gave, for each of them may have been deleted meanwhile.

    Posts can be looked for again; of these only the ledger knew.

    Returns:
        How many went.
    """
    given = contributions(home)
    for each in given:
        delete_contribution(home, ledger, each.id, "operator")
    return len(given)


def _url_of(source: str, home: Home) -> str:
    if "://" in source:
        return source
    path = Path(source)
    file = path / LEDGER if path.is_dir() else path
    key = path / KEY
    if key.exists() and key.read_bytes() != (home.root / KEY).read_bytes():
        raise RedsError(
            f"{path} has another key than the backup, so it is another installation; name the "
            "home that was backed up, or its ledger."
        )
    if not _is_ledger(file):
        raise RedsError(
            f"{file} is no ledger; name the home that was backed up, its ledger.sqlite, or the "
            "address that REDS_LEDGER_URL had."
        )
    return f"sqlite:///{file.resolve()}"


def _is_ledger(file: Path) -> bool:
    if not file.is_file():
        return False
    try:
        with closing(sqlite3.connect(f"{file.resolve().as_uri()}?mode=rw", uri=True)) as database:
            found = database.execute("SELECT 1 FROM sqlite_master WHERE name = 'events'")
            return found.fetchone() is not None
    except sqlite3.Error:
        return False


def _posts_of(home: Home, erased: Collection[str]) -> frozenset[str]:
    """Return the posts that brought pictures of which the erasure is remembered."""
    if not erased:
        return frozenset()
    return frozenset(
        row["post_key"]
        for part in partitions(home, "images")
        for row in read_rows(part.table, IMAGES)
        if row["sha256"] and erased_key(home.keyed_hash, row["sha256"]) in erased
    )


def _tables_of_posts(home: Home) -> Iterator[tuple[Path, Journal]]:
    for part in partitions(home, "posts"):
        yield part.table, part.journal
    yield home.table("sample_posts"), home.journal("sample", "public")


def _as_key(event: Mapping[str, Any]) -> str:
    return json.dumps(event, sort_keys=True)
