"""How far a timeline has been walked, so that the next walk starts there.

What belongs here: the cursor, and joining stretches that have met. What does not: walking
(``timelines.py``, ``collection.py``).

A cursor is one stretch of a timeline without a gap. Usually a tag has one; it has two while a
walk from the newest post has not yet come down to where an earlier walk began. Only ids of kept
posts become ends of a stretch: of a gated post nothing is written down, not even as a place in
a list. The cost is that a resumed walk may see a few gated posts again, which changes nothing.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict, dataclass
from typing import Any

from reds_pipeline.fediverse.timelines import id_order


@dataclass(frozen=True)
class Cursor:
    """One stretch of a tag's timeline that was walked.

    Attributes:
        tag: The hashtag asked for, "" for the public timeline.
        newest_id: Id of the newest kept post of the stretch, "" where none was kept.
        oldest_id: Id of the oldest kept post of the stretch, "" where none was kept.
        exhausted: Whether nothing lies below it.
    """

    tag: str
    newest_id: str = ""
    oldest_id: str = ""
    exhausted: bool = False

    def row(self) -> dict[str, Any]:
        """Return the row of the cursors table; ``Cursor(**row)`` reads it back."""
        return asdict(self)


def by_tag(cursors: Iterable[Cursor]) -> dict[str, list[Cursor]]:
    """Return the stretches of each tag, newest first."""
    found: dict[str, list[Cursor]] = {}
    for cursor in cursors:
        found.setdefault(cursor.tag, []).append(cursor)
    for stretches in found.values():
        stretches.sort(key=lambda stretch: id_order(stretch.newest_id), reverse=True)
    return found


def extended(stretch: Cursor, kept_ids: list[str], exhausted: bool) -> Cursor:
    """Return a stretch grown downwards by the kept posts of one page, newest first."""
    if not kept_ids:
        return Cursor(stretch.tag, stretch.newest_id, stretch.oldest_id, exhausted)
    return Cursor(stretch.tag, stretch.newest_id or kept_ids[0], kept_ids[-1], exhausted)


def joined(newer: Cursor, older: Cursor) -> Cursor:
    """Return the one stretch that two make once the newer has come down to the older."""
    ends = [end for end in (newer.oldest_id, older.oldest_id) if end]
    return Cursor(
        tag=newer.tag,
        newest_id=newer.newest_id or older.newest_id,
        oldest_id=min(ends, key=id_order, default=""),
        exhausted=older.exhausted or newer.exhausted,
    )
