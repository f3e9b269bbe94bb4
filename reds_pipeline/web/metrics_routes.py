"""The address of the numbers that are counted for the operator.

What belongs here: the address, and who may read it. What does not: the numbers (``metrics.py``).
"""

from __future__ import annotations

from fastapi import APIRouter, Depends
from prometheus_client import CONTENT_TYPE_LATEST
from starlette.responses import Response

from reds_pipeline.web.site import Site


def metrics_router(site: Site) -> APIRouter:
    """Return the route ``/metrics``, which is for the operator."""
    router = APIRouter(dependencies=[Depends(site.operator.require_local)])

    @router.get("/metrics")
    def send_metrics() -> Response:
        return Response(
            site.metrics.text(site.tagger.state(), site.queue.waiting),
            media_type=CONTENT_TYPE_LATEST,
        )

    return router
