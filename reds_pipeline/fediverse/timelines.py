"""Walking a timeline from new to old, one page at a time, with an end under every quirk.

What belongs here: what to ask for and when to stop. What does not: judging the posts
(``consent.py``) and remembering how far a walk came (``walks.py``). The rules are those of
fediverse.md 2.3, 2.4 and 3.3: ``Link`` headers and short pages prove nothing, so the next page
starts below the last id seen, and the walk ends on an empty page, on a page without a new id,
or when the page budget is spent.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, Literal
from urllib.parse import quote

from reds_pipeline.fediverse.client import ApiClient
from reds_pipeline.fediverse.failures import HostUnavailable
from reds_pipeline.fediverse.hosts import PUBLIC_TIMELINE, TAG_TIMELINE, HostProfile

# Both servers silently cut larger limits to this (fediverse.md 6, trap 23).
LARGEST_PAGE = 40
_DAY_MILLISECONDS = 24 * 3600 * 1000
# Pixelfed ids hold the milliseconds since its epoch above 22 bits (fediverse.md 2.4).
_PIXELFED_SHIFT = 22

Entity = dict[str, Any]


@dataclass(frozen=True)
class PagingRules:
    """How far a walk may go.

    Attributes:
        limit: Posts to ask for per page, 1 to 40.
        max_pages: Requests that one walk may cost.
        synthetic_cursors: Empty pages of a Pixelfed tag timeline in a row that are stepped over
            by a day each: it looks at 100 rows at a time and may filter all of them.
        feed: Posts of the host itself, or also those it got from others.
    """

    limit: int = LARGEST_PAGE
    max_pages: int = 150
    synthetic_cursors: int = 3
    feed: Literal["local", "federated"] = "local"


@dataclass(frozen=True)
class Page:
    """What one request brought.

    Attributes:
        entities: The posts not seen before in this walk, newest first.
        cursor: Where the next page starts, None where there is none.
        exhausted: Whether the timeline ends here, as far as anybody can tell.
    """

    entities: list[Entity] = field(default_factory=list)
    cursor: str | None = None
    exhausted: bool = False


def public_timeline(
    client: ApiClient,
    profile: HostProfile,
    *,
    start: str | None = None,
    rules: PagingRules | None = None,
) -> Iterator[Page]:
    """Yield the newest posts of a host.

    Args:
        client: The host.
        profile: What ``probe`` found.
        start: Only posts below this id; None starts with the newest.
        rules: How far to go.

    Raises:
        HostError: The host does not give a page.
    """
    rules = rules or PagingRules()
    parameters: dict[str, str | int] = {"local": "true", "only_media": "true"}
    if profile.flavour == "pixelfed":
        # Its switches add up: none is local, remote alone is remote only (fediverse.md 2.3).
        parameters = {"local": 1, "_pe": 1}
        if rules.feed == "federated":
            parameters["remote"] = 1
    elif rules.feed == "federated":
        del parameters["local"]
    return _walk(client, PUBLIC_TIMELINE, parameters, start=start, rules=rules, leaps=0)


def tag_timeline(
    client: ApiClient,
    profile: HostProfile,
    tag: str,
    *,
    start: str | None = None,
    rules: PagingRules | None = None,
) -> Iterator[Page]:
    """Yield the newest posts that carry a hashtag; arguments as ``public_timeline``.

    Args:
        client: The host.
        profile: What ``probe`` found.
        tag: The hashtag in one spelling, without ``#``.
        start: Only posts below this id; None starts with the newest.
        rules: How far to go.

    Raises:
        HostError: The host does not give a page.
    """
    rules = rules or PagingRules()
    pixelfed = profile.flavour == "pixelfed"
    parameters: dict[str, str | int] = {"only_media": "true"}
    if pixelfed:
        parameters = {"_pe": 1}
    elif rules.feed == "local":
        parameters["local"] = "true"
    leaps = rules.synthetic_cursors if pixelfed else 0
    path = f"{TAG_TIMELINE}{quote(tag, safe='')}"
    return _walk(client, path, parameters, start=start, rules=rules, leaps=leaps)


def day_earlier(cursor: str) -> str | None:
    """Return the Pixelfed id of a day before ``cursor``, or None where there is none."""
    if not cursor.isdecimal() or not cursor.isascii():
        return None
    milliseconds = (int(cursor) >> _PIXELFED_SHIFT) - _DAY_MILLISECONDS
    return str(milliseconds << _PIXELFED_SHIFT) if milliseconds > 0 else None


def id_order(post_id: str) -> tuple[int, str]:
    """Return a sort key by which newer ids are larger.

    Ids are opaque texts (snowflakes, ULIDs, base-62), for which Mastodon's guidelines give this
    order: by length, then as text.
    """
    return (len(post_id), post_id)


def _walk(
    client: ApiClient,
    path: str,
    parameters: dict[str, str | int],
    *,
    start: str | None,
    rules: PagingRules,
    leaps: int,
) -> Iterator[Page]:
    cursor = start
    seen: set[str] = set()
    leaps_left = leaps
    for _ in range(rules.max_pages):
        query = {**parameters, "limit": max(1, min(rules.limit, LARGEST_PAGE))}
        if cursor is not None:
            query["max_id"] = cursor
        entities = _posts(client.get(path, query), f"{client.host}{path}")
        fresh = _not_in(seen, entities)
        if not entities and cursor is not None and leaps_left > 0:
            cursor = day_earlier(cursor)
            leaps_left -= 1
            if cursor is not None:
                continue
        last = str(entities[-1]["id"]) if entities else None
        if not fresh or last == cursor:
            yield Page(fresh, None, exhausted=True)
            return
        leaps_left = leaps
        cursor = last
        yield Page(fresh, cursor)


def _posts(answer: Any, address: str) -> list[Entity]:
    """Return the items of a page that can be posts: objects with an id."""
    if not isinstance(answer, list):
        # To take it for an empty page would record that the timeline ends here.
        raise HostUnavailable(
            f"{address} sent something other than a list of posts; try again later, and check "
            "that the address is that of a Pixelfed or Mastodon host."
        )
    return [
        item
        for item in answer
        if isinstance(item, dict) and isinstance(item.get("id"), str | int) and str(item["id"])
    ]


def _not_in(seen: set[str], entities: list[Entity]) -> list[Entity]:
    """Return the posts whose id is not in ``seen``, each once, and add them to it."""
    fresh = []
    for entity in entities:
        post_id = str(entity["id"])
        if post_id not in seen:
            seen.add(post_id)
            fresh.append(entity)
    return fresh
