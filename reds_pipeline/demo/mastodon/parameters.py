"""Reading what a request asks for, as leniently as Mastodon does.

Belongs here: query parameters and the ``Accept`` header. Nothing is ever refused here: Rails turns
odd numbers into zero and any word but a few into true.
"""

from __future__ import annotations

from starlette.requests import Request

from reds_pipeline.demo.mastodon.feeds import Cursor, Selection

_FALSE = frozenset({"", "0", "f", "F", "false", "FALSE", "off", "OFF"})
_LARGEST_ID = 2**63 - 1


def number(request: Request, name: str) -> int | None:
    """Return a parameter as a number, 0 where it is none, ``None`` where it is missing."""
    text = request.query_params.get(name)
    if not text:
        return None
    return min(int(text), _LARGEST_ID) if text.isascii() and text.isdigit() else 0


def limit(request: Request, default: int, most: int) -> int:
    """Return the number of entries to send; more than ``most`` are silently clamped."""
    asked = number(request, "limit")
    return default if asked is None else min(asked, most)


def flag(request: Request, name: str) -> bool:
    """Return whether a switch is on."""
    return request.query_params.get(name, "") not in _FALSE


def cursor(request: Request, default: int) -> Cursor:
    """Return which page is asked for."""
    return Cursor(
        limit=limit(request, default, 2 * default),
        max_id=number(request, "max_id"),
        since_id=number(request, "since_id"),
        min_id=number(request, "min_id"),
    )


def selection(request: Request) -> Selection:
    """Return which posts of a feed are asked for; neither or both origins mean all."""
    local, remote = flag(request, "local"), flag(request, "remote")
    names = request.query_params
    return Selection(
        local=local or not remote,
        remote=remote or not local,
        only_media=flag(request, "only_media"),
        any_of=tuple(names.getlist("any[]")[:4]),
        all_of=tuple(names.getlist("all[]")[:4]),
        none_of=tuple(names.getlist("none[]")[:4]),
    )


def wants_activity(request: Request) -> bool:
    """Whether ActivityPub JSON is asked for rather than a page: by ``Accept`` or by ``.json``."""
    if request.url.path.endswith(".json"):
        return True
    accept = request.headers.get("accept", "")
    return any(
        kind in accept
        for kind in ("application/activity+json", "application/ld+json", "application/json")
    )
