"""Errors as the pages tell them: always ``{"sentence": ...}``.

What belongs here: turning whatever goes wrong while answering into one plain sentence. What does
not: finding out what went wrong.
"""

from __future__ import annotations

from fastapi import FastAPI
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse

from reds_pipeline.errors import RedsError

UNPROCESSABLE = 422
_FAILED = 500
_SENTENCES = {
    404: "There is nothing at this address; go back to the page and load it again.",
    405: "This address cannot be used in this way; go back to the page and load it again.",
}


def explain_errors(application: FastAPI) -> None:
    """Make an application answer every error with a sentence."""

    @application.exception_handler(HTTPException)
    def explain_refusal(_request: Request, error: HTTPException) -> JSONResponse:
        # Starlette's own ones carry the name of their code; ours carry a sentence.
        own = str(error.detail)
        sentence = own if own.endswith(".") else _SENTENCES.get(error.status_code, f"{own}.")
        return JSONResponse({"sentence": sentence}, error.status_code, error.headers)

    @application.exception_handler(RequestValidationError)
    def explain_bad_request(_request: Request, error: RequestValidationError) -> JSONResponse:
        first = error.errors()[0]
        place = ".".join(str(part) for part in first["loc"])
        return JSONResponse(
            {
                "sentence": f"The request was not understood at {place} ({first['msg']}), so "
                "nothing was changed; load the page again."
            },
            UNPROCESSABLE,
        )

    @application.exception_handler(RedsError)
    def explain_known(_request: Request, error: RedsError) -> JSONResponse:
        return JSONResponse({"sentence": str(error)}, _FAILED)

    @application.exception_handler(Exception)
    def explain_unknown(_request: Request, _error: Exception) -> JSONResponse:
        # The server prints its traceback: Starlette raises it again after this answer.
        return JSONResponse(
            {
                "sentence": "Something went wrong inside REDS; what it printed where it was "
                "started says what, and nothing of this request was kept."
            },
            _FAILED,
        )
