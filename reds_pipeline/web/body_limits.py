"""How large and how slow the body of a request may be, whatever it is for.

What belongs here: refusing a body while it arrives. What does not: what is in it.

The head of a request alone refuses most: its ``Content-Length``. Bodies without one, or with a
wrong one, are counted while they arrive. What all requests hold together is bounded too, because
many small uploads take as much memory as a large one.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Mapping

from starlette.datastructures import Headers
from starlette.requests import Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from reds_pipeline.web.sentences import Explainer, Refusal
from reds_pipeline.web.site_limits import SiteLimits

_MEGABYTE = 1_000_000
_RETRY_SECONDS = 5


class BoundedBodies:
    """Middleware that refuses bodies which are too large, too many or too slow.

    Args:
        application: What answers.
        limits: Of the site.
        largest: Largest body in bytes by the beginning of the path; the longest that fits counts.
        explainer: Makes the answers to what is refused.
    """

    def __init__(
        self,
        application: ASGIApp,
        limits: SiteLimits,
        largest: Mapping[str, int],
        explainer: Explainer,
    ) -> None:
        self._application = application
        self._limits = limits
        self._largest = sorted(largest.items(), key=lambda item: -len(item[0]))
        self._explainer = explainer
        self._held = 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on with a body that cannot grow beyond its bound."""
        if scope["type"] != "http":
            await self._application(scope, receive, send)
            return
        most = self._most(scope["path"])
        refusal = self._refusal_by_head(Headers(scope=scope), most)
        if refusal is not None:
            await self._explainer.answer(Request(scope), refusal)(scope, receive, send)
            return
        held = 0
        is_whole = False
        deadline = time.monotonic() + self._limits.upload_seconds

        async def bounded_receive() -> Message:
            nonlocal held, is_whole
            if is_whole:
                # Waits for the end of the connection, which may take as long as the answer.
                return await receive()
            patience = min(self._limits.idle_seconds, deadline - time.monotonic())
            try:
                message = await asyncio.wait_for(receive(), max(0.0, patience))
            except TimeoutError:
                raise _too_slow() from None
            size = len(message.get("body", b""))
            held += size
            self._held += size
            if held > most:
                raise _too_large(most)
            if self._held > self._limits.held_bytes:
                raise _busy()
            is_whole = not message.get("more_body", False)
            return message

        try:
            await self._application(scope, bounded_receive, send)
        finally:
            self._held -= held

    def _most(self, path: str) -> int:
        return next(
            (most for start, most in self._largest if path.startswith(start)),
            self._limits.field_bytes,
        )

    def _refusal_by_head(self, headers: Headers, most: int) -> Refusal | None:
        length = headers.get("content-length", "")
        if not length.isdecimal():
            return None
        if int(length) > most:
            return _too_large(most)
        return _busy() if self._held + int(length) > self._limits.held_bytes else None


def _too_large(most: int) -> Refusal:
    return Refusal(
        413,
        "too_large",
        f"Nothing was done because what was sent is larger than {most // _MEGABYTE} MB; send "
        "less at once.",
    )


def _busy() -> Refusal:
    return Refusal(
        503,
        "busy",
        "Nothing was done because too much is being sent by others at this moment; send it again "
        f"in {_RETRY_SECONDS} seconds.",
        retry_after=_RETRY_SECONDS,
    )


def _too_slow() -> Refusal:
    refusal = Refusal(
        408,
        "too_slow",
        "Nothing was done because what was sent did not arrive in time; send it again, or save "
        "the photo smaller.",
    )
    refusal.headers = {"Connection": "close"}
    return refusal
