"""What the address of a post says: the host it comes from, its author's name, its id.

What belongs here: reading permalinks and addresses of accounts as the software of the Fediverse
makes them (fediverse.md 2.6, 2.7). What does not: asking for them (``origin_check.py``).
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from urllib.parse import unquote, urlsplit

from reds_pipeline.fediverse.posts import handle_key
from reds_pipeline.fediverse.web.addresses import host_name, origin_of
from reds_pipeline.storage.keys import KeyedHash

# Segments after which an account's name stands: Pixelfed's /p/, ActivityPub's /users/.
_BEFORE_A_NAME = frozenset({"p", "users", "u"})
# What stands behind a post's id in other documents about the post.
_BEHIND_AN_ID = frozenset({"activity", "embed", "replies"})
_SUFFIX = re.compile(r"\.(json|atom)$")


@dataclass(frozen=True)
class Permalink:
    """The address of a post.

    Attributes:
        origin: ``scheme://host:port``.
        host: The host as people write it, such as ``pix.example``.
        path: From the root of the host.
        post_id: The post's id on that host, "" where the address does not say.
        username: Its author's name, "" where the address does not say.
    """

    origin: str
    host: str
    path: str
    post_id: str
    username: str

    @property
    def hosts(self) -> frozenset[str]:
        """The host with and without its port: what a post says of its origin has none."""
        return frozenset({self.host, urlsplit(self.origin).hostname or self.host})

    def handle_keys(self, key: KeyedHash) -> frozenset[str]:
        """Return the keyed hashes under which its author may have been withdrawn."""
        if not self.username:
            return frozenset()
        return frozenset(handle_key(key, self.username, host) for host in self.hosts)


def read_permalink(url: str) -> Permalink | None:
    """Return what an address says, or None where it is not an address of the web."""
    try:
        origin, host, path = origin_of(url), host_name(url), urlsplit(url).path
    except ValueError:
        return None
    if path.startswith("//"):
        return None
    segments = [unquote(segment) for segment in path.split("/") if segment]
    while segments and segments[-1] in _BEHIND_AN_ID:
        segments.pop()
    return Permalink(
        origin=origin,
        host=host.casefold(),
        path=path,
        post_id=_SUFFIX.sub("", segments[-1]) if segments else "",
        username=_username(segments),
    )


def _username(segments: list[str]) -> str:
    for before, segment in zip(["", *segments], segments, strict=False):
        if segment.startswith("@") or before in _BEFORE_A_NAME:
            # A host that shows another's account adds where it comes from.
            return segment.lstrip("@").partition("@")[0]
    return ""
