"""Getting to know a host: may we, what does it run, what will it tell us.

What belongs here: host approval, the probe that runs once before a collection, and the addresses
that it asks about. What does not: reading timelines (``timelines.py``), choosing among what the
probe found (``sources.py``). Where approvals are recorded is the caller's business.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection
from dataclasses import dataclass
from typing import Any, Literal
from urllib.parse import quote, urlsplit

from reds_pipeline.errors import RedsError
from reds_pipeline.fediverse.web.addresses import host_name, is_loopback, origin_of
from reds_pipeline.fediverse.web.client import ApiClient
from reds_pipeline.fediverse.web.failures import (
    AuthenticationRequired,
    BadRequest,
    BotCheck,
    CircuitOpen,
    HostRefused,
    HostUnavailable,
    NotFound,
)
from reds_pipeline.fediverse.web.politeness import refusal_sentence

Flavour = Literal["pixelfed", "mastodon", "compatible"]
Verdict = Literal["anonymous", "needs_token", "unavailable"]

PUBLIC_TIMELINE = "/api/v1/timelines/public"
TAG_TIMELINE = "/api/v1/timelines/tag/"
STATUSES = "/api/v1/statuses"
PIXELFED_TAG_FEED = "/api/v2/discover/tag"
ACTIVITY_JSON = "application/activity+json"
# Any existing word will do to ask whether tag timelines open; an unknown tag answers an empty list.
_COMMON_TAG = "photography"
# No post has it, so the answer says only whether guests may ask.
_NO_POST = "1"
# Mastodon says itself which timelines are open from this version on (fediverse.md 3.2).
_SAYS_ACCESS_SINCE = (4, 5)
_ACCESS: dict[Any, Verdict] = {
    "public": "anonymous",
    "authenticated": "needs_token",
    "disabled": "unavailable",
}


@dataclass(frozen=True)
class HostProfile:
    """What a host is and what it allows us.

    Attributes:
        flavour: How its API behaves; ``compatible`` is anything but the two we know.
        software: Name that it gives its software, "" if it does not say.
        version: Version that it claims.
        title: Its name for people.
        public_timeline: Whether the newest posts are open to anybody, need a user's token, or
            cannot be had.
        tag_timeline: The same for the posts of a tag.
        tag_feed: The same for the short feed of a tag's newest posts that is made for guests.
        post_batch: The same for several posts by their ids in one request.
        post: The same for one post by its id.
        author: The same for an author's ActivityPub actor, asked about on Pixelfed only: other
            hosts say with every post what its author wants.
    """

    flavour: Flavour
    software: str
    version: str
    title: str
    public_timeline: Verdict
    tag_timeline: Verdict
    tag_feed: Verdict = "unavailable"
    post_batch: Verdict = "unavailable"
    post: Verdict = "unavailable"
    author: Verdict = "unavailable"

    def verdicts(self) -> list[tuple[str, Verdict, str]]:
        """Return, for people, what can be had, by whom, and what REDS does with it."""
        found: list[tuple[str, Verdict, str]] = [
            ("newest posts", self.public_timeline, "finding the hashtags that people use"),
            ("posts of a tag", self.tag_timeline, "collecting photos"),
            (
                "guest feed of a tag",
                self.tag_feed,
                "collecting the newest photos where there is no token",
            ),
            ("several posts at once", self.post_batch, "re-checking 20 posts with one request"),
            ("one post", self.post, "re-checking a post"),
        ]
        if self.flavour == "pixelfed":
            found.append(("author", self.author, "whether an author objects"))
        return found


def require_approval(url: str, approved: Collection[str]) -> None:
    """Refuse a host that nobody has approved.

    Args:
        url: The host's address.
        approved: Addresses (or bare names) of approved hosts.

    Raises:
        RedsError: The host is not this machine and not among the approved.
    """
    if is_loopback(url):
        return
    try:
        name = host_name(url)
    except ValueError as error:
        raise RedsError(
            f"The host address cannot be used because {error}; "
            "set REDS_HOST_URL to something like https://pix.example."
        ) from error
    if name not in {_approved_name(entry) for entry in approved}:
        raise RedsError(
            f"{name} is not an approved host: ask its operator, read its terms, then run "
            f"reds hosts approve {url} --reviewed-by YOU --terms-read YYYY-MM-DD."
        )


def probe(client: ApiClient) -> HostProfile:
    """Find out what a host is and what it will tell us.

    Asks, in this order: robots.txt, nodeinfo, instance, who the token belongs to, and one small
    request for each thing that software and settings do not answer. That makes 6 requests to a
    Pixelfed host, 7 to a Mastodon of version 4.5 or later, 9 to an older one, at most 10 to any
    other; one more with a token.

    Returns:
        The profile. What needs a token says ``needs_token`` whether or not a (valid) token was
        given. Timelines are judged by what REDS asks for by default, the host's own posts.

    Raises:
        HostRefused: robots.txt forbids the API to us, or the host answers with a bot check.
        AuthenticationRequired: The host does not accept the token.
        HostUnavailable: The host does not answer.
    """
    for path in (PUBLIC_TIMELINE, f"{TAG_TIMELINE}{_COMMON_TAG}"):
        if refusal := client.robots_refusal(path):
            raise HostRefused(refusal_sentence(client.host, refusal))
    software, version = _software(client)
    instance = _instance(client)
    flavour, version = _flavour(software, version or str(instance.get("version") or ""))
    if client.has_token:
        client.get("/api/v1/accounts/verify_credentials")
    found = (
        _pixelfed_verdicts(client, instance)
        if flavour == "pixelfed"
        else _mastodon_verdicts(client, instance, flavour, version)
    )
    return HostProfile(
        flavour=flavour,
        software=software,
        version=version,
        title=str(instance.get("title") or ""),
        **found,
    )


def tag_rss_path(tag: str) -> str:
    """Return the path of Mastodon's RSS feed of a hashtag (fediverse.md 3.1)."""
    return f"/tags/{quote(tag, safe='')}.rss"


