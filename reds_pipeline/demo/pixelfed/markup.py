"""Pixelfed's HTML pages and its Atom feed, as far as a machine can read anything from them.

Belongs here: pure functions that return text (fediverse.md 2.7). No page lists posts. Who gets
which page is ``pages``.
"""

from __future__ import annotations

import html
import json
from collections.abc import Sequence
from urllib.parse import urlsplit
from xml.sax.saxutils import escape, quoteattr

from reds_pipeline.demo.pixelfed.activitypub import MEDIA_TYPE, actor_url
from reds_pipeline.demo.pixelfed.entities import (
    NO_PREVIEW_PATH,
    author_url,
    caption,
    post_url,
    timestamp,
)
from reds_pipeline.demo.posts import Attachment, Author, Post

_NOINDEX = '<meta name="robots" content="noindex, nofollow">'


def _layout(title: str, head: str, body: str) -> str:
    """Return a guest's page with the script that every one of them carries."""
    config = json.dumps({"config": {"uploader": {"album_limit": 4, "max_photo_size": 15000}}})
    return (
        f'<!DOCTYPE html><html lang="en"><head><meta charset="utf-8">'
        f"<title>{html.escape(title)}</title>{head}</head><body>{body}"
        f"<script>window._sharedData={{curUser:{{}},version:0}};window.App={config};</script>"
        f"</body></html>"
    )


def _meta(name: str, content: str, *, key: str = "property") -> str:
    return f'<meta {key}="{name}" content="{html.escape(content)}">'


def front_page(base_url: str, counts: tuple[int, int]) -> str:
    """Return the front page.

    Args:
        base_url: Address of the instance.
        counts: Local accounts and local posts.
    """
    accounts, posts = counts
    facts = {
        "domain": urlsplit(base_url).netloc,
        "name": "REDS demo town",
        "stats": {"active_users": accounts, "posts_count": posts, "total_users": accounts},
        "rules": [],
        "features": {"federation": True, "mobile_apis": True},
    }
    return _layout(
        "REDS demo town",
        "",
        "<h1>REDS demo town</h1><p>An invented Pixelfed instance on your own machine. "
        f'Its API begins at <a href="{base_url}/api/v1/instance">/api/v1/instance</a>.</p>'
        f"<script>window.pfl={json.dumps(facts)}</script>",
    )


def login_page() -> str:
    """Return where requests without a token that do not ask for JSON end up."""
    return _layout("Login", "", '<form method="POST" action="/login">Login</form>')


def disabled_page() -> str:
    """Return what stands for the posts of a suspended account, with status 200."""
    return _layout("Profile unavailable", "", "<p>This profile is currently unavailable.</p>")


def profile_page(author: Author, base_url: str) -> str:
    """Return a profile; closed and non-crawlable accounts carry the robots ``meta``."""
    name = html.escape(author.username)
    if author.locked:
        return _layout(author.username, _NOINDEX, "<p>This account is private.</p>")
    settings = html.escape(json.dumps({"crawlable": author.indexable, "followers": {}}))
    links = (
        f'<link rel="alternate" type="application/atom+xml" '
        f'href="{actor_url(author, base_url)}.atom">'
        f'<link rel="alternate" type="{MEDIA_TYPE}" href="{actor_url(author, base_url)}">'
    )
    return _layout(
        author.username,
        links if author.indexable else _NOINDEX + links,
        f'<profile profile-id="{author.account_id}" profile-username="{name}" '
        f':profile-settings="{settings}"></profile>',
    )


def _media_metas(first: Attachment, base_url: str) -> str:
    if first.mime.startswith("video/"):
        preview = _meta("og:image", base_url + NO_PREVIEW_PATH)
        return _meta("og:video", base_url + first.path) + preview
    return _meta("og:image", base_url + first.path)


