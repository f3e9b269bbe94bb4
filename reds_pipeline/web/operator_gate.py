"""Who is the operator: the one rule that every guarded address asks.

What belongs here: deciding from a request whether the operator sent it. What does not: signing in
(``login_routes.py``), keeping sessions (``sessions.py``), and refusing other sites
(``security.py``).

Routes are guarded one by one, after routing and before anything of a body is read, so that no
spelling of a path gets around the gate: whatever reaches a guarded route's own code has been asked.
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Callable, Coroutine
from functools import cached_property
from ipaddress import ip_address
from typing import Any

from fastapi.routing import APIRoute
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from reds_pipeline.errors import RedsError
from reds_pipeline.settings import Settings
from reds_pipeline.web.login_attempts import LoginAttempts
from reds_pipeline.web.password_hashes import require_usable_hash
from reds_pipeline.web.sentences import Refusal
from reds_pipeline.web.sessions import Sessions

LOGIN = "/login"
FORM_TOKEN_HEADER = "X-Form-Token"

COOKIE = "reds-operator"
# Browsers take this name only over TLS and only from this very host.
_SECURE_PREFIX = "__Host-"
_READING = frozenset({"GET", "HEAD"})
_FORWARDED = ("forwarded", "x-forwarded-for", "x-forwarded-host", "x-forwarded-proto", "x-real-ip")
_FEWEST_TOKEN_CHARACTERS = 20
_SEE_OTHER = 303
_SECONDS_UNTIL_NEXT_TRY = 60

Handler = Callable[[Request], Coroutine[Any, Any, Response]]


class OperatorGate:
    """Lets the operator through to what is not for everybody.

    Args:
        settings: With the hash of the password and the token, either or both of them empty.
        is_public: Whether other machines can reach the pages, directly or through a proxy.

    Attributes:
        password_hash: Of the operator's password; empty where none is set.
        sessions: Who is signed in.
        attempts: Who failed to sign in lately.

    Raises:
        RedsError: The hash is none of ``reds password``, or the token is too short.
    """

    def __init__(self, settings: Settings, *, is_public: bool) -> None:
        self.password_hash = settings.operator_password_hash.get_secret_value()
        if self.password_hash:
            require_usable_hash(self.password_hash)
        token = settings.operator_token.get_secret_value()
        if token and len(token) < _FEWEST_TOKEN_CHARACTERS:
            raise RedsError(
                f"The setting operator_token has fewer than {_FEWEST_TOKEN_CHARACTERS} "
                "characters, so it could be guessed; `reds password --token` prints a good one."
            )
        self._token_digest = _digest(token) if token else None
        # A proxy on this machine looks like this machine.
        self._is_public = is_public or bool(settings.page_hosts or settings.trusted_proxies)
        self.sessions = Sessions()
        self.attempts = LoginAttempts()
        self._token_attempts = LoginAttempts()

    @property
    def has_login(self) -> bool:
        """Whether a password is set, so that the operator can sign in."""
        return bool(self.password_hash)

    @cached_property
    def route_class(self) -> type[APIRoute]:
        """Routes that answer the operator only: ``APIRouter(route_class=gate.route_class)``.

        Pages send whoever is not signed in to ``/login``; programs get 401 or 403 and a sentence.
        """
        gate = self

        class OperatorRoute(APIRoute):
            def get_route_handler(self) -> Handler:
                answer = super().get_route_handler()

                async def answer_operator(request: Request) -> Response:
                    if gate.is_operator(request):
                        gate.require_own_form(request)
                        return await answer(request)
                    if request.method in _READING and _wants_page(request):
                        return RedirectResponse(LOGIN, _SEE_OTHER)
                    raise gate.refusal()

                return answer_operator

        return OperatorRoute

    def is_operator(self, request: Request) -> bool:
        """Say whether a request comes from the operator: by session, by token, or by being here.

        Being on this machine is enough where no other can reach the pages and no password is set.

        Raises:
            Refusal: 429; this address has sent too many wrong tokens.
        """
        if not self._is_public and not self.has_login and is_local(request):
            return True
        return self.is_signed_in(request) or self._has_token(request)

    def is_signed_in(self, request: Request) -> bool:
        """Say whether a request carries the cookie of a session that goes on."""
        secret = self.session_secret(request)
        return bool(secret) and self.sessions.is_valid(secret)

    def session_secret(self, request: Request) -> str:
        """Return the value of a request's session cookie; empty without one."""
        return request.cookies.get(cookie_name(request), "")

    def form_token(self, request: Request) -> str:
        """Return what the pages of a session send with what changes something; empty without."""
        secret = self.session_secret(request)
        return self.sessions.form_token(secret) if self.is_signed_in(request) else ""

    def require_own_form(self, request: Request) -> None:
        """Refuse what a session would change without the token that its own pages have.

        Raises:
            Refusal: 401; the page is of another session, or another site's.
        """
        if request.method in _READING or not self.is_signed_in(request):
            return
        token = request.headers.get(FORM_TOKEN_HEADER, "")
        if not self.sessions.is_form_token(self.session_secret(request), token):
            raise Refusal(
                401,
                "page_outdated",
                "Nothing was changed because this page is from before the last login; load it "
                "again.",
            )

    def require_local(self, request: Request) -> None:
        """Refuse whoever is neither the operator nor on this machine; a FastAPI dependency.

        For what holds nothing personal, such as ``/metrics``.

        Raises:
            Refusal: 401 or 403; or 429 after too many wrong tokens.
        """
        is_here = not self._is_public and is_local(request)
        if not is_here and not self.is_operator(request):
            raise self.refusal()

    def refusal(self) -> Refusal:
        """Return what programs are told that are not the operator's."""
        if not self.has_login and self._token_digest is None:
            return Refusal(403, "no_password_set", NO_PASSWORD_SET)
        refused = Refusal(
            401,
            "login_needed",
            "Nothing was shown or changed because nobody is signed in (any more); sign in at "
            "/login, or send the operator's token.",
        )
        refused.headers = {"WWW-Authenticate": 'Bearer realm="REDS"'}
        return refused

    def _has_token(self, request: Request) -> bool:
        scheme, _, token = request.headers.get("authorization", "").partition(" ")
        if self._token_digest is None or scheme.lower() != "bearer":
            return False
        address = address_of(request)
        if not self._token_attempts.may_try(address):
            raise too_many_attempts()
        if hmac.compare_digest(_digest(token.strip()), self._token_digest):
            return True
        self._token_attempts.begin(address)
        return False


