"""Pixelfed 0.12.6 as a Starlette application over a town: routes, token, errors.

Belongs here: which part answers which path, and who may ask (fediverse.md 2.1 and 2.8). The parts
are ``timelines`` (with a token), ``guest_api``, ``pages`` and ``files``; sockets and threads are
``instance``.
"""

from __future__ import annotations

import secrets

from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, RedirectResponse, Response
from starlette.routing import Route

from reds_pipeline.demo.live_posts import LivePosts
from reds_pipeline.demo.pixelfed import answers, documents
from reds_pipeline.demo.pixelfed.files import FileAnswers
from reds_pipeline.demo.pixelfed.gatekeepers import Gatekeepers
from reds_pipeline.demo.pixelfed.guest_api import GuestAnswers
from reds_pipeline.demo.pixelfed.options import InstanceOptions
from reds_pipeline.demo.pixelfed.pages import PageAnswers
from reds_pipeline.demo.pixelfed.site import Site
from reds_pipeline.demo.pixelfed.timelines import TokenAnswers
from reds_pipeline.demo.town.town import Town

__all__ = ["InstanceOptions", "PixelfedApplication"]


class PixelfedApplication:
    """Answers requests about a town; ``starlette`` is the ASGI application."""

    def __init__(
        self, town: Town, posts: LivePosts, options: InstanceOptions, base_url: str, token: str
    ) -> None:
        """Wire the routes.

        Args:
            town: Gives the bytes of the files.
            posts: What the instance holds now.
            options: Behaviour.
            base_url: The instance's own address, without a slash at the end.
            token: The bearer token to accept.
        """
        self._site = Site(town, posts, options, base_url)
        self._token = token
        pages = PageAnswers(self._site)
        open_routes = {
            **GuestAnswers(self._site).routes,
            **self._about_itself(),
            **FileAnswers(self._site).routes,
            **pages.routes,
            "/{username}": pages.profile,
        }
        protected = TokenAnswers(self._site).routes
        routes = [Route(path, self._guarded(answer)) for path, answer in protected.items()]
        routes += [Route(path, answer) for path, answer in open_routes.items()]
        self.starlette = Starlette(
            routes=routes,
            exception_handlers=answers.EXCEPTION_HANDLERS,
            middleware=[Middleware(Gatekeepers, options=options)],
        )

    def _about_itself(self) -> answers.Routes:
        base_url, posts = self._site.base_url, self._site.posts
        return {
            "/robots.txt": self._robots,
            "/.well-known/nodeinfo": lambda _request: JSONResponse(
                documents.nodeinfo_links(base_url)
            ),
            "/api/nodeinfo/2.0.json": lambda _request: JSONResponse(
                documents.nodeinfo(posts.all())
            ),
            "/api/v1/instance": lambda _request: JSONResponse(
                documents.instance_v1(base_url, posts.all())
            ),
            "/api/v2/instance": lambda _request: JSONResponse(
                documents.instance_v2(base_url, posts.all())
            ),
        }

    def _guarded(self, answer: answers.Answer) -> answers.Answer:
        """Let only the holder of the token through, with 0.12.6's odd refusals."""

        def guarded(request: Request) -> Response:
            sent = request.headers.get("authorization", "")
            if secrets.compare_digest(sent.encode(), f"Bearer {self._token}".encode()):
                if not self._site.options.token_may_read:
                    answers.refuse(403)
                return answer(request)
            if not self._site.options.legacy_auth_errors:
                return JSONResponse({"error": "Unauthenticated."}, 401)
            if answers.wants_json(request):
                return JSONResponse({"error": "Unauthenticated."}, 500)
            return RedirectResponse(f"{self._site.base_url}/login", 302)

        return guarded

    def _robots(self, request: Request) -> Response:
        if self._site.options.robots_txt is None:
            return answers.error(request, 404)
        return PlainTextResponse(self._site.options.robots_txt)