def actor_path(username: str) -> str:
    """Return the path of a local account's ActivityPub actor (fediverse.md 2.7)."""
    return f"/users/{quote(username, safe='')}"


def _pixelfed_verdicts(client: ApiClient, instance: dict[str, Any]) -> dict[str, Verdict]:
    tag_feed = _verdict(
        lambda: client.get(PIXELFED_TAG_FEED, {"hashtag": _COMMON_TAG, "page": 1}, anonymous=True),
        # It answers so where the tag is unknown; a closed feed answers 403 (fediverse.md 2.5).
        when_absent="anonymous",
    )
    # Of an account nobody has asked about, the administrator's is as good as any.
    contact = _object(_object(instance.get("contact")).get("account"))
    username = contact.get("username")
    author: Verdict = "anonymous"
    if isinstance(username, str) and username:
        author = _verdict(
            lambda: client.get(actor_path(username), anonymous=True, accept=ACTIVITY_JSON)
        )
    return {
        # Pixelfed never opens these three to guests (fediverse.md 2.2): no need to ask.
        "public_timeline": "needs_token",
        "tag_timeline": "needs_token",
        "post": "needs_token",
        # Its guest pages see no token, so there it would not help.
        "tag_feed": "unavailable" if tag_feed == "needs_token" else tag_feed,
        "author": author,
    }


def _mastodon_verdicts(
    client: ApiClient, instance: dict[str, Any], flavour: Flavour, version: str
) -> dict[str, Verdict]:
    mastodon = flavour == "mastodon"
    access = _access(instance) if mastodon and _number(version) >= _SAYS_ACCESS_SINCE else {}
    # Where guests may not see tags, the feed is there and always empty.
    has_feed = access.get("hashtag_feeds", "anonymous") == "anonymous"
    return {
        "public_timeline": access.get("live_feeds") or _timeline_verdict(client, PUBLIC_TIMELINE),
        "tag_timeline": access.get("hashtag_feeds")
        or _timeline_verdict(client, f"{TAG_TIMELINE}{_COMMON_TAG}"),
        "tag_feed": _verdict(
            lambda: client.document(tag_rss_path(_COMMON_TAG), {"limit": 1}),
            # Mastodon answers so where the tag is unknown (fediverse.md 3.5).
            when_absent="anonymous" if mastodon else "unavailable",
        )
        if has_feed
        else "unavailable",
        "post_batch": _verdict(lambda: client.get(STATUSES, {"id[]": [_NO_POST]}, anonymous=True)),
        "post": _verdict(
            lambda: client.get(f"{STATUSES}/{_NO_POST}", anonymous=True), when_absent="anonymous"
        ),
    }