NO_PASSWORD_SET = (
    "This part is closed because other machines can reach it and no password is set; run `reds "
    "password`, put what it prints into the settings, and start REDS again."
)


def is_local(request: Request) -> bool:
    """Say whether a request was made on this machine and sent here directly."""
    is_forwarded = any(name in request.headers for name in _FORWARDED)
    named = request.url.hostname or ""
    return (
        not is_forwarded
        and _is_loopback(address_of(request))
        and (named.lower() == "localhost" or _is_loopback(named))
    )


def address_of(request: Request) -> str:
    """Return the address that a request came from, behind trusted proxies the client's."""
    return request.client.host if request.client else ""


def is_encrypted(request: Request) -> bool:
    """Say whether the browser's connection is encrypted."""
    return request.url.scheme == "https"


def cookie_name(request: Request, name: str = COOKIE) -> str:
    """Return the name of a cookie, the strictest that the connection allows."""
    return _SECURE_PREFIX + name if is_encrypted(request) else name


def too_many_attempts() -> Refusal:
    """Return what an address is told that has failed too often."""
    return Refusal(
        429,
        "too_many_attempts",
        "There were too many attempts from your address, so this one was not looked at; wait a "
        "minute and try again.",
        retry_after=_SECONDS_UNTIL_NEXT_TRY,
    )


def _is_loopback(address: str) -> bool:
    try:
        return ip_address(address).is_loopback
    except ValueError:
        return False


def _wants_page(request: Request) -> bool:
    return "text/html" in request.headers.get("accept", "")


def _digest(text: str) -> bytes:
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).digest()