def post_page(post: Post, base_url: str) -> str:
    """Return the permalink of a local post, the picture's address included even when sensitive."""
    address = post_url(post, base_url)
    author = post.author
    count = len(post.attachments)
    description = caption(post) or f"Attached: {count} image{'s' if count > 1 else ''}"
    title = f"{author.display_name} (@{author.username})"
    handle = f"{author.username}@{urlsplit(base_url).netloc}"
    head = (
        _meta("og:site_name", "REDS demo town")
        + _meta("og:title", title)
        + _meta("og:type", "article")
        + _meta("og:url", address)
        + (_media_metas(post.attachments[0], base_url) if post.attachments else "")
        + _meta("og:description", description)
        + _meta("description", description, key="name")
        + _meta("og:published_time", timestamp(post.created_at))
        + _meta("profile:username", handle)
        + _meta("twitter:card", "summary_large_image", key="name")
        + f'<link rel="alternate" type="{MEDIA_TYPE}" href="{address}">'
        + f'<link rel="canonical" href="{address}">'
    )
    component = (
        f'<post-component status-template="photo" status-id="{post.post_id}" '
        f'status-username="{html.escape(author.username)}" status-url="{address}" '
        f'status-profile-url="{author_url(author, base_url)}" '
        f'status-avatar="{base_url}/storage/avatars/default.jpg" '
        f'status-profile-id="{author.account_id}"></post-component>'
    )
    return _layout(title, head, component)


def hashtag_page(name: str, count: int) -> str:
    """Return the page of a hashtag, which holds its name and a count."""
    shown = html.escape(name)
    component = f'<hashtag-component hashtag="{shown}" hashtag-count="{count}"></hashtag-component>'
    return _layout(f"#{name}", "", component)


def embed_page(post: Post, base_url: str, *, with_caption: bool) -> str:
    """Return a post for other people's pages."""
    pictures = "".join(
        f'<img src="{base_url}{attachment.path}" alt="{html.escape(attachment.description or "")}">'
        for attachment in post.attachments
    )
    shown = html.escape(caption(post))
    below = f'<span class="caption-container">{shown}</span>' if with_caption else ""
    name = html.escape(post.author.username)
    link = f'<a class="username" href="{author_url(post.author, base_url)}">{name}</a>'
    return f"<!DOCTYPE html><html><body>{link}{pictures}{below}</body></html>"


def removed_embed_page() -> str:
    """Return what stands where a post must not be embedded."""
    return "<!DOCTYPE html><html><body><p>This post is not available anymore.</p></body></html>"


def atom_feed(author: Author, posts: Sequence[Post], base_url: str) -> str:
    """Return the newest posts of an account; sensitive ones carry no sign of it.

    Args:
        author: The account.
        posts: Its posts, newest first.
        base_url: Address of the instance.
    """
    entries = "".join(_atom_entry(post, base_url) for post in posts)
    updated = timestamp(posts[0].created_at) if posts else timestamp(author.created_at)
    return (
        '<?xml version="1.0" encoding="UTF-8"?>'
        '<feed xmlns="http://www.w3.org/2005/Atom" xmlns:media="http://search.yahoo.com/mrss/">'
        f"<id>{actor_url(author, base_url)}.atom</id>"
        f"<title>{escape(author.display_name)}</title><updated>{updated}</updated>"
        f"{entries}</feed>"
    )


def _atom_entry(post: Post, base_url: str) -> str:
    address = post_url(post, base_url)
    pictures = "".join(
        f'<img class="media-item" src="{base_url}{attachment.path}">'
        for attachment in post.attachments
    )
    media = "".join(
        f"<media:content url={quoteattr(base_url + attachment.path)} "
        f'type="{attachment.mime}" medium="image"/>'
        for attachment in post.attachments
    )
    return (
        f"<entry><id>{address}</id><title>{escape(caption(post))}</title>"
        f"<updated>{timestamp(post.created_at)}</updated>"
        f'<content type="html"><![CDATA[{pictures}]]></content>{media}</entry>'
    )
