"""Keeping other web sites away from pages that have no login because they are on loopback.

What belongs here: who may ask, and the headers that tell browsers what the pages may do. What
does not: the pages.

A browser lets any site send requests to 127.0.0.1, and lets a site whose name was pointed there
(DNS rebinding) read the answers. So requests must name a loopback host, and those that change
something must come from our own pages: browsers say so in ``Sec-Fetch-Site`` or ``Origin``
(OWASP's cheat sheet on cross-site request forgery). Programs send neither and are let through.
"""

from __future__ import annotations

from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

_LOOPBACK_NAMES = frozenset({"127.0.0.1", "localhost", "[::1]"})
_READING = frozenset({"GET", "HEAD"})
_FORBIDDEN = 403
_MISDIRECTED = 421

CONTENT_SECURITY_POLICY = "; ".join(
    (
        "default-src 'none'",
        "script-src 'self'",
        "style-src 'self'",
        "img-src 'self' data:",
        "connect-src 'self'",
        "form-action 'self'",
        "base-uri 'none'",
        "frame-ancestors 'none'",
    )
)
_HEADERS = {
    "Content-Security-Policy": CONTENT_SECURITY_POLICY,
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
}


class LoopbackOnly:
    """Middleware that answers the pages of this machine's own browser only.

    Args:
        application: What answers.
    """

    def __init__(self, application: ASGIApp) -> None:
        self._application = application

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Refuse a request, or pass it on and add the headers to its answer."""
        if scope["type"] != "http":
            await self._application(scope, receive, send)
            return

        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in _HEADERS.items():
                    headers[name] = value
                headers.setdefault("Cache-Control", "no-store")
            await send(message)

        refusal = _refusal(scope["method"], Headers(scope=scope))
        answer = refusal if refusal is not None else self._application
        await answer(scope, receive, send_with_headers)


def _refusal(method: str, headers: Headers) -> JSONResponse | None:
    """Return the answer to a request that is not let through."""
    host = headers.get("host", "")
    if _without_port(host) not in _LOOPBACK_NAMES:
        return JSONResponse(
            {
                "sentence": "This page is for this machine only; open it at the 127.0.0.1 address "
                "that REDS printed when it started."
            },
            _MISDIRECTED,
        )
    if method not in _READING and not _is_from_own_page(host, headers):
        return JSONResponse(
            {
                "sentence": "Nothing was changed because another web site sent this request; use "
                "the page that REDS serves itself."
            },
            _FORBIDDEN,
        )
    return None


def _is_from_own_page(host: str, headers: Headers) -> bool:
    site = headers.get("sec-fetch-site")
    if site is not None and site not in {"same-origin", "none"}:
        return False
    origin = headers.get("origin")
    return origin is None or origin == f"http://{host}"


def _without_port(host: str) -> str:
    name, colon, port = host.rpartition(":")
    return (name if colon and port.isdigit() else host).lower()
