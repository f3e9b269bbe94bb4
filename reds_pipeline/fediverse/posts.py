"""From a host's JSON to one row of the posts table.

What belongs here: what is kept of a post. What does not: whether it may be kept
(``consent.py``, ``authors.py``). A gated post leaves a keyed hash and a reason and nothing else;
a kept one leaves no handle, name, place or bio either, and its address only under a seal, because
it is where the post has to be looked for again before it is learnt from (fediverse.md 5.3).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from reds_pipeline.fediverse.attachments import licence_of, size_of
from reds_pipeline.fediverse.authors import AuthorWishes, author_key
from reds_pipeline.fediverse.consent import (
    ConsentPolicy,
    gate,
    remote_host,
    tag_names,
    usable_attachments,
)
from reds_pipeline.fediverse.web.addresses import origin_of
from reds_pipeline.storage.clock import as_text
from reds_pipeline.storage.keys import KeyedHash
from reds_pipeline.storage.seals import Seal

Row = dict[str, Any]

# The reason of a post, or of its author's, that was withdrawn for good.
WITHDRAWN = "withdrawn"

_LONGEST_ALT_TEXT = 5000


def posted_at(row: Mapping[str, Any]) -> str:
    """Return when a post was made, as far as it can be believed.

    One that claims a day to come counts as of when it was collected, or it would be among the
    newest for ever.

    Args:
        row: Of a post or of one of its pictures, with ``created_at`` and ``collected_at``.
    """
    claimed, seen = row["created_at"] or "", row.get("collected_at") or ""
    return min(claimed, seen) if seen else claimed


@dataclass(frozen=True)
class PostReader:
    """What is the same for every post of one collection.

    Attributes:
        host: The host asked, as people write it.
        policy: What counts as consent.
        key: The pseudonym function of this installation.
        seal: The seal of this installation, for addresses of posts.
        withdrawn: Keyed hashes of posts, accounts, handles and addresses of pictures that were
            withdrawn for good.
        authors: Asked last, and only about authors of posts that passed everything else; None
            where every post says itself what its author wants.
    """

    host: str
    policy: ConsentPolicy
    key: KeyedHash
    seal: Seal
    withdrawn: frozenset[str] = frozenset()
    authors: AuthorWishes | None = None

    def row(self, entity: Mapping[str, Any], query_tag: str, collected_at: str) -> Row:
        """Return the row of one status.

        Args:
            entity: A status with an ``id``, otherwise of any shape.
            query_tag: The tag whose timeline showed it, "" for the public one.
            collected_at: The time of the row.

        Raises:
            HostError: The author has to be asked about and the host as a whole does not answer
                any more (CircuitOpen, BudgetSpent, BotCheck).
        """
        post_id = plain_text(str(entity["id"]))
        row: Row = {
            "post_key": self.key(self.host, post_id),
            "host": self.host,
            "query_tag": query_tag,
            "status": "gated",
            "reason": gate(
                entity,
                self.policy,
                said_elsewhere=AuthorWishes.ANSWERS if self.authors is not None else (),
            ),
            "policy": self.policy.digest,
            "collected_at": collected_at,
            "confirmed_at": "",
            "failed_checks": 0,
            "post_id": "",
            "created_at": "",
            "author_key": "",
            "permalink": "",
            "tags": [],
            "media": [],
        }
        if row["reason"]:
            return row
        account = entity["account"]
        author = author_key(self.key, entity, self.host)
        author_host = remote_host(entity, account) or self.host
        handle = handle_key(self.key, str(account.get("username") or ""), author_host)
        if not self.withdrawn.isdisjoint((row["post_key"], author, handle)):
            return row | {"reason": WITHDRAWN}
        if self.authors is not None and (refusal := self.authors.refusal(entity)):
            return row | {"reason": refusal}
        media = [
            attachment
            for attachment in usable_attachments(entity, self.policy)
            if self.key(attachment["url"]) not in self.withdrawn
        ]
        if not media:
            return row | {"reason": WITHDRAWN}
        return row | {
            "status": "kept",
            "confirmed_at": collected_at,
            "post_id": post_id,
            "created_at": creation_time(entity.get("created_at"), collected_at),
            "author_key": author,
            "permalink": self._sealed_address(entity.get("url") or entity.get("uri")),
            "tags": [plain_text(name) for name in tag_names(entity)],
            "media": [_medium(attachment) for attachment in media],
        }

    def _sealed_address(self, url: Any) -> str:
        """Return the post's own address under the seal, or "" where it has none."""
        try:
            origin_of(url)
        except (ValueError, AttributeError, TypeError):
            return ""
        return self.seal.closed(plain_text(url))


def handle_key(key: KeyedHash, username: str, host: str) -> str:
    """Return the keyed hash of an account by its name, which hosts compare without case."""
    return key("handle", f"{plain_text(username).casefold()}@{host.casefold()}")


def creation_time(value: Any, collected_at: str) -> str:
    """Return when a post was made, in the format of the tables.

    Remote hosts claim any time; one in the future, or that cannot be read, becomes the time of
    collection (fediverse.md 6, trap 10).
    """
    if not isinstance(value, str):
        return collected_at
    try:
        moment = datetime.fromisoformat(value)
        text = as_text(moment if moment.tzinfo else moment.replace(tzinfo=UTC))
    except (ValueError, OverflowError):
        return collected_at
    return min(text, collected_at)


def plain_text(text: str) -> str:
    """Return ``text`` without lone surrogates, which JSON can carry and no file can hold."""
    return text.encode("utf-8", "replace").decode("utf-8")


def _medium(attachment: Mapping[str, Any]) -> Row:
    description = attachment.get("description")
    width, height = size_of(attachment)
    return {
        "media_id": plain_text(str(attachment.get("id") or "")),
        "url": plain_text(attachment["url"]),
        "alt_text": plain_text(description.strip())[:_LONGEST_ALT_TEXT]
        if isinstance(description, str)
        else "",
        "licence": licence_of(attachment),
        "width": width,
        "height": height,
    }
