"""What a Mastodon instance answers outside its REST API: pages, ActivityPub, RSS and files.

Belongs here: answers for people and for other servers (fediverse.md 3.1, 4, 5.3). The REST API is
``application``'s.
"""

from __future__ import annotations

from collections.abc import Callable

from starlette.requests import Request
from starlette.responses import (
    HTMLResponse,
    JSONResponse,
    PlainTextResponse,
    RedirectResponse,
    Response,
)

from reds_pipeline.demo.live_posts import LivePosts
from reds_pipeline.demo.mastodon import documents, feeds, parameters, rss
from reds_pipeline.demo.mastodon.entities import author_url, post_url
from reds_pipeline.demo.mastodon.options import MastodonOptions
from reds_pipeline.demo.posts import Author, Post
from reds_pipeline.demo.town.town import Town

Answer = Callable[[Request], Response]

_LONGEST_FEED = 200
_FILE_TYPES = {"jpg": "image/jpeg", "mp4": "video/mp4", "bin": "application/octet-stream"}


class WebAnswers:
    """Answers requests outside the API; ``routes`` says which."""

    def __init__(
        self, town: Town, posts: LivePosts, options: MastodonOptions, base_url: str
    ) -> None:
        """Prepare.

        Args:
            town: Gives the bytes of the files.
            posts: What the instance holds now.
            options: Behaviour.
            base_url: The instance's own address, without a slash at the end.
        """
        self._town = town
        self._posts = posts
        self._options = options
        self._base_url = base_url

    def routes(self) -> dict[str, Answer]:
        """Return the answers by path, in the order in which paths are to be tried."""
        base_url = self._base_url
        return {
            "/": lambda _request: HTMLResponse(documents.front_page(base_url)),
            "/robots.txt": self._robots,
            "/.well-known/nodeinfo": lambda _request: JSONResponse(
                documents.nodeinfo_links(base_url)
            ),
            "/nodeinfo/2.0": lambda _request: JSONResponse(
                documents.nodeinfo(self._posts.all(), self._options)
            ),
            "/tags/{tag}.rss": self._tag_feed,
            "/tags/{tag}": self._tag_page,
            "/users/{username}/statuses/{post_id}": self._note_or_redirect,
            "/@{username}/{post_id}": self._post_page,
            "/users/{username}": self._actor_or_redirect,
            "/@{username}": self._profile,
            "/media_proxy/{media_id}/original": self._proxied,
            "/system/{rest:path}": self._file,
        }

    def _robots(self, _request: Request) -> Response:
        if self._options.robots_txt is None:
            return _not_found()
        return PlainTextResponse(self._options.robots_txt)

    # -- hashtags ---------------------------------------------------------------------------------

    def _knows(self, tag: str) -> bool:
        wanted = feeds.normalised(tag)
        return any(
            feeds.normalised(name) == wanted for post in self._posts.all() for name in post.tags
        )

    def _tag_feed(self, request: Request) -> Response:
        """Answer the RSS feed; only since 4.5 does it heed who may read hashtag timelines."""
        if self._options.limited_federation:
            return Response(status_code=401)
        tag = request.path_params["tag"]
        if not self._knows(tag):
            return _not_found()
        selection = feeds.Selection(remote=not parameters.flag(request, "local"))
        if self._options.is_at_least(4, 5):
            access = self._options.access
            selection = selection.within(
                local=access.local_topic == "public", remote=access.remote_topic == "public"
            )
        limit = parameters.limit(request, feeds.DEFAULT_PAGE, _LONGEST_FEED)
        page = feeds.tag_page(self._posts.newest_first(), tag, selection, feeds.Cursor(limit))
        feed = rss.tag_feed(tag, page, self._base_url, self._options.version)
        return Response(
            feed,
            media_type="application/rss+xml",
            headers={"Cache-Control": "max-age=0, private, must-revalidate"},
        )

    def _tag_page(self, request: Request) -> Response:
        if not self._knows(request.path_params["tag"]):
            return _not_found()
        return HTMLResponse(documents.front_page(self._base_url))

    # -- people and posts -------------------------------------------------------------------------

    def _refusal(self, author: Author | None, request: Request) -> Response | None:
        """Return the answer for accounts that nobody sees any more (fediverse.md 5.3)."""
        if author is None:
            return _not_found()
        if author.deleted:
            return HTMLResponse(documents.error_page(410), 410)
        if author.suspended:
            return HTMLResponse(documents.error_page(403), 403)
        if self._options.authorized_fetch and parameters.wants_activity(request):
            return JSONResponse({"error": "Request not signed"}, 401)
        return None

    def _author(self, request: Request) -> Author | None:
        return self._posts.local_author(_stem(request.path_params["username"]))

    def _post(self, request: Request, author: Author | None) -> Post | None:
        post = self._posts.post(_stem(request.path_params["post_id"]))
        if post is None or author is None or post.author.account_id != author.account_id:
            return None
        return post if post.visibility in {"public", "unlisted"} else None

    def _note_or_redirect(self, request: Request) -> Response:
        author = self._author(request)
        if refusal := self._refusal(author, request):
            return refusal
        post = self._post(request, author)
        if post is None:
            return _not_found()
        if parameters.wants_activity(request):
            return _activity(documents.note(post, self._base_url))
        return RedirectResponse(post_url(post, self._base_url), 302)

    def _post_page(self, request: Request) -> Response:
        author = self._author(request)
        if refusal := self._refusal(author, request):
            return refusal
        post = self._post(request, author)
        if post is None:
            return _not_found()
        if parameters.wants_activity(request):
            return _activity(documents.note(post, self._base_url))
        return HTMLResponse(documents.post_page(post, self._base_url))

    def _actor_or_redirect(self, request: Request) -> Response:
        author = self._author(request)
        if (refusal := self._refusal(author, request)) or author is None:
            return refusal or _not_found()
        if parameters.wants_activity(request):
            return _activity(documents.actor(author, self._base_url))
        return RedirectResponse(author_url(author, self._base_url), 302)

    def _profile(self, request: Request) -> Response:
        author = self._author(request)
        if (refusal := self._refusal(author, request)) or author is None:
            return refusal or _not_found()
        if parameters.wants_activity(request):
            return _activity(documents.actor(author, self._base_url))
        return HTMLResponse(documents.profile_page(author, self._base_url))

    # -- files ------------------------------------------------------------------------------------

    def _proxied(self, request: Request) -> Response:
        attachment = self._posts.media(request.path_params["media_id"])
        if attachment is None or attachment.kind == "unknown":
            return _not_found()
        return RedirectResponse(self._base_url + attachment.path, 302)

    def _file(self, request: Request) -> Response:
        """Serve a file by the type its name promises, true or not; the small one is the same."""
        path = request.url.path.replace("/small/", "/original/")
        attachment = self._posts.attachment(path)
        if attachment is None:
            return _not_found()
        extension = path.rpartition(".")[2]
        kind = _FILE_TYPES.get(extension, f"image/{extension}")
        headers = {"Cache-Control": "public, max-age=2419200, immutable"}
        return Response(self._town.file(attachment), media_type=kind, headers=headers)


def _stem(name: str) -> str:
    return name.removesuffix(".json")


def _not_found() -> Response:
    return HTMLResponse(documents.error_page(404), 404)


def _activity(document: dict[str, object]) -> Response:
    headers = {"Cache-Control": "max-age=180, public", "Vary": "Accept, Accept-Language, Cookie"}
    return JSONResponse(document, media_type="application/activity+json", headers=headers)
