"""The JSON that the web pages of Pixelfed fetch for guests; a token means nothing here.

Belongs here: the paths of ``routes/web-api.php`` that answer without a session (fediverse.md 2.2
and 2.5). Posts always come in the full Pixelfed shape.
"""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from reds_pipeline.demo.pixelfed import answers, feeds
from reds_pipeline.demo.pixelfed.entities import account_entity
from reds_pipeline.demo.pixelfed.hashtag_rows import find_hashtag, is_banned
from reds_pipeline.demo.pixelfed.site import Site
from reds_pipeline.demo.pixelfed.timelines import popular_posts
from reds_pipeline.demo.posts import Author

_LONGEST_HASHTAG = 124
_MAXIMUM_ACCOUNT_PAGE = 24
_DEFAULT_ACCOUNT_PAGE = 9


class GuestAnswers:
    """Answers anybody, as far as the operator lets guests look."""

    def __init__(self, site: Site) -> None:
        """Answer for a site."""
        self._site = site
        self.routes: answers.Routes = {
            "/api/v2/discover/tag": self._hashtag,
            "/api/pixelfed/v2/discover/tag": self._hashtag,
            "/api/pixelfed/v2/discover/posts/trending": self._trending_posts,
            "/api/v2/profile/{username}/status/{post_id}": self._status,
            "/api/pixelfed/v2/profile/{username}/status/{post_id}": self._status,
            "/api/pixelfed/v1/accounts/{account_id}": self._account,
            "/api/pixelfed/v1/accounts/{account_id}/statuses": self._account_posts,
            "/api/pixelfed/v1/timelines/{rest:path}": lambda _request: Response(status_code=403),
            "/api/v1/instance/peers": self._peers,
        }

    def _hashtag(self, request: Request) -> Response:
        if not self._site.options.public_hashtags:
            answers.refuse(403)
        asked = answers.required_text(request, "hashtag", _LONGEST_HASHTAG)
        number = answers.integer(request, "page", minimum=1) or 1
        row = find_hashtag(self._site.posts.newest_first(), asked, self._site.options.collation)
        if row is None:
            raise answers.NoQueryResultsError("App\\Hashtag")
        if is_banned(row.name, self._site.options.banned_hashtags):
            return self._site.page([])
        page = feeds.guest_tag_page(row, number)
        address = f"{self._site.base_url}/discover/tags/{row.name.lower()}"
        return JSONResponse(
            {
                "hashtag": {"name": row.name, "url": address},
                "tags": [{"status": entity} for entity in self._site.guest_entities(page)],
            }
        )

    def _trending_posts(self, request: Request) -> Response:
        if not self._site.options.public_discover:
            answers.refuse(403)
        return self._site.page(self._site.guest_entities(popular_posts(request, self._site)))

    def _status(self, request: Request) -> Response:
        found = self._site.post(request.path_params["post_id"])
        if (
            found is None
            or feeds.is_gone(found.author)
            or found.author.locked
            or found.author.username != request.path_params["username"]
        ):
            answers.refuse(404)
        if found.visibility not in {"public", "unlisted"}:
            answers.refuse(403)
        return JSONResponse({"status": self._site.guest_entities([found])[0]})

    def _known_account(self, request: Request) -> Author:
        author = self._site.posts.author(request.path_params["account_id"])
        if author is None or feeds.is_gone(author):
            answers.refuse(404)
        return author

    def _account(self, request: Request) -> Response:
        author = self._known_account(request)
        return JSONResponse(account_entity(author, self._site.base_url, pixelfed_shape=True))

    def _account_posts(self, request: Request) -> Response:
        limit = answers.integer(request, "limit", minimum=1, maximum=_MAXIMUM_ACCOUNT_PAGE)
        asked = feeds.PageRequest(
            limit=limit or _DEFAULT_ACCOUNT_PAGE,
            max_id=answers.integer(request, "max_id"),
            min_id=answers.integer(request, "min_id"),
        )
        if self._site.options.cursorless_guest_feeds:
            asked = feeds.PageRequest(limit=asked.limit, min_id=asked.min_id)
        author = self._known_account(request)
        if author.locked:
            return self._site.page([])
        page = feeds.account_page(self._site.posts.newest_first(), author.account_id, asked)
        address = f"{self._site.base_url}/api/pixelfed/v1/accounts/{author.account_id}/statuses"
        link = feeds.guest_account_link_header(page, address, asked.limit)
        return self._site.page(self._site.guest_entities(page), link)

    def _peers(self, _request: Request) -> Response:
        return JSONResponse(list(self._site.options.peers or ()))
