"""How an address on a host may be spoken of in errors and logs.

What belongs here: shortening paths so that they name neither a person nor a post, because errors
and logs are kept. What does not: hosts and origins (``addresses.py``).
"""

from __future__ import annotations

# What these lead to is a host, a tag or a list; below any other path lie people and posts.
_NOBODY_BELOW = (
    "/api/v1/timelines/",
    "/api/v1/trends/",
    "/api/v2/discover/",
    "/api/nodeinfo/",
    "/nodeinfo/",
    "/.well-known/",
    "/tags/",
    "/robots.txt",
)
_API_SEGMENTS = 3


def discreet(path: str) -> str:
    """Return ``path`` as far as it can be repeated, the rest as ``...``.

    Args:
        path: From the root of a host, without a query.
    """
    if path.startswith(_NOBODY_BELOW):
        return path
    segments = path.strip("/").split("/")
    kept = segments[:_API_SEGMENTS] if segments[0] == "api" else []
    return "/" + "/".join(kept if len(kept) == len(segments) else [*kept, "..."])
