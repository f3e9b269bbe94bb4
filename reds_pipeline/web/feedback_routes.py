"""The pages where people answer recommended tags, and delete what they have given.

What belongs here: their addresses and forms, which work without JavaScript. What does not: the
suggestions themselves (``tag_routes.py``) and the addresses for programs (``feedback_api.py``).
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import parse_qsl

from fastapi import APIRouter
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, Response

from reds_pipeline.feedback.answers import FeedbackForm, FeedbackRefused, opened
from reds_pipeline.feedback.consent import consent_sentences
from reds_pipeline.feedback.typed_tags import typed_tags
from reds_pipeline.tagging.hashtag_form import as_hashtag, tag_key
from reds_pipeline.web.feedback_api import feedback_api, record, refusal_of
from reds_pipeline.web.sentences import UNPROCESSABLE, Refusal
from reds_pipeline.web.site import Site
from reds_pipeline.web.upload_deletion import delete_upload, find_upload

Fields = Mapping[str, Sequence[str]]

_FORM = "application/x-www-form-urlencoded"
_MOST_FIELDS = 200
_VERDICT = "verdict-"
_YES = "yes"
_OK = 200
_LONGEST_CODE = 64
_NO_CODE = "No code was entered; copy the one that was shown when the photo was given."


def feedback_router(site: Site) -> APIRouter:
    """Return the routes about feedback and contributed photos, for people and for programs.

    Args:
        site: Whose feedback it is.
    """
    router = APIRouter()
    router.include_router(feedback_api(site))
    router.include_router(_feedback_page(site))
    router.include_router(_uploads_page(site))
    return router


def _feedback_page(site: Site) -> APIRouter:
    router = APIRouter(include_in_schema=False)

    @router.post("/feedback")
    async def take_feedback(request: Request) -> Response:
        site.rates.take_form(request)
        fields = await _read_fields(request)
        token = _only(fields, "answer")
        suggestions = await run_in_threadpool(_suggested, site, token)
        form = _form_of(fields, suggestions)
        receipt = await run_in_threadpool(record, site, token, form)
        if "application/json" in request.headers.get("accept", ""):
            return JSONResponse({"sentence": receipt.sentence, "recorded": receipt.recorded})
        context = {"sentence": receipt.sentence, "line_tags": _line_of(fields, form)}
        return site.page("feedback.html", request, context)

    return router


def _uploads_page(site: Site) -> APIRouter:
    router = APIRouter(include_in_schema=False)

    def page(request: Request, context: dict[str, Any], status: int = _OK) -> HTMLResponse:
        usual = {
            "code": "",
            "found": None,
            "deleted": "",
            "problem": "",
            "sentences": consent_sentences(site.feedback.contribution_days),
            "takes_photos": site.feedback.accepts_contributions,
        }
        return site.page("uploads.html", request, {**usual, **context}, status)

    @router.get("/uploads")
    def show_form(request: Request) -> HTMLResponse:
        return page(request, {})

    @router.post("/uploads")
    async def find_or_delete(request: Request) -> HTMLResponse:
        # Codes cannot be guessed; whoever tries should not keep the disk busy either.
        site.rates.take_form(request)
        fields = await _read_fields(request)
        code = _only(fields, "code").strip()[:_LONGEST_CODE]
        if not code:
            return page(request, {"problem": _NO_CODE}, UNPROCESSABLE)
        try:
            if _only(fields, "confirm") != _YES:
                found = await run_in_threadpool(find_upload, site, code)
                return page(request, {"code": code, "found": found})
            sentence, afterwards = await run_in_threadpool(delete_upload, site, code)
        except Refusal as refusal:
            return page(request, {"code": code, "problem": refusal.sentence}, refusal.status_code)
        answer = page(request, {"deleted": sentence})
        answer.background = afterwards
        return answer

    return router


async def _read_fields(request: Request) -> Fields:
    """Return the fields of a form by name, each with all of its values.

    Raises:
        Refusal: It is no form of this kind, or has too many fields.
    """
    if request.headers.get("content-type", "").split(";")[0].strip().lower() != _FORM:
        raise Refusal(
            415,
            "no_form",
            "Nothing was changed because the request is not a form of this page; load the page "
            "again.",
        )
    body = await request.body()
    fields: dict[str, list[str]] = defaultdict(list)
    try:
        text = body.decode("ascii")
        for name, value in parse_qsl(
            text, keep_blank_values=True, max_num_fields=_MOST_FIELDS, errors="replace"
        ):
            fields[name].append(value)
    except ValueError as error:
        raise Refusal(
            400,
            "broken_form",
            "Nothing was changed because the form that was sent is broken; load the page again.",
        ) from error
    return fields


def _only(fields: Fields, name: str) -> str:
    """Return the last value of a field, or nothing."""
    values = fields.get(name)
    return values[-1] if values else ""


def _suggested(site: Site, token: str) -> dict[str, str]:
    """Return the suggested tags that a token stands for, by the name of their field."""
    try:
        answer = opened(token, site.platform.home.seal)
    except FeedbackRefused as refused:
        raise refusal_of(refused) from refused
    return {f"{_VERDICT}{each.rank}": each.tag for each in answer.suggestions}


def _form_of(fields: Fields, suggestions: Mapping[str, str]) -> FeedbackForm:
    """Return what the fields say; a suggestion with both boxes ticked is left out."""
    said = {tag: set(fields.get(name, ())) for name, tag in suggestions.items()}
    return FeedbackForm(
        accepted=tuple(tag for tag, values in said.items() if values == {"accept"}),
        rejected=tuple(tag for tag, values in said.items() if values == {"reject"}),
        added=typed_tags(_only(fields, "added")),
        none_of_these=_only(fields, "none_of_these") == _YES,
    )


def _line_of(fields: Fields, form: FeedbackForm) -> tuple[str, ...]:
    """Return the hashtags of the closing line: own ones first, none twice."""
    own = typed_tags(",".join(fields.get("own", ())))
    chosen = (*own, *map(as_hashtag, form.accepted), *form.added)
    return tuple({tag_key(tag): tag for tag in reversed(chosen)}.values())[::-1]
