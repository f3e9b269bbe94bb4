"""Whether the page lives, and whether it can tag photos.

What belongs here: what supervisors of services ask for every few seconds. What does not: details,
which are the operator's (``metrics.py``, the log).
"""

from __future__ import annotations

from fastapi import APIRouter
from starlette.responses import JSONResponse

from reds_pipeline.web.site import Site

HEALTH = "/health"


def health_router(site: Site) -> APIRouter:
    """Return the routes ``/health/live`` and ``/health/ready``.

    Args:
        site: Whose tagger is asked.
    """
    router = APIRouter(prefix=HEALTH)

    @router.get("/live")
    async def say_alive() -> JSONResponse:
        return JSONResponse({"status": "live"})

    @router.get("/ready")
    async def say_ready() -> JSONResponse:
        if site.tagger.state().is_ready:
            return JSONResponse({"status": "ready"})
        sentence = "There is no model to tag photos with yet; it is looked for again by itself."
        return JSONResponse(
            {"status": "not ready", "sentence": sentence, "reason": "no_model"},
            503,
            {"Retry-After": "10"},
        )

    return router
