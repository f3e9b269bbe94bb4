"""The interface for programs: tags for a photo, the models that serve, and its own description.

What belongs here: the addresses below ``/api/v1`` but those about feedback
(``feedback_routes.py``). What does not: the shapes (``api_models.py``).
"""

from __future__ import annotations

from dataclasses import replace
from typing import Annotated

from fastapi import APIRouter, Query
from pydantic import BaseModel, ConfigDict, Field
from starlette.requests import Request
from starlette.responses import JSONResponse

from reds_pipeline.tagging.recommendation import View
from reds_pipeline.web.api_description import API, describe_api, problems
from reds_pipeline.web.api_models import LimitsAnswer, ModelStateAnswer, TagsAnswer
from reds_pipeline.web.operator_gate import is_local
from reds_pipeline.web.photo_bodies import read_single_photo, recommend_then
from reds_pipeline.web.site import Site

_PROBLEMS = {
    400: "The form is broken.",
    403: "Another web site sent the request.",
    408: "The photo did not arrive in time.",
    413: "The file has too many bytes, or the photo too many pixels.",
    415: "It is no picture, or one of a format that is not supported.",
    422: "The request was not understood, or the photo is broken, animated or too small.",
    429: "This address sent too many photos; `Retry-After` says when to go on.",
    503: "There is no model yet, or too many photos wait; `Retry-After` says when to go on.",
}
_PHOTO_BODY = {
    "required": True,
    "description": "The photo alone, or in the part `photo` of a form. Its name is never looked "
    "at, and nothing of it is kept.",
    "content": {
        "multipart/form-data": {
            "schema": {
                "type": "object",
                "required": ["photo"],
                "properties": {
                    "photo": {"type": "string", "format": "binary", "description": "The file."}
                },
            }
        },
        **{
            media_type: {"schema": {"type": "string", "format": "binary"}}
            for media_type in (
                *("image/jpeg", "image/png", "image/webp", "image/heic"),
                *("image/avif", "image/gif", "application/octet-stream"),
            )
        },
    },
}


class TagsQuery(BaseModel):
    """What may be chosen about an answer."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    view: View = Field(
        "centre",
        description="How the photo becomes a square: `centre` as in training, `whole` squeezed, "
        "`windows` that slide over it and vote.",
    )
    compare: bool = Field(
        False, description="Whether to look in all three ways and say how far they agree."
    )
    threshold: float = Field(
        0.0, ge=0, le=1, description="Chance below which suggestions are left out."
    )


def api_router(site: Site) -> APIRouter:
    """Return the routes of the interface for programs.

    Args:
        site: Whose models are asked.
    """
    router = APIRouter(prefix=API, tags=["tags"])

    @router.post(
        "/tags",
        summary="Recommend tags for a photo",
        response_model=TagsAnswer,
        responses=problems(_PROBLEMS),
        openapi_extra={"requestBody": _PHOTO_BODY},
    )
    async def recommend_tags(request: Request, query: Annotated[TagsQuery, Query()]) -> TagsAnswer:
        data = await read_single_photo(request, site)
        recommendation = await recommend_then(
            site, data, query.view, query.compare, lambda _photo, found: found
        )
        shown = replace(
            recommendation,
            suggestions=tuple(
                suggestion
                for suggestion in recommendation.suggestions
                if suggestion.probability >= query.threshold
            ),
        )
        # What was left out was not shown: people's answers are counted by what they saw.
        return TagsAnswer.of(shown, site.feedback.shown(shown))

    @router.get(
        "/model",
        summary="Say which models serve now",
        response_model=ModelStateAnswer,
    )
    async def say_models(request: Request) -> ModelStateAnswer:
        limits = LimitsAnswer(
            photo_bytes=min(site.limits.photo_bytes, site.limits.upload_bytes),
            photos_per_minute=site.limits.photos_per_minute,
        )
        state = site.tagger.state()
        # It can name directories and addresses of the operator's machines.
        problem = state.problem
        if problem and not (site.operator.is_operator(request) or is_local(request)):
            problem = "A newer model cannot take over; the operator can read why."
        return ModelStateAnswer.of(state, limits, problem)

    @router.get("/openapi.json", include_in_schema=False)
    async def describe(request: Request) -> JSONResponse:
        return JSONResponse(describe_api(request.app))

    return router
