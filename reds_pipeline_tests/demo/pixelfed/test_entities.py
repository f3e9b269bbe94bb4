from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest

from reds_pipeline.demo.pixelfed.entities import (
    PLANTED_PERSON,
    PLANTED_PLACE,
    account_entity,
    media_entity,
    post_entity,
)
from reds_pipeline.demo.posts import Attachment, Author, Picture, Post

BASE = "http://127.0.0.1:1"
MOMENT = datetime(2026, 3, 4, 5, 6, 7, 89_000, tzinfo=UTC)
AUTHOR = Author("77001", "mira", "Mira", "Coast photographer", MOMENT)
FILE = Attachment(
    media_id="50211",
    path="/storage/m/_v2/77001/a/b/hb0001.jpg",
    picture=Picture("cat", 0),
    treatment="plain",
    mime="image/jpg",
    licence_id=11,
    size=(1920, 1080),
)
POST = Post("912345678901234567", AUTHOR, MOMENT, "Tom & me", ("GoldenHour", "Été"), (FILE,))

# The keys of fediverse.md 2.6.
SHARED_POST_KEYS = {
    "id",
    "uri",
    "url",
    "in_reply_to_id",
    "in_reply_to_account_id",
    "reblog",
    "content",
    "created_at",
    "emojis",
    "reblogs_count",
    "favourites_count",
    "reblogged",
    "favourited",
    "bookmarked",
    "muted",
    "sensitive",
    "spoiler_text",
    "visibility",
    "application",
    "language",
    "mentions",
    "media_attachments",
    "account",
    "tags",
    "poll",
    "edited_at",
    "pinned",
}
PIXELFED_POST_KEYS = {
    "_v",
    "shortcode",
    "content_text",
    "pf_type",
    "reply_count",
    "comments_disabled",
    "thread",
    "replies",
    "parent",
    "place",
    "local",
    "taggedPeople",
    "label",
    "liked_by",
}


def entity(post: Post = POST, *, pixelfed_shape: bool = True) -> dict[str, Any]:
    return post_entity(post, BASE, pixelfed_shape=pixelfed_shape)


def test_the_pixelfed_shape_has_every_field() -> None:
    assert set(entity()) == SHARED_POST_KEYS | PIXELFED_POST_KEYS


def test_the_mastodon_shape_is_trimmed() -> None:
    trimmed = entity(pixelfed_shape=False)
    assert set(trimmed) == SHARED_POST_KEYS | {"replies_count"}
    assert trimmed["muted"] is False
    assert "license" not in trimmed["media_attachments"][0]
    assert "is_nsfw" not in trimmed["media_attachments"][0]
    assert "note_text" not in trimmed["account"]
    assert trimmed["account"]["bot"] is False
    assert trimmed["account"]["fields"] == []


def test_neither_shape_says_indexable() -> None:
    closed = replace(AUTHOR, indexable=False)
    for shape in (True, False):
        account = account_entity(closed, BASE, pixelfed_shape=shape)
        assert not {"indexable", "noindex"} & set(account)
        assert account["discoverable"] is True


def test_times_have_milliseconds_and_a_z() -> None:
    assert entity()["created_at"] == "2026-03-04T05:06:07.089Z"


def test_content_is_html_and_the_caption_plain() -> None:
    assert "Tom &amp; me" in entity()["content"]
    assert entity()["content_text"] == "Tom & me #GoldenHour #Été"
    assert entity(replace(POST, caption="", tags=()))["content_text"] is None


def test_hashtags_keep_their_case() -> None:
    assert entity()["tags"][0] == {
        "name": "GoldenHour",
        "url": f"{BASE}/discover/tags/goldenhour",
    }


def test_remote_posts_point_to_their_origin() -> None:
    remote = entity(replace(POST, author=replace(AUTHOR, host="faraway.example")))
    assert remote["url"] == "https://faraway.example/p/mira/912345678901234567"
    assert remote["account"]["acct"] == "mira@faraway.example"
    assert remote["local"] is False


def test_boosts_carry_the_boosted_post() -> None:
    boosted = replace(POST, post_id="900000000000000000")
    assert entity(replace(POST, reblog_of=boosted))["reblog"] == entity(boosted)


@pytest.mark.parametrize(
    ("path", "has_preview"), [("a/x.jpg", True), ("a/x.png", True), ("a/x.webp", False)]
)
def test_only_jpeg_and_png_files_have_a_preview(path: str, has_preview: bool) -> None:
    file = media_entity(replace(FILE, path=f"/{path}"), BASE, pixelfed_shape=True)
    expected = "/a/x_thumb.jpg" if has_preview else "/storage/no-preview.png"
    assert file["preview_url"] == BASE + expected


def test_licences_and_sizes_are_null_when_unknown() -> None:
    known = media_entity(FILE, BASE, pixelfed_shape=True)
    unknown = media_entity(replace(FILE, licence_id=None, size=None), BASE, pixelfed_shape=True)
    assert known["license"]["title"] == "CC BY"
    assert known["meta"]["original"]["size"] == "1920x1080"
    assert unknown["license"] is None
    assert unknown["meta"] is None


FILM = replace(FILE, mime="video/mp4", path="/storage/m/_v2/77001/a/b/hb0002.mp4")
ODD = replace(FILE, mime="application/octet-stream")


@pytest.mark.parametrize(
    ("files", "kind"),
    [
        ((), "text"),
        ((FILE,), "photo"),
        ((FILE, FILE), "photo:album"),
        ((FILM,), "video"),
        ((FILM, FILM), "video:album"),
        ((FILE, FILM), "photo:video:album"),
        ((ODD,), "text"),
    ],
)
def test_the_type_of_a_post_follows_its_files(files: tuple[Attachment, ...], kind: str) -> None:
    assert entity(replace(POST, attachments=files))["pf_type"] == kind


@pytest.mark.parametrize(("file", "kind"), [(FILE, "image"), (FILM, "video"), (ODD, "unknown")])
def test_the_type_of_a_file_follows_its_label(file: Attachment, kind: str) -> None:
    assert media_entity(file, BASE, pixelfed_shape=True)["type"] == kind


@pytest.mark.parametrize("state", ["suspended", "deleted"])
def test_posts_lose_their_address_with_their_author(state: str) -> None:
    gone = entity(replace(POST, author=replace(AUTHOR, **{state: True})))  # type: ignore[arg-type]
    assert (gone["url"], gone["uri"]) == ("/404", "/404")


def test_edits_have_a_time() -> None:
    assert entity()["edited_at"] is None
    assert entity(replace(POST, edited_at=MOMENT))["edited_at"] == "2026-03-04T05:06:07.089Z"


def test_guests_have_no_opinion_of_a_post() -> None:
    shown = post_entity(POST, BASE, pixelfed_shape=True, to_guest=True)
    assert {shown[key] for key in ("favourited", "reblogged", "bookmarked", "muted")} == {None}


def test_some_posts_carry_places_and_people_that_nobody_may_keep() -> None:
    posts = [entity(replace(POST, post_id=str(number))) for number in range(1, 60)]
    assert any(post["place"] and post["place"]["name"] == PLANTED_PLACE for post in posts)
    assert any(post["place"] is None for post in posts)
    for key in ("mentions", "taggedPeople"):
        assert {person["username"] for post in posts for person in post[key]} == {PLANTED_PERSON}
    assert PLANTED_PERSON in {post["liked_by"]["username"] for post in posts}
