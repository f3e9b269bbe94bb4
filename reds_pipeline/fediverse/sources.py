"""Where the posts of a host can be had, by what it allows us.

What belongs here: choosing the way to posts from what ``hosts.probe`` found (fediverse.md 1).
What does not: walking them (``timelines.py``).
"""

from __future__ import annotations

from collections.abc import Iterator

from reds_pipeline.fediverse.client import ApiClient
from reds_pipeline.fediverse.hosts import HostProfile
from reds_pipeline.fediverse.timelines import Page, PagingRules, public_timeline, tag_timeline


def public_posts(
    client: ApiClient, profile: HostProfile, *, start: str | None, rules: PagingRules
) -> Iterator[Page]:
    """Yield the newest posts of a host; arguments and errors as ``public_timeline``."""
    return public_timeline(client, profile, start=start, rules=rules)


def tag_posts(
    client: ApiClient, profile: HostProfile, tag: str, *, start: str | None, rules: PagingRules
) -> Iterator[Page]:
    """Yield the newest posts of a hashtag; arguments and errors as ``tag_timeline``."""
    return tag_timeline(client, profile, tag, start=start, rules=rules)
