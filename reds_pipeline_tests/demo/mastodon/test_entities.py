from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest

from reds_pipeline.demo.mastodon.entities import account_entity, media_entity, post_entity
from reds_pipeline.demo.posts import Attachment, Author, Picture, Post

BASE = "http://127.0.0.1:1"
NOW = datetime(2026, 10, 1, 12, 0, 0, 123_000, tzinfo=UTC)
AUTHOR = Author("7", "mira", "Mira", "Coast photographer", NOW)
FILE = Attachment(
    "9",
    "/system/media_attachments/files/a/original/x.jpg",
    Picture("cat", 1),
    "plain",
    "image/jpg",
    size=(1280, 720),
)
POST = Post("11", AUTHOR, NOW, "Harbour", ("Été", "Cat", "cat"), (FILE,))


def entity(post: Post = POST) -> dict[str, Any]:
    return post_entity(post, BASE, for_user=False)


def test_an_ordinary_post() -> None:
    body = entity()
    assert body["url"] == f"{BASE}/@mira/11"
    assert body["uri"] == f"{BASE}/users/mira/statuses/11"
    assert body["created_at"] == "2026-10-01T12:00:00.123Z"
    assert [tag["name"] for tag in body["tags"]] == ["ete", "cat"], "normalised, without repeats"
    assert "#<span>Été</span>" in body["content"]
    assert body["edited_at"] is None


def test_remote_posts_name_their_own_host() -> None:
    body = entity(replace(POST, author=replace(AUTHOR, host="faraway.example")))
    assert body["url"] == "https://faraway.example/@mira/11"
    assert body["account"]["acct"] == "mira@faraway.example"
    assert body["media_attachments"][0]["remote_url"].startswith("https://faraway.example/")
    assert "noindex" not in body["account"], "told of local accounts only"


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({}, {"indexable": True, "noindex": False, "discoverable": True, "locked": False}),
        ({"indexable": False}, {"indexable": False}),
        ({"noindex": True}, {"noindex": True}),
        ({"discoverable": False}, {"discoverable": False}),
        ({"discoverable": None}, {"discoverable": None}),
        ({"limited": True}, {"limited": True}),
        ({"memorial": True}, {"memorial": True}),
        ({"bot": True}, {"bot": True}),
        ({"suspended": True}, {"suspended": True, "display_name": "", "note": "", "fields": []}),
    ],
)
def test_accounts_tell_of_their_wishes(changes: dict[str, Any], told: dict[str, Any]) -> None:
    account = account_entity(replace(AUTHOR, **changes), BASE)
    assert told.items() <= account.items()


def test_flags_that_most_accounts_lack_are_missing_then() -> None:
    assert not {"suspended", "limited", "memorial", "moved"} & account_entity(AUTHOR, BASE).keys()


def test_moved_accounts_carry_the_new_one_and_a_table() -> None:
    author = replace(AUTHOR, moved_to="ola@faraway.example", fields=(("Opt out", "#noai"),))
    account = account_entity(author, BASE)
    assert account["moved"]["acct"] == "ola@faraway.example"
    assert account["fields"] == [{"name": "Opt out", "value": "#noai", "verified_at": None}]


@pytest.mark.parametrize(
    ("changes", "kind", "address"),
    [
        ({}, "image", BASE + FILE.path),
        ({"whereabouts": "processing"}, "image", None),
        ({"whereabouts": "proxied"}, "image", f"{BASE}/media_proxy/9/original"),
        ({"kind": "unknown"}, "unknown", f"{BASE}/media_proxy/9/original"),
        ({"kind": "gifv"}, "gifv", BASE + FILE.path),
        ({"kind": "video"}, "video", BASE + FILE.path),
    ],
)
def test_files(changes: dict[str, Any], kind: str, address: str | None) -> None:
    body = media_entity(replace(FILE, **changes), AUTHOR, BASE)
    assert (body["type"], body["url"]) == (kind, address)
    assert "license" not in body
    assert "mime" not in body


def test_previews_keep_their_shape_within_230400_pixels() -> None:
    small = media_entity(FILE, AUTHOR, BASE)["meta"]["small"]
    assert (small["width"], small["height"]) == (640, 360)


@pytest.mark.parametrize(
    "changes", [{"sensitive": True}, {"attachments": (replace(FILE, is_nsfw=True),)}]
)
def test_a_flagged_file_flags_its_post(changes: dict[str, Any]) -> None:
    assert entity(replace(POST, **changes))["sensitive"] is True


def test_a_boost_has_no_files_of_its_own() -> None:
    body = entity(replace(POST, post_id="12", reblog_of=POST))
    assert body["media_attachments"] == []
    assert body["reblog"]["id"] == "11"
