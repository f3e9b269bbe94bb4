"""What all answers of the Pixelfed flavour have in common: parameters, refusals, errors.

Belongs here: reading a request and failing as Laravel fails (fediverse.md 2.8). What a path answers
is the business of ``timelines``, ``guest_api``, ``pages`` and ``files``.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, NoReturn

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, RedirectResponse, Response

Answer = Callable[[Request], Response]
"""Answers one request."""

Routes = Mapping[str, Answer]
"""Answers by path, as Starlette writes paths."""

_LARGEST_ID = 2**63 - 1


class InvalidParameterError(Exception):
    """A query parameter that Pixelfed's validation refuses."""

    def __init__(self, name: str, complaint: str) -> None:
        """Say which parameter and why."""
        super().__init__(complaint)
        self.name = name


class NoQueryResultsError(Exception):
    """A row that ``firstOrFail`` did not find; it becomes 500 for who wants JSON, else 404."""


def wants_json(request: Request) -> bool:
    """Whether the first value of ``Accept`` names JSON, which is all Pixelfed looks at."""
    first = request.headers.get("accept", "").split(",")[0]
    return "/json" in first or "+json" in first


def error(request: Request, status: int, message: str = "") -> Response:
    """Return an error in the form that the request wants."""
    if wants_json(request):
        return JSONResponse({"error": message}, status)
    return HTMLResponse(f"<!DOCTYPE html><html><body>{status}</body></html>", status)


def refuse(status: int) -> NoReturn:
    """Give up with a status and without a word, as ``abort(status)`` does."""
    raise HTTPException(status, detail="")


def _refusal(request: Request, raised: Exception) -> Response:
    if not isinstance(raised, HTTPException):
        raise raised
    message = raised.detail
    if message and raised.status_code == 404:
        message = f"The route {request.url.path.lstrip('/')} could not be found."
    return error(request, raised.status_code, message)


def _no_query_results(request: Request, raised: Exception) -> Response:
    if not wants_json(request):
        return error(request, 404)
    return error(request, 500, f"No query results for model [{raised}]")


def _invalid_parameter(request: Request, raised: Exception) -> Response:
    if not isinstance(raised, InvalidParameterError):
        raise raised
    if not wants_json(request):
        return RedirectResponse("/", 302)
    complaint = str(raised)
    return JSONResponse({"message": complaint, "errors": {raised.name: [complaint]}}, 500)


EXCEPTION_HANDLERS: Mapping[Any, Callable[[Request, Exception], Response]] = {
    HTTPException: _refusal,
    NoQueryResultsError: _no_query_results,
    InvalidParameterError: _invalid_parameter,
}
"""How errors become answers."""


def integer(
    request: Request, name: str, *, minimum: int = 0, maximum: int = _LARGEST_ID
) -> int | None:
    """Return a whole number of the query, ``None`` when it is missing or empty.

    Raises:
        InvalidParameterError: It is no whole number, or out of bounds.
    """
    text = request.query_params.get(name)
    if text is None or text == "":
        return None
    digits = text.removeprefix("-")
    if not (digits.isascii() and digits.isdigit()) or int(digits) > _LARGEST_ID:
        raise InvalidParameterError(name, f"The {name} field must be an integer.")
    if int(text) < minimum:
        raise InvalidParameterError(name, f"The {name} field must be at least {minimum}.")
    if int(text) > maximum:
        raise InvalidParameterError(name, f"The {name} field must not be greater than {maximum}.")
    return int(text)


def required_text(request: Request, name: str, longest: int) -> str:
    """Return a text of the query.

    Raises:
        InvalidParameterError: It is missing, empty or longer than ``longest`` characters.
    """
    text = request.query_params.get(name, "")
    if not text:
        raise InvalidParameterError(name, f"The {name} field is required.")
    if len(text) > longest:
        raise InvalidParameterError(
            name, f"The {name} field must not be greater than {longest} characters."
        )
    return text


def one_of(request: Request, name: str, choices: tuple[str, ...]) -> str | None:
    """Return a chosen word of the query, ``None`` when it is missing or empty.

    Raises:
        InvalidParameterError: It is none of the choices.
    """
    text = request.query_params.get(name) or None
    if text is not None and text not in choices:
        raise InvalidParameterError(name, f"The selected {name} is invalid.")
    return text


def flag(request: Request, name: str) -> bool:
    """Return whether a switch of the query is on."""
    return request.query_params.get(name, "").lower() in {"1", "true", "on", "yes"}


def wants_pixelfed_shape(request: Request) -> bool:
    """Whether ``_pe`` was sent, whatever its value."""
    return "_pe" in request.query_params