def _access(instance: dict[str, Any]) -> dict[str, Verdict]:
    """Return the verdicts on the host's own posts that Mastodon itself gives.

    Raises nothing: whatever is missing or odd is left out, and asked for.
    """
    configuration = _object(instance.get("configuration"))
    found: dict[str, Verdict] = {}
    for feeds, settings in _object(configuration.get("timelines_access")).items():
        word = _object(settings).get("local")
        if isinstance(word, str) and word in _ACCESS:
            found[feeds] = _ACCESS[word]
    return found


def _number(version: str) -> tuple[int, ...]:
    """Return the numbers that a version begins with: ``4.5.0-rc.1`` is (4, 5, 0)."""
    beginning = re.match(r"\d{1,6}(\.\d{1,6})*", version)
    return tuple(int(part) for part in beginning[0].split(".")) if beginning else ()


def _software(client: ApiClient) -> tuple[str, str]:
    """Return the software's name in lower case and its version as nodeinfo has them."""
    links = _said(client, "/.well-known/nodeinfo").get("links")
    for link in links if isinstance(links, list) else []:
        path = _path_on(client.origin, _object(link).get("href"))
        if path:
            software = _object(_said(client, path).get("software"))
            return str(software.get("name") or "").lower(), str(software.get("version") or "")
    return "", ""


def _instance(client: ApiClient) -> dict[str, Any]:
    return _said(client, "/api/v2/instance") or _said(client, "/api/v1/instance")


def _said(client: ApiClient, path: str) -> dict[str, Any]:
    """Return the object that a host says about itself at ``path``, {} where it says none."""
    try:
        return _object(client.get(path, anonymous=True))
    except BotCheck:
        raise
    except (NotFound, BadRequest, AuthenticationRequired, HostRefused):
        return {}


def _flavour(software: str, version: str) -> tuple[Flavour, str]:
    """Return the flavour; where nodeinfo is closed, Pixelfed still says its name in its version."""
    if software == "pixelfed" or (not software and "pixelfed" in version.lower()):
        return "pixelfed", version
    if software == "mastodon":
        return "mastodon", version
    return "compatible", version


def _timeline_verdict(client: ApiClient, path: str) -> Verdict:
    query: dict[str, str | int] = {"limit": 1, "only_media": "true", "local": "true"}
    return _verdict(lambda: client.get(path, query, anonymous=True), may_fail=False)


def _verdict(
    ask: Callable[[], Any], *, when_absent: Verdict = "unavailable", may_fail: bool = True
) -> Verdict:
    """Return what the answer to a guest's request says.

    Args:
        ask: Sends the request.
        when_absent: What it means that the thing asked for does not exist.
        may_fail: Whether REDS can do without it, should the host fail to answer.
    """
    try:
        ask()
    except (BotCheck, CircuitOpen):
        raise
    except HostUnavailable:
        if not may_fail:
            raise
        return "unavailable"
    except AuthenticationRequired:
        return "needs_token"
    except NotFound:
        return when_absent
    except (BadRequest, HostRefused):
        return "unavailable"
    return "anonymous"


def _path_on(origin: str, href: Any) -> str:
    """Return the path of ``href`` where it lies on ``origin``, else ""."""
    try:
        if not isinstance(href, str) or origin_of(href) != origin:
            return ""
    except ValueError:
        return ""
    path = urlsplit(href).path
    return "" if path.startswith("//") else path


def _approved_name(entry: str) -> str:
    try:
        return host_name(entry if "://" in entry else f"https://{entry}")
    except ValueError:
        return ""


def _object(value: Any) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}
