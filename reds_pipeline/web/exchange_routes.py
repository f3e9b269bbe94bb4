"""The addresses under which decisions leave as files and come back.

What belongs here: downloads and uploads. What does not: the forms of the files (``review``).
"""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter, HTTPException, UploadFile
from starlette.responses import Response

from reds_pipeline.errors import RedsError
from reds_pipeline.review.csv_format import write_csv
from reds_pipeline.review.desk import ReviewDesk, ReviewedGallery
from reds_pipeline.review.imports import read_decision_file
from reds_pipeline.review.label_studio import labelling_configuration, write_label_studio
from reds_pipeline.web.operator_gate import OperatorGate
from reds_pipeline.web.sentences import UNPROCESSABLE

_MOST_IMPORTED_BYTES = 64_000_000


def exchange_router(desk: ReviewDesk, gate: OperatorGate) -> APIRouter:
    """Return the routes that export and import the decisions of one home.

    Args:
        desk: Of the home.
        gate: Says who may come here.
    """
    router = APIRouter(prefix="/review/api", route_class=gate.route_class)

    @router.get("/decisions.csv")
    def export_csv() -> Response:
        decided = desk.reviewed().decided()
        return _download(write_csv(decided), "text/csv", "decisions.csv")

    @router.get("/decisions.json")
    def export_label_studio() -> Response:
        reviewed = desk.reviewed()
        tasks = write_label_studio(reviewed.gallery.pictures, reviewed.decisions)
        return _download(tasks, "application/json", "decisions.json")

    @router.get("/label-studio.xml")
    def export_configuration() -> Response:
        configuration = labelling_configuration(_choices(desk.reviewed()))
        return _download(configuration, "application/xml", "label-studio.xml")

    @router.post("/import")
    def import_decisions(file: UploadFile) -> dict[str, Any]:
        data = file.file.read(_MOST_IMPORTED_BYTES + 1)
        if len(data) > _MOST_IMPORTED_BYTES:
            raise HTTPException(
                UNPROCESSABLE,
                "The file was not imported because it is larger than 64 MB; nothing was changed.",
            )
        try:
            decisions = read_decision_file(data)
        except RedsError as error:
            raise HTTPException(UNPROCESSABLE, str(error)) from error
        report = desk.take_in(decisions)
        return {
            "recorded": report.recorded,
            "unknown": report.unknown,
            "unchanged": report.unchanged,
            "sentence": report.sentence,
        }

    return router


def _choices(reviewed: ReviewedGallery) -> list[str]:
    """Return the classes, and those that people named besides."""
    named = {recorded.decision.label for recorded in reviewed.decisions.values()} - {""}
    return sorted({*reviewed.gallery.classes, *named})


def _download(content: str, media_type: str, name: str) -> Response:
    return Response(
        content,
        media_type=media_type,
        headers={"Content-Disposition": f'attachment; filename="{name}"'},
    )
