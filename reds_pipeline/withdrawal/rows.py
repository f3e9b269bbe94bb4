"""What becomes of rows about posts and pictures that were withdrawn.

What belongs here: pure functions from a row to what may stay of it. What does not: files and
the order of things (``withdraw.py``). Of a withdrawn post there stay its keyed hash and a
reason; of a picture also, until its file is gone, the SHA-256 by which the file is found.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from reds_pipeline.fediverse.media.download import OUTDATED, POST_GATED
from reds_pipeline.fediverse.posts import WITHDRAWN
from reds_pipeline.fediverse.recheck.permalinks import read_permalink
from reds_pipeline.fediverse.recheck.rows import gated_row
from reds_pipeline.storage.keys import KeyedHash
from reds_pipeline.storage.seals import Seal
from reds_pipeline.withdrawal.tombstones import Tombstones, picture_keys

Row = dict[str, Any]

# Reasons of pictures whose file has to go.
ERASED_REASONS = (POST_GATED, WITHDRAWN)

_EMPTIED_PICTURE: Row = {
    "author_key": "",
    "created_at": "",
    "tags": [],
    "alt_text": "",
    "licence": "",
    "url": "",
    "bytes": None,
    "width": None,
    "height": None,
    "perceptual_hash": "",
    "mirrored_hash": "",
    "colour_spread": None,
    "scores": None,
}


@dataclass(frozen=True)
class PostPurge:
    """Takes withdrawn posts out of the posts table and its journals.

    Attributes:
        tombstones: What is withdrawn.
        key: The pseudonym function of this installation.
        seal: The seal of this installation.
        now: The time of the rows that change.
    """

    tombstones: Tombstones
    key: KeyedHash
    seal: Seal
    now: str

    def row(self, row: Row) -> Row:
        """Return what may stay of a row of the posts table."""
        if row["status"] != "kept":
            return row
        if self._covers(row):
            reason = self.tombstones.reasons.get(row["post_key"], WITHDRAWN)
            return gated_row(row, reason, self.now)
        media = [
            medium for medium in row["media"] if self.key(medium["url"]) not in self.tombstones.keys
        ]
        if len(media) == len(row["media"]):
            return row
        return row | {"media": media} if media else gated_row(row, WITHDRAWN, self.now)

    def record(self, record: Row) -> Row:
        """Return what may stay of a journal's record with rows of the posts table."""
        revised = dict(record)
        if record.get("rows"):
            revised["rows"] = [self.row(row) for row in record["rows"]]
        if record.get("row"):
            revised["row"] = self.row(record["row"])
        return revised

    def _covers(self, row: Row) -> bool:
        if not self.tombstones.keys.isdisjoint((row["post_key"], row["author_key"])):
            return True
        # Opening seals costs most of the time here, and most withdrawals need none opened.
        if not (row["permalink"] and (self.tombstones.handles or self.tombstones.addresses)):
            return False
        try:
            permalink = read_permalink(self.seal.opened(row["permalink"]))
        except ValueError:
            return False
        if permalink is None:
            return False
        at_origin = {self.key(host, permalink.post_id) for host in permalink.hosts}
        return not (
            self.tombstones.addresses.isdisjoint(at_origin)
            and self.tombstones.handles.isdisjoint(permalink.handle_keys(self.key))
        )


