"""Getting to know a host: may we, what does it run, what will it tell us.

What belongs here: host approval, and the probe that runs once before a collection. What does
not: reading timelines (``timelines.py``). Where approvals are recorded is the caller's business.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from typing import Any, Literal
from urllib.parse import urlsplit

from reds_pipeline.errors import RedsError
from reds_pipeline.fediverse.addresses import host_name, is_loopback, origin_of
from reds_pipeline.fediverse.client import ApiClient
from reds_pipeline.fediverse.failures import (
    AuthenticationRequired,
    BadRequest,
    HostRefused,
    NotFound,
)

__all__ = ["HostProfile", "Verdict", "is_loopback", "probe", "require_approval"]

Flavour = Literal["pixelfed", "mastodon", "compatible"]
Verdict = Literal["anonymous", "needs_token", "unavailable"]

PUBLIC_TIMELINE = "/api/v1/timelines/public"
TAG_TIMELINE = "/api/v1/timelines/tag/"
# Any existing word will do to ask whether tag timelines open; an unknown tag answers an empty list.
_COMMON_TAG = "photography"


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
    """

    flavour: Flavour
    software: str
    version: str
    title: str
    public_timeline: Verdict
    tag_timeline: Verdict


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

    Asks, in this order: robots.txt, nodeinfo, instance, who the token belongs to, and one post
    of each timeline where the software does not settle the matter.

    Returns:
        The profile. A timeline that needs a token says ``needs_token`` whether or not a (valid)
        token was given.

    Raises:
        HostRefused: robots.txt forbids the API to us.
        AuthenticationRequired: The host does not accept the token.
        HostUnavailable: The host does not answer.
    """
    for path in (PUBLIC_TIMELINE, f"{TAG_TIMELINE}{_COMMON_TAG}"):
        if refusal := client.robots_refusal(path):
            raise HostRefused(
                f"{client.host} does not want REDS: {refusal}; ask its operator for permission, "
                "or choose another host."
            )
    software, version = _software(client)
    instance = _instance(client)
    flavour, version = _flavour(software, version or str(instance.get("version") or ""))
    if client.has_token:
        client.get("/api/v1/accounts/verify_credentials")
    if flavour == "pixelfed":
        # Pixelfed never opens these to guests (fediverse.md 2.2): no need to ask.
        public: Verdict = "needs_token"
        tag: Verdict = "needs_token"
    else:
        public = _verdict(client, PUBLIC_TIMELINE)
        tag = _verdict(client, f"{TAG_TIMELINE}{_COMMON_TAG}")
    return HostProfile(
        flavour=flavour,
        software=software,
        version=version,
        title=str(instance.get("title") or ""),
        public_timeline=public,
        tag_timeline=tag,
    )


def _software(client: ApiClient) -> tuple[str, str]:
    """Return the software's name in lower case and its version as nodeinfo has them."""
    try:
        links = _object(client.get("/.well-known/nodeinfo", anonymous=True)).get("links")
        for link in links if isinstance(links, list) else []:
            path = _path_on(client.origin, _object(link).get("href"))
            if path:
                document = _object(client.get(path, anonymous=True))
                software = _object(document.get("software"))
                return str(software.get("name") or "").lower(), str(software.get("version") or "")
    except (NotFound, BadRequest, AuthenticationRequired, HostRefused):
        pass
    return "", ""


def _instance(client: ApiClient) -> dict[str, Any]:
    for path in ("/api/v2/instance", "/api/v1/instance"):
        try:
            return _object(client.get(path, anonymous=True))
        except (NotFound, BadRequest, AuthenticationRequired, HostRefused):
            continue
    return {}


def _flavour(software: str, version: str) -> tuple[Flavour, str]:
    """Return the flavour; where nodeinfo is closed, Pixelfed still says its name in its version."""
    if software == "pixelfed" or (not software and "pixelfed" in version.lower()):
        return "pixelfed", version
    if software == "mastodon":
        return "mastodon", version
    return "compatible", version


def _verdict(client: ApiClient, path: str) -> Verdict:
    try:
        client.get(path, {"limit": 1, "only_media": "true"}, anonymous=True)
    except AuthenticationRequired:
        return "needs_token"
    except (NotFound, BadRequest, HostRefused):
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
