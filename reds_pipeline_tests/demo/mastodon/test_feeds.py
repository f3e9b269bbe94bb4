from __future__ import annotations

from datetime import UTC, datetime

import pytest
from hypothesis import given, strategies

from reds_pipeline.demo.hashtags import full_width
from reds_pipeline.demo.mastodon.feeds import (
    Cursor,
    Selection,
    link_header,
    normalised,
    offset_link_header,
    public_page,
    tag_page,
)
from reds_pipeline.demo.posts import Attachment, Author, Picture, Post

NOW = datetime(2026, 10, 1, tzinfo=UTC)
LOCAL = Author("1", "mira", "Mira", "", NOW)
REMOTE = Author("2", "ola", "Ola", "", NOW, host="faraway.example")
FILE = Attachment("9", "/system/x.jpg", Picture("cat", 1), "plain", "image/jpeg")


def post(post_id: int, **changes: object) -> Post:
    values: dict[str, object] = {
        "post_id": str(post_id),
        "author": LOCAL,
        "created_at": NOW,
        "caption": "",
        "tags": ("Cat",),
        "attachments": (FILE,),
    }
    return Post(**values | changes)  # type: ignore[arg-type]


def ids(page: list[Post]) -> list[int]:
    return [int(entry.post_id) for entry in page]


TEN = [post(number) for number in range(10, 0, -1)]


@pytest.mark.parametrize(
    ("cursor", "expected", "reason"),
    [
        (Cursor(3), [10, 9, 8], "the newest without a cursor"),
        (Cursor(3, max_id=8), [7, 6, 5], "max_id is exclusive"),
        (Cursor(3, since_id=4), [10, 9, 8], "since_id: the newest above it"),
        (Cursor(3, since_id=8), [10, 9], "since_id is exclusive"),
        (Cursor(3, min_id=4), [7, 6, 5], "min_id: those immediately above, newest first"),
        (Cursor(3, min_id=4, max_id=6), [5], "both bounds hold together"),
        (Cursor(3, min_id=4, since_id=8), [7, 6, 5], "min_id wins over since_id"),
        (Cursor(0), [], "a limit of nothing"),
        (Cursor(3, max_id=0), [], "what odd cursors become"),
    ],
)
def test_cursors(cursor: Cursor, expected: list[int], reason: str) -> None:
    assert ids(cursor.page(TEN)) == expected, reason


@given(
    numbers=strategies.sets(strategies.integers(1, 2**60), max_size=60),
    limit=strategies.integers(1, 40),
)
def test_walking_down_and_walking_up_meet_the_same_posts(numbers: set[int], limit: int) -> None:
    newest_first = [post(number) for number in sorted(numbers, reverse=True)]
    down: list[int] = []
    while page := ids(Cursor(limit, max_id=down[-1] if down else None).page(newest_first)):
        down += page
    up: list[int] = []
    while page := ids(Cursor(limit, min_id=up[-1] if up else 0).page(newest_first)):
        up += reversed(page)
    assert down == sorted(numbers, reverse=True)
    assert up == sorted(numbers)


@pytest.mark.parametrize(
    ("changes", "in_public", "in_tag", "reason"),
    [
        ({}, True, True, "an ordinary post"),
        ({"visibility": "unlisted"}, False, False, "unlisted posts are in no feed"),
        ({"visibility": "private"}, False, False, "followers-only posts do not leak"),
        ({"in_reply_to": "5"}, False, True, "replies are in hashtag timelines only"),
        ({"reblog_of": post(1)}, False, False, "boosts have no hashtags"),
        ({"author": Author("3", "x", "", "", NOW, suspended=True)}, False, False, "suspended"),
        ({"author": Author("3", "x", "", "", NOW, limited=True)}, False, False, "silenced"),
        ({"sensitive": True}, True, True, "sensitive posts are not filtered"),
        ({"attachments": ()}, True, True, "text posts come unless only_media is asked for"),
        ({"author": REMOTE}, True, True, "both origins come by default"),
    ],
)
def test_what_stands_in_which_feed(
    changes: dict[str, object], in_public: bool, in_tag: bool, reason: str
) -> None:
    posts = [post(7, **changes)]
    assert bool(public_page(posts, Selection(), Cursor())) is in_public, reason
    assert bool(tag_page(posts, "cat", Selection(), Cursor())) is in_tag, reason


@pytest.mark.parametrize(
    ("selection", "expected"),
    [
        (Selection(), [4, 3, 2, 1]),
        (Selection(remote=False), [4, 2]),
        (Selection(local=False), [3, 1]),
        (Selection(only_media=True), [4, 3]),
        (Selection(remote=False, only_media=True), [4]),
        (Selection(any_of=("dog",)), [5, 4, 3, 2, 1]),
        (Selection(all_of=("Garden",)), [3]),
        (Selection(none_of=("garden",)), [4, 2, 1]),
    ],
)
def test_selections(selection: Selection, expected: list[int]) -> None:
    posts = [
        post(5, tags=("Dog",)),
        post(4),
        post(3, author=REMOTE, tags=("cat", "garden")),
        post(2, attachments=()),
        post(1, author=REMOTE, attachments=()),
    ]
    assert ids(tag_page(posts, "CAT", selection, Cursor())) == expected


@pytest.mark.parametrize(
    ("written", "stored"),
    [
        ("CatsOfMastodon", "catsofmastodon"),
        (full_width("cat"), "cat"),
        ("Été", "ete"),
        ("E\u0301te\u0301", "ete"),
        ("日本", "日本"),
        ("が", "が"),
        ("фото", "фото"),
        ("ЙОД", "йод"),
    ],
)
def test_hashtags_are_stored_normalised(written: str, stored: str) -> None:
    assert normalised(written) == stored


def test_links_stand_on_every_page_but_an_empty_one_and_lose_parameters() -> None:
    asked = {"limit": "2", "local": "true", "remote": "true", "max_id": "99"}
    kept = ("local", "limit", "only_media")
    link = link_header([post(8), post(7)], "http://town/tag", asked, kept)
    assert link == (
        '<http://town/tag?local=true&limit=2&max_id=7>; rel="next", '
        '<http://town/tag?local=true&limit=2&min_id=8>; rel="prev"'
    )
    assert link_header([], "http://town/tag", asked, kept) is None


@pytest.mark.parametrize(
    ("offset", "has_more", "relations"),
    [(0, True, ["next"]), (10, True, ["next", "prev"]), (10, False, ["prev"]), (0, False, [])],
)
def test_trends_are_paged_by_offset(offset: int, has_more: bool, relations: list[str]) -> None:
    link = offset_link_header("http://town/trends", 10, offset, has_more=has_more) or ""
    assert [relation for relation in ("next", "prev") if f'rel="{relation}"' in link] == relations
