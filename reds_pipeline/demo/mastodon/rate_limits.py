"""Mastodon's throttles (fediverse.md 3.4): windows on the wall clock, three headers, a bare 429.

Belongs here: an ASGI layer that counts requests and turns away what is too much. It looks at
nothing but address, token, path and the names of the parameters.
"""

from __future__ import annotations

import threading
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Literal
from urllib.parse import parse_qsl

from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

_PAGING_PARAMETERS = frozenset({"page", "min_id", "max_id", "since_id"})


@dataclass(frozen=True)
class RateLimits:
    """How much is too much; scale it down in tests.

    Attributes:
        requests: API requests of one address or one token in a window.
        window_seconds: Length of that window.
        paging_requests: Requests with a cursor of one address or token in their own window.
        paging_window_seconds: Length of the window of requests with a cursor.
        proxied_files: Files of ``/media_proxy`` for one address in a window.
        proxied_window_seconds: Length of that window.
        reset_style: How the end of a window is told: ``iso8601`` as Mastodon does, ``epoch`` in
            whole seconds as GoToSocial does, ``retry_after`` by that header alone, or not at all.
        clock: Gives Unix seconds.
    """

    requests: int = 300
    window_seconds: float = 300.0
    paging_requests: int = 300
    paging_window_seconds: float = 900.0
    proxied_files: int = 30
    proxied_window_seconds: float = 600.0
    reset_style: Literal["iso8601", "epoch", "retry_after", "none"] = "iso8601"
    clock: Callable[[], float] = time.time


@dataclass(frozen=True)
class _Throttle:
    """One limit and how far a client has come towards it."""

    limit: int
    count: int
    resets_at: float

    @property
    def remaining(self) -> int:
        return max(0, self.limit - self.count)

    @property
    def is_exceeded(self) -> bool:
        return self.count > self.limit


class RateLimiter:
    """An ASGI application around another one."""

    def __init__(self, application: ASGIApp, limits: RateLimits) -> None:
        """Throttle what reaches ``application``."""
        self._application = application
        self._limits = limits
        self._lock = threading.Lock()
        self._counts: Counter[tuple[str, str, int]] = Counter()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request, or turn it away."""
        throttles = self._counted(scope)
        if not throttles:
            await self._application(scope, receive, send)
            return
        tightest = min(throttles, key=lambda throttle: throttle.remaining)
        exceeded = [throttle for throttle in throttles if throttle.is_exceeded]
        headers = self._headers(exceeded[0] if exceeded else tightest)

        async def announcing_send(message: Message) -> None:
            if message["type"] == "http.response.start" and scope["path"].startswith("/api/"):
                MutableHeaders(scope=message).update(headers)
            await send(message)

        if exceeded:
            refusal = JSONResponse({"error": "Too many requests"}, 429, self._refusal(exceeded[0]))
            await refusal(scope, receive, announcing_send)
            return
        await self._application(scope, receive, announcing_send)

    def _counted(self, scope: Scope) -> list[_Throttle]:
        """Count a request against everything that limits it; return those limits."""
        limits = self._limits
        headers = Headers(scope=scope)
        who = headers.get("authorization") or scope["client"][0]
        throttles: list[_Throttle] = []
        if scope["path"].startswith("/api/"):
            throttles.append(self._count("api", who, limits.requests, limits.window_seconds))
        names = {name for name, _ in parse_qsl(scope["query_string"].decode("latin-1"))}
        if names & _PAGING_PARAMETERS:
            throttles.append(
                self._count("paging", who, limits.paging_requests, limits.paging_window_seconds)
            )
        if scope["path"].startswith("/media_proxy/"):
            throttles.append(
                self._count("media_proxy", who, limits.proxied_files, limits.proxied_window_seconds)
            )
        return throttles

    def _count(self, throttle: str, who: str, limit: int, window_seconds: float) -> _Throttle:
        window = int(self._limits.clock() // window_seconds)
        with self._lock:
            self._counts[throttle, who, window] += 1
            count = self._counts[throttle, who, window]
        return _Throttle(limit, count, (window + 1) * window_seconds)

    def _headers(self, throttle: _Throttle) -> dict[str, str]:
        if self._limits.reset_style in {"retry_after", "none"}:
            return {}
        reset = str(int(throttle.resets_at))
        if self._limits.reset_style == "iso8601":
            moment = datetime.fromtimestamp(throttle.resets_at, UTC)
            reset = moment.strftime("%Y-%m-%dT%H:%M:%S.%fZ")
        return {
            "X-RateLimit-Limit": str(throttle.limit),
            "X-RateLimit-Remaining": str(throttle.remaining),
            "X-RateLimit-Reset": reset,
        }

    def _refusal(self, throttle: _Throttle) -> dict[str, str]:
        if self._limits.reset_style != "retry_after":
            return {}
        return {"Retry-After": str(max(1, round(throttle.resets_at - self._limits.clock())))}
