"""What stands in front of real instances: a CDN that counts, and a page that asks for a human.

Belongs here: an ASGI layer that answers in place of Pixelfed (fediverse.md 2.9). It does not know
what it hides.
"""

from __future__ import annotations

import time

from starlette.responses import HTMLResponse, Response
from starlette.types import ASGIApp, Receive, Scope, Send

from reds_pipeline.demo.pixelfed.options import InstanceOptions

_CHALLENGE = (
    "<!DOCTYPE html><html><head><title>Making sure you are not a bot</title></head>"
    '<body><p>One moment, please.</p><script id="challenge">proveHumanity()</script></body></html>'
)
_LIMITED = (
    "<!DOCTYPE html><html><head><title>Error 1015</title></head>"
    "<body><p>You are being rate limited.</p></body></html>"
)


class Gatekeepers:
    """Lets requests through to an application, or answers them itself."""

    def __init__(self, application: ASGIApp, options: InstanceOptions) -> None:
        """Stand before ``application``; only ``cdn_429`` and ``challenge_page`` matter."""
        self._application = application
        self._options = options
        self._passed = 0
        self._closed_until = 0.0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        refusal = self._rate_limit() or self._challenge(scope["path"])
        await (refusal or self._application)(scope, receive, send)

    def _rate_limit(self) -> Response | None:
        allowed = self._options.cdn_429
        if allowed is None:
            return None
        now = time.monotonic()
        if now < self._closed_until:
            return self._limited()
        if self._passed >= allowed:
            self._passed = 0
            self._closed_until = now + self._options.cdn_retry_after_seconds
            return self._limited()
        self._passed += 1
        return None

    def _limited(self) -> Response:
        seconds = str(self._options.cdn_retry_after_seconds)
        return HTMLResponse(_LIMITED, 429, {"Retry-After": seconds})

    def _challenge(self, path: str) -> Response | None:
        status = self._options.challenge_page
        if status is None or not path.startswith("/api/"):
            return None
        return HTMLResponse(_CHALLENGE, status)
