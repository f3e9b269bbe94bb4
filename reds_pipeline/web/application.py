"""The one web application of REDS.

What belongs here: putting routers, templates, static files and protection together. What does
not: any page; each brings a router of its own.
"""

from __future__ import annotations

import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path
from typing import Any

from fastapi import APIRouter, FastAPI
from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse
from starlette.templating import Jinja2Templates
from uvicorn.middleware.proxy_headers import ProxyHeadersMiddleware

from reds_pipeline.feedback.desk import FeedbackDesk
from reds_pipeline.resources import Platform
from reds_pipeline.review.desk import ReviewDesk
from reds_pipeline.tagging.photo_tagger import PhotoTagger
from reds_pipeline.web.api_routes import api_router
from reds_pipeline.web.body_limits import BoundedBodies
from reds_pipeline.web.exchange_routes import exchange_router
from reds_pipeline.web.failures import FailuresExplained
from reds_pipeline.web.feedback_routes import feedback_router
from reds_pipeline.web.health_routes import health_router
from reds_pipeline.web.login_routes import login_router
from reds_pipeline.web.metrics import Metrics
from reds_pipeline.web.metrics_routes import metrics_router
from reds_pipeline.web.operator_gate import OperatorGate
from reds_pipeline.web.page_maker import PageMaker
from reds_pipeline.web.photo_queue import PhotoQueue
from reds_pipeline.web.rate_limits import RateLimits
from reds_pipeline.web.request_log import RequestLog, json_logger
from reds_pipeline.web.review_routes import review_router
from reds_pipeline.web.security import OwnPagesOnly
from reds_pipeline.web.sentences import Explainer, Refusal
from reds_pipeline.web.site import Site
from reds_pipeline.web.site_limits import SiteLimits
from reds_pipeline.web.static_files import STATIC_DIRECTORY, VersionedFiles, static_version
from reds_pipeline.web.tag_routes import tag_router

_TEMPLATES = Path(__file__).parent / "templates"
# Decisions on all pictures of a large data set, as a file or as a page sends them.
_REVIEW_BYTES = 65_000_000
_UPLOADS = ("/tag", "/why", "/views", "/api/v1/tags")


def create_application(
    platform: Platform,
    *,
    is_public: bool = False,
    is_tagging: bool = True,
    is_quiet: bool = True,
    limits: SiteLimits | None = None,
) -> FastAPI:
    """Return the application for one installation.

    Args:
        platform: Whose home and ledger it shows and writes to.
        is_public: Whether other machines can reach it. A name or a proxy in the settings says so
            too, because a proxy on this machine looks like this machine.
        is_tagging: Whether photos can be tagged; False leaves the review gallery alone, which
            needs no model in memory.
        is_quiet: Whether only requests that failed are logged.
        limits: What may be asked for; by default what follows from the settings.

    Raises:
        RedsError: A setting of the operator's login is not usable.
    """
    settings = platform.settings
    is_public = is_public or bool(settings.page_hosts or settings.trusted_proxies)
    limits = limits or SiteLimits.of(settings)
    page = _page_maker(is_tagging=is_tagging)
    site = _site(platform, limits, page, is_public=is_public)

    @asynccontextmanager
    async def running(_application: FastAPI) -> AsyncIterator[None]:
        if not is_tagging:
            yield
            return
        site.tagger.start()
        try:
            yield
        finally:
            site.tagger.close()

    # No pages about the interface itself: they load scripts from elsewhere.
    application = FastAPI(
        title="REDS", docs_url=None, redoc_url=None, openapi_url=None, lifespan=running
    )
    explainer = Explainer(site.page, partial(_may_read_what_is_wrong, site))
    explainer.install(application)
    _protect(application, site, explainer, is_quiet=is_quiet)
    application.mount(f"/static/{static_version()}", VersionedFiles(directory=STATIC_DIRECTORY))

    routers = [login_router, metrics_router, _review_router]
    if is_tagging:
        routers += [health_router, api_router, feedback_router, tag_router]
    for router in routers:
        application.include_router(router(site))
    if not is_tagging:
        application.add_api_route("/", lambda: RedirectResponse("/review"), methods=["GET"])
    return application


def _site(platform: Platform, limits: SiteLimits, page: PageMaker, *, is_public: bool) -> Site:
    settings = platform.settings
    tagger = PhotoTagger(platform, follow=True)
    return Site(
        platform=platform,
        tagger=tagger,
        feedback=FeedbackDesk(
            platform.home,
            platform.ledger,
            known_tags=lambda: {tag for model in tagger.state().models for tag in model.tags},
            accepts_contributions=settings.contributions != "off",
            contribution_days=settings.contribution_days,
        ),
        operator=OperatorGate(settings, is_public=is_public),
        page=page,
        limits=limits,
        queue=PhotoQueue(limits, lambda: tagger.side, workers=2 * (os.cpu_count() or 1)),
        rates=RateLimits(limits.photos_per_minute, spares_this_machine=not is_public),
        metrics=Metrics(),
        is_public=is_public,
    )


def _may_read_what_is_wrong(site: Site, request: Request) -> bool:
    try:
        return not site.is_public or site.operator.is_operator(request)
    except Refusal:
        return False


def _page_maker(*, is_tagging: bool) -> PageMaker:
    version = static_version()
    templates = Jinja2Templates(_TEMPLATES)
    templates.env.globals["is_tagging"] = is_tagging
    templates.env.globals["static_address"] = lambda path: f"/static/{version}/{path}"

    def page(
        name: str, request: Request, context: dict[str, Any], status_code: int = 200
    ) -> HTMLResponse:
        return templates.TemplateResponse(request, name, context, status_code)

    return page


def _protect(application: FastAPI, site: Site, explainer: Explainer, *, is_quiet: bool) -> None:
    """Put the walls around an application; the one that is added last stands outermost."""
    settings = site.platform.settings
    logger = json_logger()
    largest = {"/review": _REVIEW_BYTES, **dict.fromkeys(_UPLOADS, site.limits.upload_bytes)}
    application.add_middleware(FailuresExplained, explainer=explainer, logger=logger)
    application.add_middleware(
        BoundedBodies, limits=site.limits, largest=largest, explainer=explainer
    )
    application.add_middleware(OwnPagesOnly, names=settings.page_hosts, explainer=explainer)
    application.add_middleware(RequestLog, metrics=site.metrics, logger=logger, is_quiet=is_quiet)
    if settings.trusted_proxies:
        application.add_middleware(
            ProxyHeadersMiddleware, trusted_hosts=list(settings.trusted_proxies)
        )


def _review_router(site: Site) -> APIRouter:
    platform = site.platform
    desk = ReviewDesk(platform.home, platform.ledger)
    router = APIRouter()
    router.include_router(exchange_router(desk, site.operator))
    router.include_router(
        review_router(
            desk,
            platform.home.images,
            partial(site.page, "review.html"),
            platform.settings.images_per_class,
            site.operator,
        )
    )
    return router
