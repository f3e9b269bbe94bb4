"""Which posts have to be asked about again, and what the posts table says afterwards.

What belongs here: pure functions on rows of the posts table. What does not: asking
(``asking.py``).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any, Literal

from reds_pipeline.storage.clock import as_text

Row = dict[str, Any]
Outcome = Literal["confirmed", "changed", "gone", "failed"]

POST_DELETED = "post_deleted"
RECHECK_FAILED = "recheck_failed"
REMOTE_ORIGIN = "remote_origin"
# The reason of posts that a host closed or lost together with most others.
MASS_REMOVAL = "mass_removal"
# The reason of posts whose host is not approved any more.
HOST_REVOKED = "host_revoked"
# Reasons that speak of a host or of the operator and not of the post or its author.
REVOCABLE_REASONS = frozenset({RECHECK_FAILED, REMOTE_ORIGIN, MASS_REMOVAL, HOST_REVOKED})

# From so many posts, of so many people, and so large a share of those asked about, it is the host
# that has changed rather than all of them who took their posts back on the same day.
_MASS_POSTS = 20
_MASS_AUTHORS = 10
_MASS_SHARE = 0.5

# Failing sweeps after which a post counts as gone (fediverse.md 5.3).
_MOST_FAILURES = 2


@dataclass(frozen=True)
class Check:
    """What was found out about one post.

    Attributes:
        post_key: The post.
        outcome: ``confirmed``, ``changed`` (a gate is closed now), ``gone`` or ``failed``.
        reason: Why it may not be used, "" where it may.
        row: Its row as it was read now, None where only its address was looked at.
        at: When, in the format of the tables.
        at_origin: Whether the host where the post was made was asked, and not the one that
            showed it.
    """

    post_key: str
    outcome: Outcome
    reason: str = ""
    row: Row | None = None
    at: str = ""
    at_origin: bool = False


def stale(rows: Iterable[Row], *, now: datetime, hours: float, policy_digest: str) -> list[Row]:
    """Return the kept posts that have to be asked about, the longest unconfirmed first.

    Args:
        rows: Rows of the posts table.
        now: The present moment, aware.
        hours: How long a confirmation counts.
        policy_digest: Of the policy in force; posts judged under another are asked about too.
    """
    since = as_text(now - timedelta(hours=hours))
    found = [
        row
        for row in rows
        if row["status"] == "kept" and (_confirmed(row) < since or row["policy"] != policy_digest)
    ]
    return sorted(found, key=_confirmed)


def still_shown(media: Sequence[Row], pictures: Sequence[str]) -> list[Row]:
    """Return the pictures of a post that its own address still shows.

    A relay may keep copies at addresses of its own. Then only their number can be compared, and
    of fewer nobody knows which its author has taken out.

    Args:
        media: Of the row of the post.
        pictures: Addresses of the pictures that the post shows, "" for an unknown one.
    """
    left = [medium for medium in media if medium["url"] in pictures]
    if left or len(pictures) < len(media):
        return left
    return list(media)


def updated_rows(rows: Iterable[Row], checks: Iterable[Check], now: str) -> list[Row]:
    """Return the posts table after a sweep.

    Confirmed posts carry their new content, if it was read, and the time of the check; what is
    changed, gone or has failed twice in a row is gated and keeps nothing but its keyed hash.

    Args:
        rows: The posts table.
        checks: What ``recheck_posts`` returned.
        now: The time of the update, for checks that carry none.
    """
    found = {check.post_key: check for check in checks}
    return [_updated(row, found.get(row["post_key"]), now) for row in rows]


def mass_removal(rows: Iterable[Row], checks: Iterable[Check]) -> frozenset[str]:
    """Return the keys of the posts that a host lost or closed together with most others, if any.

    A host that says of most posts at once that they are gone or closed was reinstalled, has a
    fault, or shuts down. It is obeyed all the same, because nobody can tell these from people
    who mean it; but such a post may come back should its host show it again, for a fault must
    not bar everybody for ever. What an origin says counts as ever: a relay would go on showing
    the copy.

    Args:
        rows: The posts of one host before a sweep, from all tables.
        checks: What ``recheck_posts`` returned for all tables.
    """
    authors = {row["post_key"]: row["author_key"] for row in rows if row["status"] == "kept"}
    outcomes = {
        check.post_key: check.outcome
        for check in checks
        if check.post_key in authors and not check.at_origin
    }
    removed = frozenset(
        post_key for post_key, outcome in outcomes.items() if outcome in {"gone", "changed"}
    )
    if (
        len(removed) < _MASS_POSTS
        or len(removed) <= _MASS_SHARE * len(outcomes)
        or len({authors[post_key] for post_key in removed}) < _MASS_AUTHORS
    ):
        return frozenset()
    return removed


def as_mass_removal(check: Check) -> Check:
    """Return the check of a post that went with most others, with the reason that says so."""
    row = check.row and check.row | {"reason": MASS_REMOVAL}
    return replace(check, reason=MASS_REMOVAL, row=row)


def lasting_withdrawals(rows: Iterable[Row], checks: Iterable[Check]) -> dict[str, str]:
    """Return ``post_key`` to reason for posts that must not come back.

    Those are the deleted ones and those that their author or host has closed. A post that only
    the operator's new policy or list of approved hosts closes may come back with the next one,
    and one that could not be asked about, or went with most others, may come back with its host.
    """
    policies = {row["post_key"]: row["policy"] for row in rows}
    return {
        check.post_key: check.reason
        for check in checks
        if check.reason not in REVOCABLE_REASONS
        and (
            check.outcome == "gone"
            or (
                check.outcome == "changed"
                and check.row is not None
                and check.row["policy"] == policies.get(check.post_key)
            )
        )
    }


def gated_row(row: Row, reason: str, now: str) -> Row:
    """Return what may stay of a post that must not be used: keyed hash, host and reason."""
    return {
        "post_key": row["post_key"],
        "host": row["host"],
        "query_tag": row["query_tag"],
        "status": "gated",
        "reason": reason,
        "policy": row["policy"],
        "collected_at": now,
        "confirmed_at": "",
        "failed_checks": 0,
        "post_id": "",
        "created_at": "",
        "author_key": "",
        "permalink": "",
        "tags": [],
        "media": [],
    }


def _updated(row: Row, check: Check | None, now: str) -> Row:
    if check is None or row["status"] != "kept":
        return row
    at = check.at or now
    if check.outcome == "confirmed":
        return (check.row or row) | {
            "query_tag": row["query_tag"],
            "collected_at": row["collected_at"],
            "confirmed_at": at,
            "failed_checks": 0,
        }
    if check.outcome == "failed":
        failures = (row["failed_checks"] or 0) + 1
        if failures < _MOST_FAILURES:
            return row | {"failed_checks": failures}
    gated = check.row or gated_row(row, check.reason, at)
    return gated | {"query_tag": row["query_tag"]}


def _confirmed(row: Row) -> str:
    return str(row["confirmed_at"] or row["collected_at"])