class ShownPictures:
    """Which pictures the posts of all classes show now.

    A post that names two classes has a row in each; the later judgement counts, and of two at
    the same time the stricter.
    """

    def __init__(self, key: KeyedHash) -> None:
        self._key = key
        self._judged: dict[str, tuple[str, bool, frozenset[str]]] = {}

    def add(self, row: Row) -> None:
        """Take in a row of the posts table; of a post that was let go nothing is left to judge."""
        if row["reason"] == OUTDATED:
            return
        kept = row["status"] == "kept"
        at = (row["confirmed_at"] if kept else "") or row["collected_at"]
        media = frozenset(self._key(medium["url"]) for medium in row["media"] or ())
        before = self._judged.get(row["post_key"])
        if before is None or (at, not kept) >= before[:2]:
            self._judged[row["post_key"]] = (at, not kept, media)

    def settle(self) -> None:
        """Find out which posts show each picture, once all rows are in."""
        self._posts_of: dict[str, set[str]] = defaultdict(set)
        for post_key, (_, gated, media) in self._judged.items():
            for media_key in media if not gated else ():
                self._posts_of[media_key].add(post_key)

    def is_gated(self, post_key: str) -> bool:
        """Say whether a post is known and may not be used."""
        return self._judged.get(post_key, ("", False))[1]

    def is_shown(self, row: Row) -> bool:
        """Say whether the post of a picture's row still shows it, as far as anybody knows."""
        return (
            row["post_key"] not in self._judged
            or row["post_key"] in self._posts_of[row["media_key"]]
        )

    def is_shown_elsewhere(self, row: Row) -> bool:
        """Say whether another post shows the picture of a row at the same address."""
        return bool(self._posts_of[row["media_key"]] - {row["post_key"]})


@dataclass(frozen=True)
class PicturePurge:
    """Takes withdrawn pictures out of the images table and its journal.

    Attributes:
        tombstones: What is withdrawn.
        key: The pseudonym function of this installation.
        shown: What posts show now.
    """

    tombstones: Tombstones
    key: KeyedHash
    shown: ShownPictures

    def row(self, row: Row) -> Row | None:
        """Return what may stay of a row of the images table, or None for nothing.

        A row goes altogether where another post shows the same picture: the next collection
        fetches it for that one.
        """
        reason = self._reason(row)
        if not reason:
            return row
        if (
            row["status"] == "stored"
            and self.shown.is_shown_elsewhere(row)
            and self.tombstones.keys.isdisjoint(self._names(row))
        ):
            return None
        return row | _EMPTIED_PICTURE | {"status": "rejected", "reason": reason}

    def _reason(self, row: Row) -> str:
        if row["reason"] in ERASED_REASONS and not row["url"]:
            return row["reason"]
        if not self.tombstones.keys.isdisjoint(self._names(row)):
            return WITHDRAWN
        if not self.tombstones.keys.isdisjoint((row["post_key"], row["author_key"])):
            return POST_GATED
        if self.shown.is_gated(row["post_key"]):
            return POST_GATED
        # Its post lives on without it, by an edit or another licence policy; as after a gate, it
        # is fetched again should the post show it again.
        return "" if self.shown.is_shown(row) else POST_GATED

    def _names(self, row: Row) -> frozenset[str]:
        """Return the keyed hashes of the picture itself."""
        of_contents = picture_keys(self.key, row["sha256"] or "", row["perceptual_hash"] or "")
        # The mirror image of a withdrawn picture shows the same.
        mirrored = picture_keys(self.key, "", row.get("mirrored_hash") or "")
        return of_contents | mirrored | {row["media_key"]}


def without_names(rows: Sequence[Row], gone: frozenset[str], columns: Sequence[str]) -> list[Row]:
    """Return rows whose groups are no longer named after a picture that is gone.

    Args:
        rows: Rows with a ``sha256``, those of pictures that are gone left out.
        gone: SHA-256 of pictures that are gone.
        columns: Columns that name a group by its smallest SHA-256.
    """
    names: dict[tuple[str, str], str] = {}
    for row in rows:
        for column in columns:
            group = (column, row[column])
            if row[column] in gone:
                names[group] = min(names.get(group, row["sha256"]), row["sha256"])
    return [
        row | {column: names.get((column, row[column]), row[column]) for column in columns}
        for row in rows
    ]


def without_keepers(rows: Sequence[Row], gone: frozenset[str]) -> list[Row]:
    """Return rows that no longer say that a picture which is gone stayed instead of them.

    Args:
        rows: Rows with a ``keeper``.
        gone: SHA-256 of pictures that are gone.
    """
    return [row | {"keeper": ""} if row["keeper"] in gone else row for row in rows]
