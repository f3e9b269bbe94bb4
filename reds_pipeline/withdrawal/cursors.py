"""What becomes of cursors that end at a post which was withdrawn.

What belongs here: a pure function on rows of the cursors tables. What does not: files and the
order of things (``steps.py``). A cursor names the first and last post of a walk by
their ids; of a post that is gated since, nothing may stay but its keyed hash.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from reds_pipeline.fediverse.timelines import id_order
from reds_pipeline.storage.keys import KeyedHash

Row = dict[str, Any]


class CursorPurge:
    """Takes ids of gated posts out of cursors.

    Args:
        key: The pseudonym function of this installation.
        posts: Rows of the posts that were found on the way, as they will be.
    """

    def __init__(self, key: KeyedHash, posts: Sequence[Row]) -> None:
        self._key = key
        self._gated = {row["post_key"] for row in posts if row["status"] != "kept"}
        self._kept = [(row["host"], row["post_id"]) for row in posts if row["status"] == "kept"]

    def row(self, row: Row) -> Row:
        """Return a cursor that ends at kept posts.

        It becomes shorter by a few posts, which the next walk may see once more.
        """
        host, ends = row["host"] or "", (row["newest_id"], row["oldest_id"])
        if not any(end and self._key(host, end) in self._gated for end in ends):
            return row
        newest, oldest = map(id_order, ends)
        inside = sorted(
            (
                post_id
                for host_of_post, post_id in self._kept
                if host_of_post == host and oldest <= id_order(post_id) <= newest
            ),
            key=id_order,
        )
        return row | {
            "newest_id": inside[-1] if inside else "",
            "oldest_id": inside[0] if inside else "",
        }

    def record(self, record: Row) -> Row:
        """Return a journal's record whose cursors end at kept posts."""
        if not record.get("cursors"):
            return record
        return record | {"cursors": [self.row(row) for row in record["cursors"]]}
