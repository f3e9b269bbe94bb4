"""Looking for a post at its own address, as anybody may, in ActivityPub.

What belongs here: asking the host where a post was made whether it is still there, still open
and its author still willing. What does not: which posts to ask about (``asking.py``). A relay
keeps stale copies, and Pixelfed shows guests nothing else (fediverse.md 1, 5.3), so this is the
last word on posts of other hosts and the only one without a token.

A Note tells less than the REST API: no licence, and of the author what the actor says.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any
from urllib.parse import quote, urlsplit

from reds_pipeline.fediverse.authors import UNSAID, actor_refusal
from reds_pipeline.fediverse.consent import ConsentPolicy, gate, has_denied_tag, usable_attachments
from reds_pipeline.fediverse.hosts import ACTIVITY_JSON, actor_path
from reds_pipeline.fediverse.recheck.permalinks import Permalink
from reds_pipeline.fediverse.web.addresses import origin_of
from reds_pipeline.fediverse.web.client import ApiClient
from reds_pipeline.fediverse.web.failures import (
    AuthenticationRequired,
    BadRequest,
    BotCheck,
    HostRefused,
    HostUnavailable,
    NotFound,
)

NOT_PUBLIC = "not_public"
STATUSES = "/api/v1/statuses"

_PIXELFED_POST = re.compile(r"/p/[^/]+/[^/]+")
_EVERYBODY = frozenset({"https://www.w3.org/ns/activitystreams#Public", "as:Public", "Public"})


@dataclass(frozen=True)
class Seen:
    """What a post's own address says of it.

    Attributes:
        reason: Why it may not be used any more, a slug of ``consent.REASONS``, or "".
        pictures: Addresses of the pictures that it shows, "" for one without; empty where there
            is a reason.
    """

    reason: str = ""
    pictures: tuple[str, ...] = ()


class OriginCheck:
    """Asks hosts about posts, and about each author once.

    Args:
        policy: What counts as consent. A Note carries no licence: what was read of it when the
            post was collected still counts.
    """

    def __init__(self, policy: ConsentPolicy) -> None:
        self._policy = replace(policy, allowed_licences=None)
        self._authors: dict[str, str] = {}

    def refusal(self, client: ApiClient, permalink: Permalink) -> str:
        """Return why a post may not be used any more, or ""; arguments and errors as ``seen``."""
        return self.seen(client, permalink).reason

    def seen(self, client: ApiClient, permalink: Permalink) -> Seen:
        """Return whether a post may still be used, and what it shows.

        Args:
            client: Of the host in the permalink; a token is not sent along.
            permalink: The post.

        Raises:
            NotFound: The post is gone.
            HostError: The host does not say.
        """
        try:
            note = self._note(client, permalink)
        except AuthenticationRequired:
            if _is_pixelfed(permalink):
                return Seen(NOT_PUBLIC)
            # Mastodon may want ActivityPub requests signed, and answers its own API all the same.
            return self._by_api(client, permalink)
        except BotCheck:
            raise
        except HostRefused:
            # In place of the posts of a suspended author Pixelfed hands out a page, with status
            # 200; the author's actor says what it means.
            reason = self._reason_of_author(client, _actor_path_of(permalink))
            if not reason or reason == UNSAID:
                raise
            return Seen(reason)
        reason = note_refusal(note, self._policy) or self._author_refusal(client, note)
        if reason:
            return Seen(reason)
        shown = filter(_is_picture, _objects(note.get("attachment")))
        return Seen(pictures=tuple(map(_address_of, shown)))

    def _note(self, client: ApiClient, permalink: Permalink) -> Mapping[str, Any]:
        if _is_pixelfed(permalink):
            # With this Accept a deleted post is a 404; asked for JSON it is a 500, which newer
            # versions may word in another way (fediverse.md 2.8).
            path = f"{permalink.path}.json"
            try:
                note = client.get(path, anonymous=True, accept="*/*")
            except BotCheck:
                raise
            except HostRefused:
                # A 403 as a web page may be about the post or about us; as JSON it is the post.
                note = client.get(path, anonymous=True, accept=ACTIVITY_JSON)
        else:
            note = client.get(permalink.path, anonymous=True, accept=ACTIVITY_JSON)
        if not isinstance(note, dict):
            raise HostUnavailable(
                f"{client.host} sent something other than a post; try again later."
            )
        if note.get("type") == "Tombstone":
            raise NotFound(f"{client.host} says that a post was deleted.")
        return note

    def _by_api(self, client: ApiClient, permalink: Permalink) -> Seen:
        path = f"{STATUSES}/{quote(permalink.post_id, safe='')}"
        entity = client.get(path, anonymous=True)
        if not isinstance(entity, dict):
            raise HostUnavailable(
                f"{client.host} sent something other than a post; try again later."
            )
        if reason := gate(entity, self._policy):
            return Seen(reason)
        return Seen(pictures=tuple(map(_address_of, usable_attachments(entity, self._policy))))

    def _author_refusal(self, client: ApiClient, note: Mapping[str, Any]) -> str:
        path = _actor_path(client, note.get("attributedTo"))
        reason = self._reason_of_author(client, path)
        if reason == UNSAID:
            strict = self._policy.require_indexable == "strict"
            return "account_not_indexable" if strict else ""
        return reason

    def _reason_of_author(self, client: ApiClient, path: str) -> str:
        author = f"{client.origin}{path}"
        if author not in self._authors:
            self._authors[author] = self._asked(client, path) if path else UNSAID
        return self._authors[author]

    def _asked(self, client: ApiClient, path: str) -> str:
        try:
            actor = client.get(path, anonymous=True, accept=ACTIVITY_JSON)
        except NotFound:
            return "account_suspended"
        except BotCheck:
            raise
        except (AuthenticationRequired, BadRequest, HostRefused):
            return UNSAID
        return actor_refusal(actor, self._policy) if isinstance(actor, dict) else UNSAID


def note_refusal(note: Mapping[str, Any], policy: ConsentPolicy) -> str:
    """Return why an ActivityPub Note of any shape may not be used, or "" (fediverse.md 5.1)."""
    if _EVERYBODY.isdisjoint(_texts(note.get("to"))):
        return NOT_PUBLIC
    if note.get("sensitive") not in (False, None):
        return "sensitive"
    if note.get("summary"):
        return "spoiler"
    if note.get("inReplyTo") is not None:
        return "reply"
    names = [tag.get("name") for tag in _objects(note.get("tag"))]
    texts = [name for name in names if isinstance(name, str)]
    if has_denied_tag(texts, (note.get("content"),), policy):
        return "denied_tag"
    return "" if any(map(_is_picture, _objects(note.get("attachment")))) else "no_image"


def _is_pixelfed(permalink: Permalink) -> bool:
    return _PIXELFED_POST.fullmatch(permalink.path) is not None


def _is_picture(attachment: Mapping[str, Any]) -> bool:
    media_type = attachment.get("mediaType")
    if isinstance(media_type, str):
        return media_type.startswith("image/")
    return attachment.get("type") == "Image"


def _address_of(attachment: Mapping[str, Any]) -> str:
    url = attachment.get("url")
    return url if isinstance(url, str) else ""


def _actor_path(client: ApiClient, attributed_to: Any) -> str:
    """Return the path of the author on the host of the post, or "" where it is not there."""
    for address in _texts(attributed_to):
        try:
            parts = urlsplit(address)
            if origin_of(address) == client.origin and not parts.path.startswith("//"):
                return parts.path
        except ValueError:
            continue
    return ""


def _actor_path_of(permalink: Permalink) -> str:
    """Return the path of the author of a post on Pixelfed, "" elsewhere."""
    if not _is_pixelfed(permalink) or permalink.username in {"", ".", ".."}:
        return ""
    return actor_path(permalink.username)


def _texts(value: Any) -> list[str]:
    """Return the addresses in a property that holds one or several, as text or as objects."""
    found = []
    for item in value if isinstance(value, list) else [value]:
        address = item.get("id") if isinstance(item, dict) else item
        if isinstance(address, str):
            found.append(address)
    return found


def _objects(value: Any) -> Iterator[Mapping[str, Any]]:
    for item in value if isinstance(value, list) else [value]:
        if isinstance(item, dict):
            yield item
