"""Permalinks, profiles and hashtags: as HTML for people, as ActivityPub for other servers.

Belongs here: who gets which document (fediverse.md 2.7 and 5.3). The HTML itself is ``markup``, the
JSON ``activitypub``.
"""

from __future__ import annotations

from email.utils import format_datetime

from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, RedirectResponse, Response

from reds_pipeline.demo.pixelfed import activitypub, answers, documents, feeds, markup
from reds_pipeline.demo.pixelfed.entities import author_url, post_url
from reds_pipeline.demo.pixelfed.hashtag_rows import find_hashtag, is_banned, newest_first
from reds_pipeline.demo.pixelfed.site import Site
from reds_pipeline.demo.posts import Author, Post

_ATOM_ENTRIES = 10
_ANY_FRAME = {"X-Frame-Options": "ALLOWALL"}


class PageAnswers:
    """Answers browsers and other servers."""

    def __init__(self, site: Site) -> None:
        """Answer for a site."""
        self._site = site
        self.routes: answers.Routes = {
            "/": self._front_page,
            "/web/explore": self._front_page,
            "/login": lambda _request: HTMLResponse(markup.login_page()),
            "/i/web/post/{post_id}": self._app_post,
            "/i/web/{rest:path}": self._login,
            "/discover/tags/{tag}": self._hashtag,
            "/p/{username}/{post_id}.json": self._note,
            "/p/{username}/{post_id}/embed": self._embed,
            "/p/{username}/{post_id}": self._permalink,
            "/users/{username}.atom": self._atom,
            "/users/{username}/outbox": self._outbox,
            "/users/{username}": self._actor,
        }
        self.profile: answers.Answer = self._profile
        """Answers ``/{username}``, which would catch every other short path."""

    def _front_page(self, _request: Request) -> Response:
        counts = documents.local_counts(self._site.posts.all())
        return HTMLResponse(markup.front_page(self._site.base_url, counts))

    def _login(self, _request: Request) -> Response:
        return RedirectResponse(f"{self._site.base_url}/login", 302)

    def _app_post(self, request: Request) -> Response:
        found = self._site.post(request.path_params["post_id"])
        if found is None or not found.is_local or found.visibility == "private":
            return self._login(request)
        return RedirectResponse(post_url(found, self._site.base_url), 302)

    def _hashtag(self, request: Request) -> Response:
        if not self._site.options.public_hashtags:
            answers.refuse(403)
        row = find_hashtag(
            self._site.posts.all(), request.path_params["tag"], self._site.options.collation
        )
        if row is None or is_banned(row.name, self._site.options.banned_hashtags):
            raise answers.NoQueryResultsError("App\\Hashtag")
        return HTMLResponse(markup.hashtag_page(row.name, len(row.posts)))

    # -- posts ----------------------------------------------------------------------------------

    def _post(self, request: Request) -> Post | None:
        """Return the local post of a permalink, ``None`` if the permalink names none."""
        found = self._site.post(request.path_params["post_id"])
        if found is None or not found.is_local:
            return None
        return found if found.author.username == request.path_params["username"] else None

    def _note_answer(self, post: Post) -> Response:
        self._site.require_readable([post])
        document = activitypub.note(post, self._site.base_url)
        return JSONResponse(document, media_type=activitypub.MEDIA_TYPE)

    def _permalink(self, request: Request) -> Response:
        found = self._post(request)
        if (
            found is None
            or feeds.is_gone(found.author)
            or found.author.locked
            or found.visibility not in {"public", "unlisted"}
            or found.reblog_of is not None
        ):
            answers.refuse(404)
        if answers.wants_json(request):
            return self._note_answer(found)
        self._site.require_readable([found])
        return HTMLResponse(markup.post_page(found, self._site.base_url))

    def _note(self, request: Request) -> Response:
        """Answer with the Note; a suspended author's is an HTML page with status 200."""
        author = self._site.posts.local_author(request.path_params["username"])
        if author is None or author.deleted:
            raise answers.NoQueryResultsError("App\\Profile")
        if author.suspended:
            return HTMLResponse(markup.disabled_page())
        found = self._post(request)
        if found is None or found.visibility not in {"public", "unlisted", "private"}:
            raise answers.NoQueryResultsError(f"App\\Status {request.path_params['post_id']}")
        if found.visibility == "private" or author.locked:
            answers.refuse(403)
        return self._note_answer(found)

    def _embed(self, request: Request) -> Response:
        found = self._post(request)
        if found is None or feeds.is_gone(found.author):
            return HTMLResponse(markup.removed_embed_page(), 404, _ANY_FRAME)
        is_photo = all(file.mime.startswith("image/") for file in found.attachments)
        if (
            found.author.locked
            or found.sensitive
            or found.visibility != "public"
            or not found.attachments
            or not is_photo
        ):
            return HTMLResponse(markup.removed_embed_page(), headers=_ANY_FRAME)
        page = markup.embed_page(
            found, self._site.base_url, with_caption=answers.flag(request, "caption")
        )
        return HTMLResponse(page, headers=_ANY_FRAME)

    # -- people ---------------------------------------------------------------------------------

    def _actor_answer(self, author: Author | None) -> Response:
        if author is None:
            answers.refuse(404)
        document = activitypub.actor(author, self._site.base_url)
        return JSONResponse(document, media_type=activitypub.MEDIA_TYPE)

    def _author(self, request: Request) -> Author | None:
        return self._site.posts.local_author(request.path_params["username"])

    def _open_author(self, request: Request) -> Author:
        author = self._author(request)
        if author is None or feeds.is_gone(author):
            answers.refuse(404)
        return author

    def _actor(self, request: Request) -> Response:
        if answers.wants_json(request):
            return self._actor_answer(self._author(request))
        author = self._open_author(request)
        return RedirectResponse(author_url(author, self._site.base_url), 302)

    def _profile(self, request: Request) -> Response:
        if answers.wants_json(request):
            return self._actor_answer(self._author(request))
        return HTMLResponse(markup.profile_page(self._open_author(request), self._site.base_url))

    def _posts_of(self, author: Author) -> list[Post]:
        posted = (
            post
            for post in self._site.posts.all()
            if post.author.account_id == author.account_id
            and post.visibility == "public"
            and post.reblog_of is None
        )
        return newest_first(posted)

    def _outbox(self, request: Request) -> Response:
        author = self._open_author(request)
        count = len(self._posts_of(author))
        document = activitypub.outbox(author, self._site.base_url, count)
        return JSONResponse(document, media_type=activitypub.MEDIA_TYPE)

    def _atom(self, request: Request) -> Response:
        author = self._open_author(request)
        if author.locked:
            answers.refuse(404)
        photos = [
            post
            for post in self._posts_of(author)
            if post.attachments and all(file.mime.startswith("image/") for file in post.attachments)
        ][:_ATOM_ENTRIES]
        newest = photos[0].created_at if photos else author.created_at
        return Response(
            markup.atom_feed(author, photos, self._site.base_url),
            headers={"Last-Modified": format_datetime(newest, usegmt=True)},
            media_type="application/atom+xml",
        )
