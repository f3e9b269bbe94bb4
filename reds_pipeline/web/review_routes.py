"""The addresses of the review gallery.

What belongs here: from requests to the reviewer's desk and back. What does not: what happens
there (``review``), who may ask (``security.py``), and files with decisions
(``exchange_routes.py``).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated, Any, Literal

from fastapi import APIRouter, HTTPException, Query
from pydantic import BaseModel, ConfigDict, Field
from starlette.requests import Request
from starlette.responses import FileResponse, HTMLResponse, Response

from reds_pipeline.review.decisions import LABEL, Decision, Verdict
from reds_pipeline.review.desk import ReviewDesk
from reds_pipeline.review.gallery import GalleryPicture
from reds_pipeline.review.imported_decision import is_class_name
from reds_pipeline.storage.images import ImageStore
from reds_pipeline.web.gallery_json import GalleryAnswers, decision_json, progress_json
from reds_pipeline.web.operator_gate import OperatorGate
from reds_pipeline.web.sentences import UNPROCESSABLE
from reds_pipeline.web.thumbnails import Thumbnails

APPLY_COMMAND = "reds retrain"
"""What a person runs so that the data set and the models follow the decisions."""

# What a browser keeps on its disk is out of the reach of a withdrawal.
_NOT_KEPT = "private, no-store"
_MOST_DECISIONS = 100_000
_NOT_HERE = "This picture is not here (any more); load the page again."
_MEDIA_TYPES = {"jpg": "image/jpeg", "png": "image/png", "webp": "image/webp"}


class PictureDecision(BaseModel):
    """What the page sends about one picture."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    id: str = Field(pattern="^[0-9a-f]{64}$")
    verdict: Verdict | Literal["undecided"]
    label: str = ""


class PictureDecisions(BaseModel):
    """What the page sends about pictures that a person decided in one go."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    decisions: list[PictureDecision] = Field(max_length=_MOST_DECISIONS)
    batch: str = Field("", pattern="^([0-9a-f]{32})?$")


def review_router(
    desk: ReviewDesk,
    store: ImageStore,
    page: Callable[[Request, dict[str, Any]], HTMLResponse],
    per_class: int,
    gate: OperatorGate,
) -> APIRouter:
    """Return the routes of the review gallery of one home.

    Args:
        desk: Of the home.
        store: The pictures of the home.
        page: Gives the page itself, from a request and what its template needs.
        per_class: How many pictures a class is to have.
        gate: Says who may come here.
    """
    router = APIRouter(prefix="/review", route_class=gate.route_class)
    answers = GalleryAnswers(per_class)
    thumbnails = Thumbnails(store)

    @router.get("")
    def show_page(request: Request) -> HTMLResponse:
        return page(
            request, {"apply_command": APPLY_COMMAND, "form_token": gate.form_token(request)}
        )

    @router.get("/api/gallery")
    def send_gallery(request: Request) -> Response:
        answer = answers.answer(desk.reviewed())
        tag = f'"{answer.revision}"'
        headers = {
            "ETag": tag,
            "Cache-Control": "private, no-cache",
            "Vary": "Accept-Encoding",
        }
        if tag in request.headers.get("if-none-match", ""):
            return Response(status_code=304, headers=headers)
        content = answer.plain
        if "gzip" in request.headers.get("accept-encoding", ""):
            content = answer.compressed
            headers["Content-Encoding"] = "gzip"
        return Response(content, headers=headers, media_type="application/json")

    @router.get("/thumbnails/{sha256}")
    def send_thumbnail(sha256: str, side: Annotated[int, Query(ge=1, le=4096)] = 256) -> Response:
        picture = _held_picture(desk, sha256)
        data = thumbnails.thumbnail(picture.sha256, picture.extension, side)
        if data is None:
            raise HTTPException(404, _NOT_HERE)
        return Response(data, media_type="image/jpeg", headers={"Cache-Control": _NOT_KEPT})

    @router.get("/pictures/{sha256}")
    def send_picture(sha256: str) -> Response:
        picture = _held_picture(desk, sha256)
        path = store.path(picture.sha256, picture.extension)
        if not path.is_file():
            raise HTTPException(404, _NOT_HERE)
        return FileResponse(
            path,
            media_type=_MEDIA_TYPES.get(picture.extension),
            headers={"Cache-Control": _NOT_KEPT},
        )

    @router.post("/api/decisions")
    def record_decisions(body: PictureDecisions) -> dict[str, Any]:
        batch, unknown = desk.decide(
            [(each.id, _decision(each)) for each in body.decisions], batch=body.batch
        )
        return {
            "batch": batch.batch,
            "recorded": batch.recorded,
            "unknown": unknown,
            "progress": progress_json(desk.reviewed().progress),
        }

    @router.post("/api/undo")
    def undo_batch() -> dict[str, Any]:
        undone = desk.undo()
        if undone is None:
            raise HTTPException(409, "There is nothing to undo.")
        batch, sha256s = undone
        reviewed = desk.reviewed()
        return {
            "batch": batch,
            "changed": [
                {"id": sha256, **decision_json(reviewed.decisions.get(sha256))}
                for sha256 in sha256s
            ],
            "progress": progress_json(reviewed.progress),
        }

    return router


def _held_picture(desk: ReviewDesk, sha256: str) -> GalleryPicture:
    """Return a picture of the gallery; whatever else is asked for, no path is made of it."""
    picture = desk.gallery().by_sha256.get(sha256)
    if picture is None:
        raise HTTPException(404, _NOT_HERE)
    return picture


def _decision(sent: PictureDecision) -> Decision | None:
    if sent.verdict == "undecided":
        return None
    if sent.verdict == LABEL:
        if not is_class_name(sent.label):
            raise HTTPException(
                UNPROCESSABLE,
                "Nothing was recorded because a picture was given a label that cannot be the "
                "name of a class; choose one that begins with a letter or a digit.",
            )
        return Decision(LABEL, sent.label)
    # Under which class a kept picture was shown is known here; the page may be behind.
    return Decision(sent.verdict)
