"""The API that needs a token: timelines, single posts, accounts and what is popular.

Belongs here: the paths of ``routes/api.php`` (fediverse.md 2.2 to 2.4, ``/api/v1`` and
``/api/v1.1``). Which posts a page holds is ``feeds``; the token itself is ``application``'s.
"""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from reds_pipeline.demo.arrivals import Arrivals
from reds_pipeline.demo.pixelfed import answers, feeds, trends
from reds_pipeline.demo.pixelfed.entities import account_entity
from reds_pipeline.demo.pixelfed.hashtag_rows import is_banned
from reds_pipeline.demo.pixelfed.site import Site
from reds_pipeline.demo.posts import Author, Post

_DISCOVERED_POSTS = 12
_LARGEST_IGNORED_PAGE = 40


def page_request(request: Request) -> feeds.PageRequest:
    """Return the limit and the cursor of a timeline request.

    Raises:
        InvalidParameterError: One of them is refused.
    """
    return feeds.PageRequest(
        limit=answers.integer(request, "limit", minimum=1) or feeds.DEFAULT_PAGE,
        max_id=answers.integer(request, "max_id"),
        min_id=answers.integer(request, "min_id"),
    )


class TokenAnswers:
    """Answers the holder of the token."""

    def __init__(self, site: Site) -> None:
        """Answer for a site."""
        self._site = site
        self._arrivals = Arrivals(site.town, site.posts, site.options.drifting)
        self.routes: answers.Routes = {
            "/api/v1/accounts/verify_credentials": self._own_account,
            "/api/v1/accounts/{account_id}": self._account,
            "/api/v1/accounts/{account_id}/statuses": self._account_posts,
            "/api/v1/timelines/public": self._public_timeline,
            "/api/v1/timelines/tag/{tag}": self._tag_timeline,
            "/api/v1/statuses/{post_id}": self._status,
            "/api/v1/trends": lambda _request: JSONResponse([]),
            "/api/v1/discover/posts": self._discovered_posts,
            "/api/v1.1/discover/posts/hashtags": self._trending_hashtags,
            "/api/pixelfed/v1/discover/posts/hashtags": self._trending_hashtags,
            "/api/v1.1/discover/posts/trending": self._trending_posts,
        }

    def _page(self, request: Request, posts: list[Post], link: str | None = None) -> Response:
        shape = answers.wants_pixelfed_shape(request)
        return self._site.page(self._site.entities(posts, pixelfed_shape=shape), link)

    def _own_account(self, request: Request) -> Response:
        owner = Author("1", "collector", "Collector", "", self._site.town.now)
        return self._account_answer(request, owner)

    def _account(self, request: Request) -> Response:
        author = self._site.posts.author(request.path_params["account_id"])
        if author is None or feeds.is_gone(author):
            answers.refuse(404)
        return self._account_answer(request, author)

    def _account_answer(self, request: Request, author: Author) -> Response:
        shape = answers.wants_pixelfed_shape(request)
        return JSONResponse(account_entity(author, self._site.base_url, pixelfed_shape=shape))

    def _account_posts(self, request: Request) -> Response:
        author = self._site.posts.author(request.path_params["account_id"])
        if author is None or feeds.is_gone(author):
            answers.refuse(404)
        asked = page_request(request)
        if author.locked:
            return self._site.page([])
        return self._page(
            request, feeds.account_page(self._site.posts.newest_first(), author.account_id, asked)
        )

    def _public_timeline(self, request: Request) -> Response:
        self._arrivals.note_request()
        asked = page_request(request)
        local, remote = answers.flag(request, "local"), answers.flag(request, "remote")
        page = feeds.public_page(
            self._site.posts.newest_first(),
            asked,
            local=local,
            remote=remote,
            feed_cap=self._site.options.feed_cap,
        )
        address = f"{self._site.base_url}/api/v1/timelines/public"
        link = feeds.public_link_header(page, address, asked, local=local, remote=remote)
        return self._page(request, page, link)

    def _tag_timeline(self, request: Request) -> Response:
        self._arrivals.note_request()
        asked = page_request(request)
        answers.integer(request, "page", maximum=_LARGEST_IGNORED_PAGE)
        tag = request.path_params["tag"]
        if is_banned(tag, self._site.options.banned_hashtags):
            return self._site.page([])
        page = feeds.tag_page(
            self._site.posts.newest_first(),
            tag,
            asked,
            visibility_leak=self._site.options.visibility_leak,
            scan_rows=self._site.options.scan_rows,
            collation=self._site.options.collation,
            only_media=answers.flag(request, "only_media")
            or "only_media" not in request.query_params,
        )
        return self._page(request, page)

    def _status(self, request: Request) -> Response:
        found = self._site.post(request.path_params["post_id"])
        if found is None or feeds.is_gone(found.author) or found.visibility == "archived":
            answers.refuse(404)
        if found.visibility == "private":
            answers.refuse(403)
        if found.visibility not in {"public", "unlisted"}:
            answers.refuse(400)
        shape = answers.wants_pixelfed_shape(request)
        return JSONResponse(self._site.entities([found], pixelfed_shape=shape)[0])

    def _discovered_posts(self, request: Request) -> Response:
        answers.integer(request, "limit", minimum=1, maximum=feeds.MAXIMUM_PAGE)
        popular = trends.trending_posts(self._site.posts.newest_first(), trends.RANGES["yearly"])
        shape = answers.wants_pixelfed_shape(request)
        entities = self._site.entities(popular[:_DISCOVERED_POSTS], pixelfed_shape=shape)
        return JSONResponse({"posts": entities})

    def _trending_hashtags(self, _request: Request) -> Response:
        return JSONResponse(
            trends.trending_hashtags(
                self._site.posts.newest_first(),
                self._site.base_url,
                self._site.options.banned_hashtags,
            )
        )

    def _trending_posts(self, request: Request) -> Response:
        return self._site.page(
            self._site.entities(popular_posts(request, self._site), pixelfed_shape=True)
        )


def popular_posts(request: Request, site: Site) -> list[Post]:
    """Return the posts of a request for what is popular, guests' or not.

    Raises:
        InvalidParameterError: The range is none of ``trends.RANGES``.
    """
    span = answers.one_of(request, "range", tuple(trends.RANGES)) or "yearly"
    return trends.trending_posts(site.posts.newest_first(), trends.RANGES[span])
