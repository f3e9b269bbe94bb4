"""Mastodon as a Starlette application over a town: the REST API, its tokens and refusals.

Belongs here: how API requests are answered (fediverse.md 3.1 to 3.5). Which posts a page holds is
``feeds``; their JSON is ``entities``; everything outside ``/api/`` is ``web``; the throttles are
``rate_limits``.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable, Sequence
from typing import Any

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route
from starlette.types import ASGIApp, Receive, Scope, Send

from reds_pipeline.demo.arrivals import Arrivals
from reds_pipeline.demo.live_posts import LivePosts
from reds_pipeline.demo.mastodon import documents, feeds, parameters
from reds_pipeline.demo.mastodon.entities import account_entity, post_entity
from reds_pipeline.demo.mastodon.options import Access, MastodonOptions
from reds_pipeline.demo.mastodon.rate_limits import RateLimiter
from reds_pipeline.demo.mastodon.trends import trending_tags
from reds_pipeline.demo.mastodon.web import WebAnswers
from reds_pipeline.demo.posts import Author, Post
from reds_pipeline.demo.town.town import Town

Answer = Callable[[Request], Response]

MOST_BATCHED_POSTS = 20
"""Ids that ``/api/v1/statuses`` takes at once."""

_NEEDS_USER = {"error": "This method requires an authenticated user"}
_BAD_TOKEN = {"error": "The access token is invalid"}
_MISSING_RECORD = {"error": "Record not found"}
_CACHED_FOR_GUESTS = {
    "Cache-Control": "max-age=15, public, stale-while-revalidate=30, stale-if-error=86400",
    "Vary": "Authorization, Origin",
}
_NEVER_CACHED = {"Cache-Control": "private, no-store"}
_KEPT_BY_PUBLIC_LINKS = ("local", "remote", "limit", "only_media")
_KEPT_BY_TAG_LINKS = ("local", "limit", "only_media")


class MastodonApplication:
    """Answers requests about a town; ``starlette`` is the ASGI application."""

    def __init__(
        self, town: Town, posts: LivePosts, options: MastodonOptions, base_url: str, token: str
    ) -> None:
        """Wire the routes.

        Args:
            town: Gives the bytes of the files.
            posts: What the instance holds now.
            options: Behaviour.
            base_url: The instance's own address, without a slash at the end.
            token: The bearer token to accept.
        """
        self._posts = posts
        self._arrivals = Arrivals(town, posts, options.drifting)
        self._options = options
        self._base_url = base_url
        self._token = token
        self._owner = Author("1", "collector", "Collector", "", town.now)
        api: dict[str, Answer] = {
            "/api/v1/instance": self._instance(documents.instance_v1),
            "/api/v2/instance": self._instance(documents.instance_v2),
            "/api/v1/accounts/verify_credentials": self._own_account,
            "/api/v1/accounts/lookup": self._looked_up,
            "/api/v1/accounts/{account_id}/statuses": self._account_posts,
            "/api/v1/accounts/{account_id}": self._account,
            "/api/v1/timelines/public": self._public_timeline,
            "/api/v1/timelines/tag/{tag}": self._tag_timeline,
            "/api/v1/trends/tags": self._trending_tags,
            "/api/v1/trends": self._deprecated_trends,
            "/api/v1/statuses/{post_id}": self._status,
        }
        if options.is_at_least(4, 3):
            api["/api/v1/statuses"] = self._batch
        api["/api/{rest:path}"] = lambda _request: _not_found()
        web = WebAnswers(town, posts, options, base_url).routes()
        routes = [Route(path, self._guarded(answer)) for path, answer in api.items()]
        routes += [Route(path, answer) for path, answer in web.items()]
        application = Starlette(
            routes=routes, exception_handlers={404: _unknown_route, 500: _failure}
        )
        self.starlette: ASGIApp = RateLimiter(_without_last_slash(application), options.rate_limits)

    # -- who asks ---------------------------------------------------------------------------------

    def _guarded(self, answer: Answer) -> Answer:
        """Turn away bad tokens, tokens without the scope and, where closed, guests."""

        def guarded(request: Request) -> Response:
            sent = request.headers.get("authorization")
            if sent is None:
                if self._options.disallow_unauthenticated or self._options.limited_federation:
                    return JSONResponse(_NEEDS_USER, 401)
            elif not secrets.compare_digest(sent.encode(), f"Bearer {self._token}".encode()):
                return JSONResponse(_BAD_TOKEN, 401)
            elif not self._options.token_may_read:
                complaint = "This action is outside the authorized scopes"
                return JSONResponse({"error": complaint}, 403)
            response = answer(request)
            is_cached = sent is None and response.status_code == 200
            response.headers.update(_CACHED_FOR_GUESTS if is_cached else _NEVER_CACHED)
            return response

        return guarded

    def _allowed(
        self, request: Request, selection: feeds.Selection, local: Access, remote: Access
    ) -> feeds.Selection | None:
        """Return what is left of a selection, ``None`` where a guest has to sign in first.

        A guest needs every half asked for to be public; users get what is not disabled.
        """
        if "authorization" in request.headers:
            return selection.within(local=local != "disabled", remote=remote != "disabled")
        visible = selection.within(local=local == "public", remote=remote == "public")
        return visible if visible == selection else None

    # -- posts ------------------------------------------------------------------------------------

    def _entities(self, request: Request, posts: Sequence[Post]) -> list[dict[str, Any]]:
        if any(post.post_id == self._options.unreadable_post_id for post in posts):
            raise HTTPException(500)
        for_user = "authorization" in request.headers
        return [post_entity(post, self._base_url, for_user=for_user) for post in posts]

    def _page(self, request: Request, posts: Sequence[Post], kept: Sequence[str]) -> Response:
        address = self._base_url + request.url.path
        link = feeds.link_header(posts, address, request.query_params, kept)
        headers = {"Link": link} if link else None
        return JSONResponse(self._entities(request, posts), headers=headers)

    def _public_timeline(self, request: Request) -> Response:
        self._arrivals.note_request()
        access = self._options.access
        asked = parameters.selection(request)
        selection = self._allowed(request, asked, access.local_live, access.remote_live)
        if selection is None:
            return JSONResponse(_NEEDS_USER, 422)
        cursor = parameters.cursor(request, feeds.DEFAULT_PAGE)
        page = feeds.public_page(self._posts.newest_first(), selection, cursor)
        return self._page(request, page, _KEPT_BY_PUBLIC_LINKS)

    def _tag_timeline(self, request: Request) -> Response:
        self._arrivals.note_request()
        access = self._options.access
        asked = parameters.selection(request)
        selection = self._allowed(request, asked, access.local_topic, access.remote_topic)
        if selection is None:
            return JSONResponse(_NEEDS_USER, 422)
        cursor = parameters.cursor(request, feeds.DEFAULT_PAGE)
        tag = request.path_params["tag"]
        page = feeds.tag_page(self._posts.newest_first(), tag, selection, cursor)
        return self._page(request, page, _KEPT_BY_TAG_LINKS)

    def _visible(self, post_id: str) -> Post | None:
        post = self._posts.post(post_id)
        if post is None or post.visibility not in {"public", "unlisted"}:
            return None
        return None if post.author.suspended else post

    def _status(self, request: Request) -> Response:
        post = self._visible(request.path_params["post_id"])
        if post is None:
            return _missing_record()
        return JSONResponse(self._entities(request, [post])[0])

    def _batch(self, request: Request) -> Response:
        """Answer several posts at once; what is gone or hidden is left out without a word."""
        names = request.query_params
        identifiers = names.getlist("id[]") or names.getlist("ids[]")
        if len(identifiers) > MOST_BATCHED_POSTS:
            complaint = f"Too many IDs, at most {MOST_BATCHED_POSTS}"
            return JSONResponse({"error": complaint}, 422)
        found = (self._visible(post_id) for post_id in dict.fromkeys(identifiers))
        return JSONResponse(self._entities(request, [post for post in found if post is not None]))

    # -- accounts ---------------------------------------------------------------------------------

    def _own_account(self, request: Request) -> Response:
        if "authorization" not in request.headers:
            return JSONResponse(_BAD_TOKEN, 401)
        return JSONResponse(documents.own_account(self._owner, self._base_url))

    def _looked_up(self, request: Request) -> Response:
        return self._described(self._posts.author_by_handle(request.query_params.get("acct", "")))

    def _account(self, request: Request) -> Response:
        return self._described(self._posts.author(request.path_params["account_id"]))

    def _described(self, author: Author | None) -> Response:
        if author is None or author.deleted:
            return _missing_record()
        return JSONResponse(account_entity(author, self._base_url))

    def _account_posts(self, request: Request) -> Response:
        author = self._posts.author(request.path_params["account_id"])
        if author is None or author.deleted:
            return _missing_record()
        only_media = parameters.flag(request, "only_media")
        candidates = [
            post
            for post in self._posts.newest_first()
            if post.author.account_id == author.account_id
            and self._visible(post.post_id)
            and (post.attachments or not only_media)
        ]
        page = parameters.cursor(request, feeds.DEFAULT_PAGE).page(candidates)
        return self._page(request, page, ("limit", "only_media"))

    # -- the instance -----------------------------------------------------------------------------

    def _instance(
        self, document: Callable[[str, Sequence[Post], MastodonOptions], dict[str, Any]]
    ) -> Answer:
        return lambda _request: JSONResponse(
            document(self._base_url, self._posts.all(), self._options)
        )

    def _trending_tags(self, request: Request) -> Response:
        limit = parameters.limit(request, 10, 20)
        offset = parameters.number(request, "offset") or 0
        ranked = trending_tags(self._posts.all(), self._base_url) if self._options.trends else []
        address = self._base_url + request.url.path
        has_more = len(ranked) > offset + limit
        link = feeds.offset_link_header(address, limit, offset, has_more=has_more)
        headers = {"Link": link} if link else None
        return JSONResponse(ranked[offset : offset + limit], headers=headers)

    def _deprecated_trends(self, request: Request) -> Response:
        response = self._trending_tags(request)
        response.headers["Deprecation"] = "@1648598400"
        return response


def _missing_record() -> Response:
    return JSONResponse(_MISSING_RECORD, 404)


def _not_found() -> Response:
    return JSONResponse({"error": "Not Found"}, 404)


def _unknown_route(request: Request, _error: Exception) -> Response:
    if parameters.wants_activity(request):
        return _not_found()
    return Response(documents.error_page(404), 404, media_type="text/html")


def _failure(_request: Request, _error: Exception) -> Response:
    return JSONResponse({"error": "Internal Server Error"}, 500)


def _without_last_slash(application: ASGIApp) -> ASGIApp:
    """Take ``/api/v1/instance/`` for ``/api/v1/instance``, as Rails does without a redirect."""

    async def normalising(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and len(scope["path"]) > 1:
            scope = {**scope, "path": scope["path"].rstrip("/") or "/"}
        await application(scope, receive, send)

    return normalising
