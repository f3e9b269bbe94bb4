"""Pixelfed 0.12.6 as a Starlette application over a town: routes, tokens, parameters, errors.

Belongs here: how requests are answered (fediverse.md 2.2 to 2.8). Which posts a page holds is
``feeds``; their JSON is ``entities``; other documents are ``documents``; sockets and threads are
``instance``.
"""

from __future__ import annotations

import io
import secrets
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from PIL import Image, ImageOps
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import (
    HTMLResponse,
    JSONResponse,
    PlainTextResponse,
    RedirectResponse,
    Response,
)
from starlette.routing import Route

from reds_pipeline.demo.live_posts import LivePosts
from reds_pipeline.demo.pixelfed import documents, feeds
from reds_pipeline.demo.pixelfed.entities import NO_PREVIEW_PATH, account_entity, post_entity
from reds_pipeline.demo.posts import Author, Post
from reds_pipeline.demo.town import Town

Answer = Callable[[Request], Response]

_THUMBNAIL_SIDE = 640
_PLACEHOLDER_GREY = (222, 226, 230)
_LARGEST_ID = 2**63 - 1


@dataclass(frozen=True)
class InstanceOptions:
    """How the instance behaves where versions and operators differ.

    Attributes:
        legacy_auth_errors: ``True``: a missing token is answered with 500 or a redirect to the
            login page, as in 0.12.6; ``False``: with 401.
        visibility_leak: ``True``: followers-only posts stand in hashtag timelines, as in 0.12.6.
        scan_rows: Rows that a hashtag request looks at.
        feed_cap: Posts in a cached public feed, ``None`` for an uncached one.
        unreadable_post_id: A post that makes every page holding it fail with 500 (fediverse.md
            6, trap 8); ``None`` for none.
        latency_seconds: Delay before each answer.
        robots_txt: The robots file; ``None`` to have none (404).
    """

    legacy_auth_errors: bool = True
    visibility_leak: bool = True
    scan_rows: int = feeds.TAG_SCAN_ROWS
    feed_cap: int | None = None
    unreadable_post_id: str | None = None
    latency_seconds: float = 0.0
    robots_txt: str | None = documents.ROBOTS_TXT


class _InvalidParameterError(Exception):
    """A query parameter that Pixelfed's validation refuses."""

    def __init__(self, name: str, complaint: str) -> None:
        super().__init__(complaint)
        self.name = name


def _wants_json(request: Request) -> bool:
    """Whether the first value of ``Accept`` names JSON, which is all Pixelfed looks at."""
    first = request.headers.get("accept", "").split(",")[0]
    return "/json" in first or "+json" in first


def _error(request: Request, status: int, message: str = "") -> Response:
    if _wants_json(request):
        return JSONResponse({"error": message}, status)
    return HTMLResponse(f"<!DOCTYPE html><html><body>{status}</body></html>", status)


def _unknown_route(request: Request, _error_raised: Exception) -> Response:
    path = request.url.path.lstrip("/")
    return _error(request, 404, f"The route {path} could not be found.")


def _invalid_parameter(request: Request, refusal: Exception) -> Response:
    if not isinstance(refusal, _InvalidParameterError):
        raise refusal
    if not _wants_json(request):
        return RedirectResponse("/", 302)
    complaint = str(refusal)
    return JSONResponse({"message": complaint, "errors": {refusal.name: [complaint]}}, 500)


def _integer(request: Request, name: str, minimum: int) -> int | None:
    text = request.query_params.get(name)
    if text is None or text == "":
        return None
    if not (text.isascii() and text.isdigit()) or int(text) > _LARGEST_ID:
        raise _InvalidParameterError(name, f"The {name} field must be an integer.")
    if int(text) < minimum:
        raise _InvalidParameterError(name, f"The {name} field must be at least {minimum}.")
    return int(text)


def _page_request(request: Request) -> feeds.PageRequest:
    return feeds.PageRequest(
        limit=_integer(request, "limit", 1) or feeds.DEFAULT_PAGE,
        max_id=_integer(request, "max_id", 0),
        min_id=_integer(request, "min_id", 0),
    )


def _flag(request: Request, name: str) -> bool:
    return request.query_params.get(name, "").lower() in {"1", "true", "on", "yes"}


def _wants_pixelfed_shape(request: Request) -> bool:
    return "_pe" in request.query_params


