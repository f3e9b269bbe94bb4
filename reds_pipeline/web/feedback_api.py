"""The interface for programs about feedback and contributed photos.

What belongs here: the addresses. What does not: the shapes (``feedback_models.py``) and the pages
(``feedback_routes.py``).
"""

from __future__ import annotations

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import JSONResponse

from reds_pipeline.feedback.answers import FeedbackForm, FeedbackReceipt, FeedbackRefused
from reds_pipeline.web.api_description import API, problems
from reds_pipeline.web.feedback_models import (
    FeedbackNoted,
    FeedbackRequest,
    UploadDeleted,
    UploadDeletion,
)
from reds_pipeline.web.sentences import Refusal
from reds_pipeline.web.site import Site
from reds_pipeline.web.upload_deletion import delete_upload

_STATUS: dict[str, int] = {
    "unreadable": 422,
    "outdated": 410,
    "contradiction": 422,
    "not_shown": 422,
    "too_often": 429,
}
_PROBLEMS = {
    400: "The body is no JSON.",
    403: "Another web site sent the request.",
    404: "No photo is kept under this code.",
    408: "The request did not arrive in time.",
    410: "The suggestions are more than a day old.",
    413: "The body is too large.",
    422: "The request was not understood, or contradicts itself.",
    429: "The answer about this photo was changed too often, or this address asked too often.",
    503: "Too much is being sent by others; `Retry-After` says when to go on.",
}
_NO_STORE = {"Cache-Control": "no-store"}


def feedback_api(site: Site) -> APIRouter:
    """Return the routes for programs.

    Args:
        site: Whose feedback it is.
    """
    router = APIRouter(prefix=API, tags=["feedback"])

    @router.post(
        "/feedback",
        summary="Say which of the recommended tags are right",
        response_model=FeedbackNoted,
        responses=problems(_without(404)),
    )
    def take_feedback(request: Request, feedback: FeedbackRequest) -> FeedbackNoted:
        site.rates.take_form(request)
        return FeedbackNoted.of(record(site, feedback.answer, feedback.form))

    @router.post(
        "/uploads/delete",
        summary="Delete a contributed photo by its code",
        response_model=UploadDeleted,
        responses=problems(_without(410)),
    )
    def delete(request: Request, upload: UploadDeletion) -> JSONResponse:
        site.rates.take_form(request)
        sentence, afterwards = delete_upload(site, upload.code)
        return JSONResponse({"sentence": sentence}, headers=_NO_STORE, background=afterwards)

    return router


def record(site: Site, token: str, form: FeedbackForm) -> FeedbackReceipt:
    """Record a form.

    Raises:
        Refusal: It cannot be taken (4xx).
    """
    try:
        return site.feedback.record(token, form)
    except FeedbackRefused as refused:
        raise refusal_of(refused) from refused


def refusal_of(refused: FeedbackRefused) -> Refusal:
    """Return how feedback is refused that cannot be taken."""
    return Refusal(_STATUS[refused.reason], refused.reason, str(refused))


def _without(status: int) -> dict[int, str]:
    return {other: why for other, why in _PROBLEMS.items() if other != status}
