"""How a Mastodon instance behaves where versions and operators differ.

Belongs here: the choices a test makes. What follows from them is the rest of the package's.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

from reds_pipeline.demo.mastodon.rate_limits import RateLimits

Access = Literal["public", "authenticated", "disabled"]
"""Who may read a half of a feed (fediverse.md 3.2)."""

ROBOTS_TXT = (
    "User-agent: GPTBot\n"
    "Disallow: /\n"
    "\n"
    "User-agent: *\n"
    "Disallow: /media_proxy/\n"
    "Disallow: /interact/\n"
    "Disallow: /api/v1/instance/domain_blocks\n"
)
"""Mastodon's default robots.txt in substance (fediverse.md 5.2); it turns AI training away."""

PERMISSIVE_ROBOTS_TXT = "User-agent: *\nDisallow: /media_proxy/\nDisallow: /interact/\n"
"""The same without the group for GPTBot, as an operator who permits AI training writes it."""


@dataclass(frozen=True)
class FeedAccess:
    """Who may read which half of which feed; four settings since 4.5, all the same before."""

    local_live: Access = "public"
    remote_live: Access = "public"
    local_topic: Access = "public"
    remote_topic: Access = "public"

    @classmethod
    def everywhere(cls, access: Access) -> FeedAccess:
        """Return the same access for all four."""
        return cls(access, access, access, access)


@dataclass(frozen=True)
class MastodonOptions:
    """The behaviour of one instance.

    Attributes:
        software: What nodeinfo calls it; another name makes it a merely compatible server.
        version: From 4.5 the instance document tells of ``access``, from 4.3
            ``/api/v1/statuses?id[]=`` exists.
        access: Who may read the feeds.
        disallow_unauthenticated: Every API call needs a token (fediverse.md 3.2).
        limited_federation: The same, and the RSS feeds are closed as well.
        token_may_read: ``False``: the token is good but lacks the scope, which is a 403.
        authorized_fetch: ActivityPub documents want a signature (401 without).
        rate_limits: The throttles.
        trends: Whether there are trends; ``[]`` otherwise.
        unreadable_post_id: A post that makes every answer holding it fail with 500 (fediverse.md
            6, trap 8); ``None`` for none.
        drifting: One new post is published every so many timeline requests; ``None`` for none.
        latency_seconds: Delay before each answer.
        robots_txt: The robots file; ``None`` to have none (404).
    """

    software: str = "mastodon"
    version: str = "4.5.3"
    access: FeedAccess = field(default_factory=FeedAccess)
    disallow_unauthenticated: bool = False
    limited_federation: bool = False
    token_may_read: bool = True
    authorized_fetch: bool = False
    rate_limits: RateLimits = field(default_factory=RateLimits)
    trends: bool = True
    unreadable_post_id: str | None = None
    drifting: int | None = None
    latency_seconds: float = 0.0
    robots_txt: str | None = ROBOTS_TXT

    def is_at_least(self, major: int, minor: int) -> bool:
        """Whether the version is this one or later."""
        return tuple(int(part) for part in self.version.split(".")[:2]) >= (major, minor)
