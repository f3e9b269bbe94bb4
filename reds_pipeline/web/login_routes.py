"""The addresses at which the operator signs in and out.

What belongs here: the form, its answer, and the cookies. What does not: who is the operator
(``operator_gate.py``).

The form is tied to the browser it was sent to: a cookie and a field that only this process can
compute from it, so that no other site can sign somebody in or out. Signing in gives a new session
every time and ends the one before.
"""

from __future__ import annotations

import secrets
from typing import TYPE_CHECKING

from anyio import CapacityLimiter, to_thread
from fastapi import APIRouter
from starlette.datastructures import FormData
from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response

from reds_pipeline.web.operator_gate import (
    COOKIE,
    LOGIN,
    NO_PASSWORD_SET,
    OperatorGate,
    address_of,
    cookie_name,
    is_encrypted,
    is_local,
    too_many_attempts,
)
from reds_pipeline.web.password_hashes import MOST_CHARACTERS, is_password
from reds_pipeline.web.sentences import Refusal

if TYPE_CHECKING:
    from reds_pipeline.web.site import Site

AFTER_LOGIN = "/review"

_PAGE = "login.html"
_FORM_COOKIE = "reds-login"
_SEE_OTHER = 303
_MOST_FIELDS = 4
# Every character takes up to four bytes, each of them three in a form.
_LONGEST_FIELD = MOST_CHARACTERS * 12
_MOST_WAITING = 10
_SECONDS_UNTIL_NEXT_TRY = 5


def login_router(site: Site) -> APIRouter:
    """Return the routes ``/login`` and ``/logout``.

    Args:
        site: Whose gate it is.
    """
    router = APIRouter()
    gate = site.operator
    # Each check takes 64 MiB and all of a core for a moment, so one at a time, in a thread that
    # photos do not wait for.
    checks = CapacityLimiter(1)

    def form(request: Request, status: int = 200, trouble: str = "") -> HTMLResponse:
        secret = request.cookies.get(cookie_name(request, _FORM_COOKIE), "")
        secret = secret or secrets.token_urlsafe(32)
        context = {
            "closed": "" if gate.has_login else NO_PASSWORD_SET,
            "trouble": trouble,
            "form_token": gate.sessions.form_token(secret),
            "is_readable_by_others": not is_encrypted(request) and not is_local(request),
            "longest": MOST_CHARACTERS,
        }
        page = site.page(_PAGE, request, context)
        page.status_code = status
        _set_cookie(page, request, _FORM_COOKIE, secret)
        return page

    @router.get(LOGIN, include_in_schema=False)
    def show_form(request: Request) -> Response:
        if gate.is_operator(request):
            return RedirectResponse(AFTER_LOGIN, _SEE_OTHER)
        return form(request, status=200 if gate.has_login else 403)

    @router.post(LOGIN, include_in_schema=False)
    async def sign_in(request: Request) -> Response:
        if not gate.has_login:
            return form(request, status=403)
        address = address_of(request)
        # Counted before anything is looked at, so that attempts at the same time count too.
        if not gate.attempts.begin(address):
            raise too_many_attempts()
        fields = await _fields(request)
        secret = request.cookies.get(cookie_name(request, _FORM_COOKIE), "")
        if not secret or not gate.sessions.is_form_token(secret, _text(fields, "form_token")):
            return form(
                request, 400, "The page was too old, so nothing was looked at; try once more."
            )
        if checks.statistics().tasks_waiting >= _MOST_WAITING:
            raise Refusal(
                503,
                "busy",
                "Too many people are signing in at this moment; try again in a few seconds.",
                retry_after=_SECONDS_UNTIL_NEXT_TRY,
            )
        password = _text(fields, "password")
        if not await to_thread.run_sync(is_password, password, gate.password_hash, limiter=checks):
            return form(request, 403, "That is not the password; try again.")
        gate.attempts.forgive(address)
        return _signed_in(request, gate)

    @router.post("/logout", include_in_schema=False)
    async def sign_out(request: Request) -> Response:
        secret = gate.session_secret(request)
        token = _text(await _fields(request), "form_token")
        if gate.is_signed_in(request):
            if not gate.sessions.is_form_token(secret, token):
                return form(
                    request, 400, "You were not signed out because the page was too old; reload it."
                )
            gate.sessions.end(secret)
        answer = RedirectResponse(LOGIN, _SEE_OTHER)
        _delete_cookie(answer, request, COOKIE)
        return answer

    return router


def _signed_in(request: Request, gate: OperatorGate) -> Response:
    gate.sessions.end(gate.session_secret(request))
    answer = RedirectResponse(AFTER_LOGIN, _SEE_OTHER)
    _set_cookie(answer, request, COOKIE, gate.sessions.begin().secret)
    _delete_cookie(answer, request, _FORM_COOKIE)
    return answer


async def _fields(request: Request) -> FormData:
    return await request.form(max_files=0, max_fields=_MOST_FIELDS, max_part_size=_LONGEST_FIELD)


def _text(fields: FormData, name: str) -> str:
    value = fields.get(name, "")
    return value if isinstance(value, str) else ""


def _set_cookie(answer: Response, request: Request, name: str, value: str) -> None:
    """Set a cookie for as long as the browser is open, which no script can read."""
    answer.set_cookie(
        cookie_name(request, name),
        value,
        path="/",
        secure=is_encrypted(request),
        httponly=True,
        samesite="strict",
    )


def _delete_cookie(answer: Response, request: Request, name: str) -> None:
    answer.delete_cookie(
        cookie_name(request, name),
        path="/",
        secure=is_encrypted(request),
        httponly=True,
        samesite="strict",
    )
