"""Keeping other web sites away, and pages from doing what they need not do.

What belongs here: under which names the pages answer, which requests may change something, and
the headers that tell browsers what the pages may do. What does not: the pages, and who the
operator is (``operator_gate.py``).

A browser lets any site send requests to 127.0.0.1, and lets a site whose name was pointed there
(DNS rebinding) read the answers. So requests must name this machine or a name that the operator
set, and those that change something must come from our own pages: browsers say so in
``Sec-Fetch-Site`` or ``Origin`` (OWASP's cheat sheet on cross-site request forgery). Programs send
neither and are let through.
"""

from __future__ import annotations

from collections.abc import Collection

from starlette.datastructures import Headers, MutableHeaders
from starlette.requests import Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from reds_pipeline.web.health_routes import HEALTH
from reds_pipeline.web.sentences import Explainer, Refusal

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
# The page copies tags and pastes pictures; the camera is the phone's own app.
_ALLOWED = ("clipboard-read", "clipboard-write")
_NOT_ALLOWED = (
    *("accelerometer", "camera", "display-capture", "geolocation", "gyroscope", "microphone"),
    *("midi", "payment", "usb"),
)
_HEADERS = {
    "Content-Security-Policy": CONTENT_SECURITY_POLICY,
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": ", ".join(
        (*(f"{name}=(self)" for name in _ALLOWED), *(f"{name}=()" for name in _NOT_ALLOWED))
    ),
    # Not "no-referrer": that makes browsers send "Origin: null" with our own forms.
    "Referrer-Policy": "same-origin",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
}
# Not for sub-domains, and not for ever: other services of the operator may live there.
_STRICT_TRANSPORT = "max-age=31536000"


class OwnPagesOnly:
    """Middleware that answers under its own names and lets own pages change things.

    Args:
        application: What answers.
        names: Under which the pages are opened from elsewhere; this machine's own always work.
        explainer: Makes the answers to what is refused.
    """

    def __init__(self, application: ASGIApp, names: Collection[str], explainer: Explainer) -> None:
        self._application = application
        self._names = _LOOPBACK_NAMES | {name.lower() for name in names}
        self._explainer = explainer

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
                if scope["scheme"] == "https":
                    headers["Strict-Transport-Security"] = _STRICT_TRANSPORT
                headers.setdefault("Cache-Control", "no-store")
            await send(message)

        refusal = self._refusal(scope)
        answer = self._application
        if refusal is not None:
            answer = self._explainer.answer(Request(scope), refusal)
        await answer(scope, receive, send_with_headers)

    def _refusal(self, scope: Scope) -> Refusal | None:
        """Return why a request is not let through."""
        headers = Headers(scope=scope)
        names = headers.getlist("host")
        # Of two a proxy may have looked at the other one.
        host = names[0] if len(names) == 1 else ""
        # Supervisors ask by whatever address they know, and learn one word.
        is_health = scope["path"].startswith(f"{HEALTH}/")
        if not is_health and without_port(host) not in self._names:
            return Refusal(
                _MISDIRECTED,
                "other_host",
                "This page does not answer to the name that it was opened with; open it at the "
                "127.0.0.1 address that REDS printed when it started, or add the name to "
                "REDS_PAGE_HOSTS.",
            )
        is_changing = scope["method"] not in _READING
        if is_changing and not _is_from_own_page(scope["scheme"], host, headers):
            return Refusal(
                _FORBIDDEN,
                "other_site",
                "Nothing was changed because another web site sent this request; use the page "
                "that REDS serves itself.",
            )
        return None


def _is_from_own_page(scheme: str, host: str, headers: Headers) -> bool:
    site = headers.get("sec-fetch-site")
    if site is not None and site not in {"same-origin", "none"}:
        return False
    origin = headers.get("origin")
    return origin is None or origin == f"{scheme}://{host}"


def is_loopback_name(host: str) -> bool:
    """Say whether a ``Host`` header names this machine as only its own programs can."""
    return without_port(host) in _LOOPBACK_NAMES


def without_port(host: str) -> str:
    """Return the name in a ``Host`` header, in small letters."""
    name, colon, port = host.rpartition(":")
    return (name if colon and port.isdigit() else host).lower()