def _image_bytes(image: Image.Image, file_format: str) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, file_format)
    return buffer.getvalue()


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
        self._town = town
        self._posts = posts
        self._options = options
        self._base_url = base_url
        self._token = token
        protected: dict[str, Answer] = {
            "/api/v1/accounts/verify_credentials": self._own_account,
            "/api/v1/timelines/public": self._public_timeline,
            "/api/v1/timelines/tag/{tag}": self._tag_timeline,
            "/api/v1/statuses/{post_id}": self._status,
        }
        anonymous: dict[str, Answer] = {
            "/": lambda _request: HTMLResponse(documents.front_page(base_url)),
            "/login": lambda _request: HTMLResponse(documents.LOGIN_PAGE),
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
            NO_PREVIEW_PATH: self._no_preview,
            "/storage/m/_v2/{rest:path}": self._media,
            "/users/{username}": self._actor,
            "/{username}": self._profile,
        }
        routes = [Route(path, self._guarded(answer)) for path, answer in protected.items()]
        routes += [Route(path, answer) for path, answer in anonymous.items()]
        self.starlette = Starlette(
            routes=routes,
            exception_handlers={404: _unknown_route, _InvalidParameterError: _invalid_parameter},
        )

    def _guarded(self, answer: Answer) -> Answer:
        """Let only the holder of the token through, with 0.12.6's odd refusals."""

        def guarded(request: Request) -> Response:
            sent = request.headers.get("authorization", "")
            if secrets.compare_digest(sent.encode(), f"Bearer {self._token}".encode()):
                return answer(request)
            if not self._options.legacy_auth_errors:
                return JSONResponse({"error": "Unauthenticated."}, 401)
            if _wants_json(request):
                return JSONResponse({"error": "Unauthenticated."}, 500)
            return RedirectResponse(f"{self._base_url}/login", 302)

        return guarded

    def _own_account(self, request: Request) -> Response:
        owner = Author("1", "collector", "Collector", "", self._town.now)
        shape = _wants_pixelfed_shape(request)
        return JSONResponse(account_entity(owner, self._base_url, pixelfed_shape=shape))

    def _entities(self, request: Request, posts: Sequence[Post]) -> list[dict[str, Any]]:
        shape = _wants_pixelfed_shape(request)
        return [post_entity(post, self._base_url, pixelfed_shape=shape) for post in posts]

    def _page(self, request: Request, posts: Sequence[Post], link: str | None = None) -> Response:
        if any(post.post_id == self._options.unreadable_post_id for post in posts):
            return _error(request, 500, "Server Error")
        headers = {"Link": link} if link else None
        return JSONResponse(self._entities(request, posts), headers=headers)

    def _public_timeline(self, request: Request) -> Response:
        page_request = _page_request(request)
        local, remote = _flag(request, "local"), _flag(request, "remote")
        page = feeds.public_page(
            self._posts.all(),
            page_request,
            local=local,
            remote=remote,
            feed_cap=self._options.feed_cap,
        )
        address = f"{self._base_url}/api/v1/timelines/public"
        link = feeds.public_link_header(page, address, page_request, local=local, remote=remote)
        return self._page(request, page, link)

    def _tag_timeline(self, request: Request) -> Response:
        page = feeds.tag_page(
            self._posts.all(),
            request.path_params["tag"],
            _page_request(request),
            visibility_leak=self._options.visibility_leak,
            scan_rows=self._options.scan_rows,
        )
        return self._page(request, page)

    def _status(self, request: Request) -> Response:
        found = self._posts.post(request.path_params["post_id"])
        if found is None or found.author.suspended:
            return _error(request, 404)
        if found.visibility == "private":
            return _error(request, 403)
        return JSONResponse(self._entities(request, [found])[0])

    def _robots(self, request: Request) -> Response:
        if self._options.robots_txt is None:
            return _error(request, 404)
        return PlainTextResponse(self._options.robots_txt)

    def _actor(self, request: Request) -> Response:
        author = self._posts.local_author(request.path_params["username"])
        if author is None:
            return _error(request, 404)
        if _wants_json(request):
            return JSONResponse(
                documents.actor(author, self._base_url), media_type="application/activity+json"
            )
        return RedirectResponse(f"{self._base_url}/{author.username}", 302)

    def _profile(self, request: Request) -> Response:
        author = self._posts.local_author(request.path_params["username"])
        if author is None or author.suspended:
            return _error(request, 404)
        return HTMLResponse(documents.profile_page(author, self._base_url))

    def _no_preview(self, _request: Request) -> Response:
        placeholder = Image.new("RGB", (_THUMBNAIL_SIDE, _THUMBNAIL_SIDE), _PLACEHOLDER_GREY)
        return Response(_image_bytes(placeholder, "PNG"), media_type="image/png")

    def _media(self, request: Request) -> Response:
        """Serve a file by the type its name promises, true or not; missing files redirect."""
        path = request.url.path
        if path.endswith("_thumb.jpg"):
            return self._thumbnail(path.removesuffix("_thumb.jpg"))
        attachment = self._posts.attachment(path)
        if attachment is None:
            return self._missing_file()
        extension = path.rpartition(".")[2].replace("jpg", "jpeg")
        return Response(self._town.file(attachment), media_type=f"image/{extension}")

    def _thumbnail(self, stem: str) -> Response:
        originals = (self._posts.attachment(f"{stem}.{kind}") for kind in ("jpg", "jpeg", "png"))
        attachment = next((original for original in originals if original is not None), None)
        if attachment is None:
            return self._missing_file()
        try:
            with Image.open(io.BytesIO(self._town.file(attachment))) as image:
                square = ImageOps.fit(image.convert("RGB"), (_THUMBNAIL_SIDE, _THUMBNAIL_SIDE))
        except (OSError, Image.DecompressionBombError):
            return self._missing_file()
        return Response(_image_bytes(square, "JPEG"), media_type="image/jpeg")

    def _missing_file(self) -> Response:
        return RedirectResponse(self._base_url + NO_PREVIEW_PATH, 302)
