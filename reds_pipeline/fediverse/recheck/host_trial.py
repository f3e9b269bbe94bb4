"""Whether a host that has no answer to any post has one to a post that is there.

What belongs here: taking a post that a timeline shows at this moment and asking for it in the way
in which posts are looked for again. What does not: when a host has to prove itself
(``notes.py``) and looking for posts (``asking.py``). A host that was set up anew, or
has a fault, denies every post that we hold; taken at its word, that would erase them all.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator, Sequence
from itertools import islice
from typing import Any
from urllib.parse import quote

from reds_pipeline.fediverse.hosts import HostProfile
from reds_pipeline.fediverse.recheck.origin_check import STATUSES, OriginCheck
from reds_pipeline.fediverse.recheck.permalinks import read_permalink
from reds_pipeline.fediverse.sources import is_open, public_posts, tag_posts
from reds_pipeline.fediverse.timelines import Page, PagingRules
from reds_pipeline.fediverse.web.client import ApiClient
from reds_pipeline.fediverse.web.failures import (
    BotCheck,
    BudgetSpent,
    CircuitOpen,
    HostError,
    HostUnavailable,
    NotFound,
)

_LOGGER = logging.getLogger(__name__)


def ask_for_what_is_shown(
    client: ApiClient, profile: HostProfile, origin_check: OriginCheck, tags: Sequence[str]
) -> None:
    """Ask a host for a post that one of its timelines shows now.

    Where it shows none at all there is nothing to hold against it, and nothing is asked.

    Args:
        client: The host.
        profile: What ``probe`` found.
        origin_check: How posts are looked for where the API does not show them.
        tags: Timelines to take a post from, beside the public one.

    Raises:
        HostError: It denies what it shows, or fails over that as well.
    """
    entity = _shown_now(client, profile, tags)
    if entity is None:
        return
    try:
        if is_open(client, profile.post):
            path = f"{STATUSES}/{quote(str(entity['id']), safe='')}"
            client.get(path, post_parameters(profile))
        elif permalink := read_permalink(str(entity.get("url"))):
            origin_check.refusal(client, permalink)
    except NotFound as error:
        raise HostUnavailable(
            f"{client.host} denies every post that was looked for, and also one that its own "
            "timeline shows, so that it is not believed; tell its operators, or try again later."
        ) from error
    except (BudgetSpent, BotCheck, HostUnavailable):
        raise
    except HostError as error:
        _LOGGER.info("%s: no post to try: %s", client.host, type(error).__name__)


def post_parameters(profile: HostProfile) -> dict[str, int]:
    """Return the query with which a single post is asked for."""
    # Pixelfed's own shape: Mastodon's leaves out licences (fediverse.md 2.6).
    return {"_pe": 1} if profile.flavour == "pixelfed" else {}


def timeline_pages(
    client: ApiClient, profile: HostProfile, tag: str, *, start: str | None
) -> Iterator[Page]:
    """Return the pages of a timeline, "" for the public one; arguments as ``tag_posts``.

    Raises:
        HostError: As ``tag_posts``.
    """
    rules = PagingRules()
    if tag:
        return tag_posts(client, profile, tag, start=start, rules=rules)
    return public_posts(client, profile, start=start, rules=rules)


def _shown_now(
    client: ApiClient, profile: HostProfile, tags: Sequence[str]
) -> dict[str, Any] | None:
    """Return a post of the host itself that one of its timelines shows now, if any does."""
    for tag in dict.fromkeys(("", *tags)):
        try:
            for page in islice(timeline_pages(client, profile, tag, start=None), 1):
                for entity in page.entities:
                    permalink = read_permalink(str(entity.get("url")))
                    if permalink is not None and permalink.origin == client.origin:
                        return entity
        except (BudgetSpent, BotCheck, CircuitOpen):
            raise
        except HostError as error:
            _LOGGER.info("%s: no timeline to try: %s", client.host, type(error).__name__)
    return None
