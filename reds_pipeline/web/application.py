"""The one web application of REDS.

What belongs here: putting routers, templates, static files and protection together. What does
not: any page; each brings a router of its own.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from fastapi import FastAPI
from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse
from starlette.templating import Jinja2Templates

from reds_pipeline.resources import Platform
from reds_pipeline.review.desk import ReviewDesk
from reds_pipeline.web.exchange_routes import exchange_router
from reds_pipeline.web.review_routes import review_router
from reds_pipeline.web.security import LoopbackOnly
from reds_pipeline.web.sentences import explain_errors
from reds_pipeline.web.static_files import STATIC_DIRECTORY, VersionedFiles, static_version

_TEMPLATES = Path(__file__).parent / "templates"


def create_application(platform: Platform) -> FastAPI:
    """Return the application for one installation.

    Args:
        platform: Whose home and ledger it shows and writes to.
    """
    # No pages about the interface itself: they load scripts from elsewhere.
    application = FastAPI(title="REDS", docs_url=None, redoc_url=None, openapi_url=None)
    application.add_middleware(LoopbackOnly)
    explain_errors(application)

    version = static_version()
    templates = Jinja2Templates(_TEMPLATES)
    templates.env.globals["static_address"] = lambda path: f"/static/{version}/{path}"
    application.mount(f"/static/{version}", VersionedFiles(directory=STATIC_DIRECTORY))

    def page(name: str, request: Request, context: dict[str, Any]) -> HTMLResponse:
        return templates.TemplateResponse(request, name, context)

    @application.get("/")
    def start() -> RedirectResponse:
        return RedirectResponse("/review")

    desk = ReviewDesk(platform.home, platform.ledger)
    application.include_router(exchange_router(desk))
    application.include_router(
        review_router(
            desk,
            platform.home.images,
            lambda request, context: page("review.html", request, context),
            platform.settings.images_per_class,
        )
    )
    return application
