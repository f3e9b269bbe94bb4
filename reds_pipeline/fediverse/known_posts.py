"""What is known of each post, and which of two rows on one post holds.

What belongs here: taking in what a host shows again: posts that were edited, gated, confirmed,
or judged under another policy. What does not: judging (``posts.py``, ``consent.py``), and when
posts that were not seen again are looked for (``recheck/asking.py``).

A row under the policy of today always replaces one under another, in both directions, except
that a withdrawn post stays withdrawn. Of two rows under one policy the stricter stays: an author
who changed their mind once is not taken at the next word. Rows may come in any order, as a
journal that is read again over newer tables brings them: an older showing changes nothing.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from reds_pipeline.fediverse.posts import WITHDRAWN, Row
from reds_pipeline.fediverse.recheck.rows import REVOCABLE_REASONS

# A post that stands on a page which is read anyway is confirmed by it. Not noted more often than
# this, so that an unchanged instance leaves nothing to write.
CONFIRMATION_HOLDS = timedelta(hours=1)
# What an author can change; the sealed address differs each time it is sealed.
_CONTENT = ("tags", "media")


@dataclass(frozen=True)
class Showing:
    """What some rows add to what is known.

    Attributes:
        changed: Rows to remember in place of what was known of their posts.
        confirmed: Keys of posts that are as they were, which is worth noting.
    """

    changed: list[Row]
    confirmed: list[str]


class KnownPosts:
    """The rows of posts, each post once.

    Args:
        policy: Digest of the consent policy of today.

    Attributes:
        rows: The rows by ``post_key``.
    """

    def __init__(self, policy: str) -> None:
        self._policy = policy
        self.rows: dict[str, Row] = {}

    def news(self, rows: Iterable[Row]) -> Showing:
        """Return what some rows would change; nothing is changed yet."""
        changed, confirmed = [], []
        for row in rows:
            old = self.rows.get(row["post_key"])
            held = successor(old, row, self._policy)
            if held is None:
                continue
            if old is not None and _says_the_same(old, held):
                if _is_worth_noting(old, held):
                    confirmed.append(row["post_key"])
            else:
                changed.append(held)
        return Showing(changed, confirmed)

    def take(self, rows: Iterable[Row]) -> None:
        """Take in rows of tables, of a journal, or of ``news``."""
        for row in rows:
            held = successor(self.rows.get(row["post_key"]), row, self._policy)
            if held is not None:
                self.rows[row["post_key"]] = held

    def confirm(self, post_keys: Iterable[str], moment: str) -> None:
        """Note that the host showed posts as they are known; unknown ones are passed over."""
        for post_key in post_keys:
            row = self.rows.get(post_key)
            if row is not None and row["status"] == "kept" and _shown_at(row) <= moment:
                self.rows[post_key] = row | {"confirmed_at": moment, "failed_checks": 0}


def successor(old: Row | None, shown: Row, policy: str) -> Row | None:
    """Return the row that holds after a post was shown, or None where the old one stands.

    Args:
        old: What was known of the post, None for nothing.
        shown: A row on the same post.
        policy: Digest of the consent policy of today.
    """
    if old is None:
        return shown
    if not _overrules(old, shown, policy):
        return None
    if "gated" in (old["status"], shown["status"]):
        return shown
    # The post is the one that we know: only what the host shows now is new.
    return shown | {"collected_at": old["collected_at"], "query_tag": old["query_tag"]}


def _overrules(old: Row, shown: Row, policy: str) -> bool:
    if old["reason"] == WITHDRAWN:
        return False
    is_older = _shown_at(shown) < _shown_at(old)
    if old["reason"] in REVOCABLE_REASONS:
        # Its host could not answer for it, or would not; now it has.
        return not is_older
    if old["policy"] != shown["policy"]:
        return bool(shown["policy"] == policy) or (old["policy"] != policy and not is_older)
    return old["status"] == "kept" and (shown["status"] == "gated" or not is_older)


def _says_the_same(old: Row, row: Row) -> bool:
    same = (*_CONTENT, "status", "reason", "policy")
    return all(old[column] == row[column] for column in same)


def _is_worth_noting(old: Row, row: Row) -> bool:
    if row["status"] != "kept":
        return False
    since = datetime.fromisoformat(_shown_at(row)) - datetime.fromisoformat(_shown_at(old))
    return bool(old["failed_checks"]) or since >= CONFIRMATION_HOLDS


def _shown_at(row: Row) -> str:
    shown: str = row.get("confirmed_at") or row["collected_at"]
    return shown
