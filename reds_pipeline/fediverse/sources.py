"""Where the posts of a host can be had, by what it allows us.

What belongs here: choosing the way to posts from what ``hosts.probe`` found (fediverse.md 1).
What does not: walking timelines (``timelines.py``) and reading guest feeds (``tag_feeds.py``).

The ladder: the timeline, for guests or with our token; for a tag also the short feed that the
host makes for guests; else one sentence. No rung goes around a no: posts that a feed names are
read only where the host shows posts to guests, and a feed is left alone where the host gives the
timeline to nobody.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice

from reds_pipeline.fediverse.hosts import HostProfile, Verdict
from reds_pipeline.fediverse.tag_feeds import discover_pages, rss_pages
from reds_pipeline.fediverse.timelines import Page, PagingRules, public_timeline, tag_timeline
from reds_pipeline.fediverse.web.client import ApiClient
from reds_pipeline.fediverse.web.failures import AuthenticationRequired, HostRefused


def public_posts(
    client: ApiClient, profile: HostProfile, *, start: str | None, rules: PagingRules
) -> Iterator[Page]:
    """Return the newest posts of a host; there is no way to them but its timeline.

    Args:
        client: The host.
        profile: What ``probe`` found.
        start: Only posts below this id; None starts with the newest.
        rules: How far to go.

    Raises:
        AuthenticationRequired: The host gives them to users only, and there is no token.
        HostRefused: The host gives them to nobody.
        HostError: The host does not give a page.
    """
    if is_open(client, profile.public_timeline):
        return public_timeline(client, profile, start=start, rules=rules)
    raise _closed(client, profile.public_timeline, "its newest posts")


def tag_posts(
    client: ApiClient, profile: HostProfile, tag: str, *, start: str | None, rules: PagingRules
) -> Iterator[Page]:
    """Return the newest posts of a hashtag, by the best way that the host allows.

    Args:
        client: The host.
        profile: What ``probe`` found.
        tag: The hashtag in one spelling, without ``#``.
        start: Only posts below this id; None starts with the newest.
        rules: How far to go.

    Raises:
        AuthenticationRequired: The host gives them to users only, and there is no token.
        HostRefused: The host gives them to nobody.
        HostError: The host does not give a page.
    """
    if is_open(client, profile.tag_timeline):
        return tag_timeline(client, profile, tag, start=start, rules=rules)
    if has_guest_feed(profile):
        if profile.flavour == "pixelfed":
            return discover_pages(client, tag, start=start, max_pages=rules.max_pages)
        in_batches = profile.post_batch == "anonymous"
        pages = rss_pages(client, tag, start=start, in_batches=in_batches)
        return islice(pages, rules.max_pages)
    raise _closed(client, profile.tag_timeline, "the posts of a hashtag")


def has_guest_feed(profile: HostProfile) -> bool:
    """Return whether a guest can have some posts of a tag though the timeline wants a token."""
    if profile.tag_timeline != "needs_token" or profile.tag_feed != "anonymous":
        return False
    # Pixelfed's feed holds the posts themselves, Mastodon's only names them.
    return profile.flavour == "pixelfed" or "anonymous" in (profile.post_batch, profile.post)


def is_open(client: ApiClient, verdict: Verdict) -> bool:
    """Return whether a verdict of ``probe`` lets us in, with the token that we have."""
    return verdict == "anonymous" or (verdict == "needs_token" and client.has_token)


def _closed(client: ApiClient, verdict: Verdict, what: str) -> AuthenticationRequired | HostRefused:
    if verdict == "needs_token":
        return AuthenticationRequired(
            f"{client.host} gives {what} to its users only; create an access token with the "
            "scope read in the settings of your account there and set REDS_HOST_TOKEN."
        )
    return HostRefused(
        f"{client.host} does not give {what} to programs, with a token or without; ask its "
        "operators, or choose another host."
    )
