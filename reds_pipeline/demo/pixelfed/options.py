"""How a Pixelfed instance behaves where versions and operators differ.

Belongs here: the switches of fediverse.md 8, with the defaults of 0.12.6. What each of them does is
decided where it is read.
"""

from __future__ import annotations

from dataclasses import dataclass

from reds_pipeline.demo.pixelfed.documents import ROBOTS_TXT
from reds_pipeline.demo.pixelfed.feeds import TAG_SCAN_ROWS
from reds_pipeline.demo.pixelfed.hashtag_rows import Collation


@dataclass(frozen=True)
class InstanceOptions:
    """How the instance behaves where versions and operators differ.

    Attributes:
        legacy_auth_errors: ``True``: a missing token is answered with 500 or a redirect to the
            login page, as in 0.12.6; ``False``: with 401.
        token_may_read: ``False``: the token lacks the scope ``read`` (403 without a word).
        visibility_leak: ``True``: followers-only posts stand in hashtag timelines, as in 0.12.6.
        scan_rows: Rows that a hashtag request looks at.
        feed_cap: Posts in a cached public feed, ``None`` for an uncached one; servers that cache
            keep about 400.
        unreadable_post_id: A post that makes every answer holding it fail with 500 (fediverse.md
            6, trap 8); ``None`` for none.
        latency_seconds: Delay before each answer.
        robots_txt: The robots file; ``None`` to have none (404).
        public_hashtags: Guests may see hashtags (``INSTANCE_PUBLIC_HASHTAGS``).
        public_discover: Guests may see popular posts (``INSTANCE_DISCOVER_PUBLIC``).
        banned_hashtags: Hashtags that the moderators took away, in any case.
        collation: How the database compares the names of hashtags.
        peers: Hosts to name as peers; ``None`` to keep them to oneself (``[]``).
        drifting: One new post is published every so many timeline requests; ``None`` for none.
        cursorless_guest_feeds: Guest account feeds ignore ``max_id``, as in 0.12.5 (trap 7).
        missing_file_status: Status of the pointer to the placeholder for a missing file: 302, or
            404 on misconfigured servers (fediverse.md 4).
        cdn_429: Requests that the CDN in front lets through before it answers 429 in HTML;
            ``None`` for no CDN.
        cdn_retry_after_seconds: For how long it does, and what it says in ``Retry-After``.
        challenge_page: Status of an HTML bot check on every API path; ``None`` for no check.
    """

    legacy_auth_errors: bool = True
    token_may_read: bool = True
    visibility_leak: bool = True
    scan_rows: int = TAG_SCAN_ROWS
    feed_cap: int | None = None
    unreadable_post_id: str | None = None
    latency_seconds: float = 0.0
    robots_txt: str | None = ROBOTS_TXT
    public_hashtags: bool = False
    public_discover: bool = False
    banned_hashtags: frozenset[str] = frozenset()
    collation: Collation = "mysql"
    peers: tuple[str, ...] | None = None
    drifting: int | None = None
    cursorless_guest_feeds: bool = False
    missing_file_status: int = 302
    cdn_429: int | None = None
    cdn_retry_after_seconds: int = 1
    challenge_page: int | None = None
