"""Errors as pages and interfaces tell them: one plain sentence, and a reason for programs.

What belongs here: turning whatever goes wrong while answering into one plain sentence. What does
not: finding out what went wrong.

Programs and scripts get ``{"sentence": ..., "reason": ...}``; a browser that was sent here by a
link or a form gets a page with the sentence.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import TYPE_CHECKING

from fastapi import FastAPI
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from reds_pipeline.errors import ImageRejected, RedsError

if TYPE_CHECKING:
    from reds_pipeline.web.page_maker import PageMaker

UNPROCESSABLE = 422
_FAILED = 500
_SENTENCES = {
    400: "Nothing was done because what was sent cannot be read; load the page again.",
    404: "There is nothing at this address; go back to the page and load it again.",
    405: "This address cannot be used in this way; go back to the page and load it again.",
}
_FOR_THE_OPERATOR = (
    "REDS could not do this because of something that only its operator can mend, who finds it in "
    "the log; try again later."
)
_REASONS = {
    400: "bad_request",
    401: "login_needed",
    403: "forbidden",
    404: "nothing_here",
    405: "method_not_allowed",
    408: "too_slow",
    409: "conflict",
    413: "too_large",
    415: "unsupported",
    421: "other_host",
    422: "not_understood",
    429: "too_many",
    500: "failed",
    503: "busy",
}
# Whether a file is of the wrong kind, too much, or of the right kind and bad.
_STATUS_OF_PHOTO = {
    "not_an_image": 415,
    "unsupported_format": 415,
    "too_many_bytes": 413,
    "too_many_pixels": 413,
}
_PROBLEM_PAGE = "error.html"

_logger = logging.getLogger(__name__)


class Refusal(HTTPException):
    """A request that is refused for a reason that programs can tell from others.

    Args:
        status: HTTP status, 4xx or 503.
        reason: A slug such as ``too_large``.
        sentence: For people: what happened, why, what to do.
        retry_after: Seconds after which the same request may be answered.

    Attributes:
        reason: As given.
        sentence: As given.
    """

    def __init__(
        self, status: int, reason: str, sentence: str, *, retry_after: int | None = None
    ) -> None:
        headers = None if retry_after is None else {"Retry-After": str(retry_after)}
        super().__init__(status, sentence, headers)
        self.reason = reason
        self.sentence = sentence


def photo_refusal(error: ImageRejected) -> Refusal:
    """Return how a file is refused that is no usable photo."""
    from reds_pipeline.imaging.photo_sentences import photo_sentence

    sentence = f"The photo was not tagged: {photo_sentence(error.reason)}."
    return Refusal(_STATUS_OF_PHOTO.get(error.reason, UNPROCESSABLE), error.reason, sentence)


class Explainer:
    """Makes the answers to requests that went wrong.

    Args:
        page: Makes the page that people without JavaScript see.
        is_for_operator: Says whether whoever asks may read what is wrong inside; such sentences
            name directories and settings.
    """

    def __init__(self, page: PageMaker, is_for_operator: Callable[[Request], bool]) -> None:
        self._page = page
        self._is_for_operator = is_for_operator

    def answer(self, request: Request, refusal: HTTPException) -> Response:
        """Return a refusal as whoever asked can read it."""
        # Starlette's own ones carry the name of their code; ours carry a sentence.
        own = str(refusal.detail)
        sentence = own if own.endswith(".") else _SENTENCES.get(refusal.status_code, f"{own}.")
        reason = getattr(refusal, "reason", "") or _REASONS.get(refusal.status_code, "refused")
        answer: Response
        if _wants_page(request):
            context = {"sentence": sentence}
            answer = self._page(_PROBLEM_PAGE, request, context, refusal.status_code)
        else:
            content = {"sentence": sentence, "reason": reason}
            answer = JSONResponse(content, refusal.status_code)
        answer.headers.update(refusal.headers or {})
        return answer

    def install(self, application: FastAPI) -> None:
        """Make an application answer every error with a sentence."""

        @application.exception_handler(HTTPException)
        def explain_refusal(request: Request, error: HTTPException) -> Response:
            return self.answer(request, error)

        @application.exception_handler(RequestValidationError)
        def explain_bad_request(request: Request, error: RequestValidationError) -> Response:
            return self.answer(request, _not_understood(error))

        @application.exception_handler(ImageRejected)
        def explain_photo(request: Request, error: ImageRejected) -> Response:
            return self.answer(request, photo_refusal(error))

        @application.exception_handler(RedsError)
        def explain_known(request: Request, error: RedsError) -> Response:
            _logger.error("%s", error)
            sentence = str(error) if self._is_for_operator(request) else _FOR_THE_OPERATOR
            return self.answer(request, HTTPException(_FAILED, sentence))


def _not_understood(error: RequestValidationError) -> Refusal:
    first = error.errors()[0]
    # Names of fields that somebody made up are not repeated to them.
    place = str(first["loc"][0])
    known = first["type"] not in {"extra_forbidden", "json_invalid"} and len(first["loc"]) > 1
    named = f"{place}.{first['loc'][1]}" if known else place
    return Refusal(
        UNPROCESSABLE,
        "not_understood",
        f"The request was not understood at {named} ({first['msg']}), so nothing was changed; "
        "load the page again.",
    )


def _wants_page(request: Request) -> bool:
    """Say whether a browser was sent here by a link or a form, and not by a script."""
    accepted = request.headers.get("accept", "")
    is_for_programs = "/api/" in request.url.path
    return "text/html" in accepted and "application/json" not in accepted and not is_for_programs
