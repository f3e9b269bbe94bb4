"""How far a timeline has been walked, so that the next walk starts there.

What belongs here: the cursor, and joining stretches that have met. What does not: walking
(``timelines.py``, ``collection.py``).

A cursor is one stretch of a timeline without a gap. Usually a tag has one; it has two while a
walk from the newest post has not yet come down to where an earlier walk began. Only ids of kept
posts become ends of a stretch, because nothing of a gated post is written down but the keyed
hash that its row has too; a resumed walk may therefore see a few gated posts again, which
changes nothing. That hash is how a later walk recognises where this one began, also where the
newest posts, or all of them, were gated.

An end that was concluded from empty pages may be none: a host may have filtered more posts than
one looks past. Such an end is looked at again once a week, by a run that wants more posts, at
the price of the requests that found it (one and at most three made-up cursors).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any

from reds_pipeline.fediverse.posts import Row
from reds_pipeline.fediverse.timelines import Page, id_order

_A_GUESS_HOLDS = timedelta(days=7)


@dataclass(frozen=True)
class Cursor:
    """One stretch of a tag's timeline that was walked.

    Attributes:
        tag: The hashtag asked for, "" for the public timeline.
        newest_id: Id of the newest kept post of the stretch, "" where none was kept.
        oldest_id: Id of the oldest kept post of the stretch, "" where none was kept.
        exhausted: Whether nothing lies below it.
        newest_key: Keyed hash of the newest post of the stretch, kept or gated.
        host: Host whose timeline it is; ids mean nothing on another.
        policy: Digest of the consent policy under which its posts were judged.
        looked_at: Where it is exhausted by guesswork, when that was; "" otherwise.
        walked_at: When a walk last began at the newest post of the timeline and came down to the
            stretch: until then every post above its oldest one was seen. "" where no walk has.
    """

    tag: str
    newest_id: str = ""
    oldest_id: str = ""
    exhausted: bool = False
    newest_key: str = ""
    host: str = ""
    policy: str = ""
    looked_at: str = ""
    # Looking without finding anything new changes nothing else.
    walked_at: str = field(default="", compare=False)

    def row(self) -> dict[str, Any]:
        """Return the row of the cursors table; ``Cursor(**row)`` reads it back."""
        return asdict(self)

    def goes_on_below(self, now: str) -> bool:
        """Say whether it is worth looking for posts below the stretch.

        Args:
            now: The time, in the format of the tables.
        """
        if not self.exhausted:
            return True
        if not self.looked_at:
            return False
        return datetime.fromisoformat(now) - datetime.fromisoformat(self.looked_at) > _A_GUESS_HOLDS


def by_tag(cursors: Iterable[Cursor]) -> dict[str, list[Cursor]]:
    """Return the stretches of each tag, newest first."""
    found: dict[str, list[Cursor]] = {}
    for cursor in cursors:
        found.setdefault(cursor.tag, []).append(cursor)
    for stretches in found.values():
        stretches.sort(key=lambda stretch: id_order(stretch.newest_id), reverse=True)
    return found


def extended(stretch: Cursor, rows: Sequence[Row], page: Page, now: str) -> Cursor:
    """Return a stretch grown downwards by one page.

    Args:
        stretch: The stretch above the page.
        rows: The rows of the page, in the order of the host.
        page: The page.
        now: The time, in the format of the tables.
    """
    kept = [row["post_id"] for row in rows if row["status"] == "kept"]
    return replace(
        stretch,
        # Not simply the first: hosts list a post that got its tag late among the newest.
        newest_id=stretch.newest_id or max(kept, key=id_order, default=""),
        oldest_id=kept[-1] if kept else stretch.oldest_id,
        exhausted=page.exhausted,
        newest_key=stretch.newest_key or (rows[0]["post_key"] if rows else ""),
        looked_at=now if page.exhausted and page.guessed else "",
    )


def joined(newer: Cursor, older: Cursor) -> Cursor:
    """Return the one stretch that two make once the newer has come down to the older."""
    ends = [end for end in (newer.oldest_id, older.oldest_id) if end]
    return replace(
        newer,
        newest_id=newer.newest_id or older.newest_id,
        oldest_id=min(ends, key=id_order, default=""),
        exhausted=older.exhausted or newer.exhausted,
        newest_key=newer.newest_key or older.newest_key,
        looked_at=older.looked_at if older.exhausted else newer.looked_at,
    )


def shortened(stretch: Cursor, oldest_id: str) -> Cursor | None:
    """Return a stretch without what lies below ``oldest_id``, or None where nothing is left.

    For rows that were given up: should they be wanted again, a walk must come by them again.
    """
    if id_order(stretch.newest_id) < id_order(oldest_id):
        return None
    if id_order(stretch.oldest_id) >= id_order(oldest_id):
        return stretch
    return replace(stretch, oldest_id=oldest_id, exhausted=False, looked_at="")
