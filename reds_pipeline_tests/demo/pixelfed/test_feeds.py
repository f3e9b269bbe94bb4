from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from reds_pipeline.demo.pixelfed.feeds import PageRequest, public_link_header, public_page, tag_page
from reds_pipeline.demo.posts import Attachment, Author, Picture, Post, snowflake

NOW = datetime(2026, 6, 1, tzinfo=UTC)
LOCAL = Author("1", "mira", "Mira", "", NOW)
REMOTE = replace(LOCAL, account_id="2", host="faraway.example")
CLOSED = replace(LOCAL, account_id="3", suspended=True)
ADDRESS = "http://127.0.0.1:1/api/v1/timelines/public"
FILE = Attachment("50211", "/storage/m/_v2/1/a/b/c.jpg", Picture("cat", 0), "plain", "image/jpeg")


def post(minutes_ago: float, **traits: object) -> Post:
    moment = NOW - timedelta(minutes=minutes_ago)
    base = Post(snowflake(moment), LOCAL, moment, "", ("cat",), (FILE,))
    return replace(base, **traits)  # type: ignore[arg-type]


def ages(page: list[Post]) -> list[float]:
    return [(NOW - entry.created_at) / timedelta(minutes=1) for entry in page]


def after(entry: Post, limit: int = 40) -> PageRequest:
    return PageRequest(limit=limit, max_id=int(entry.post_id))


FEED = [post(minute) for minute in range(100)]


@pytest.mark.parametrize(("limit", "length"), [(1, 1), (20, 20), (40, 40), (41, 40), (500, 40)])
def test_limits_above_forty_are_clamped(limit: int, length: int) -> None:
    assert len(public_page(FEED, PageRequest(limit=limit))) == length
    assert len(tag_page(FEED, "cat", PageRequest(limit=limit))) == length


def test_pages_are_newest_first_and_continue_below_the_cursor() -> None:
    for page in (public_page, lambda posts, request: tag_page(posts, "cat", request)):
        first = page(FEED[::-1], PageRequest(limit=3))
        assert ages(first) == [0, 1, 2]
        assert ages(page(FEED, after(first[-1], limit=3))) == [3, 4, 5]


def test_min_id_means_the_newest_above_and_wins_over_max_id() -> None:
    request = PageRequest(limit=2, min_id=int(FEED[10].post_id), max_id=int(FEED[50].post_id))
    assert ages(public_page(FEED, request)) == [0, 1]


@pytest.mark.parametrize(
    ("local", "remote", "expected"),
    [(False, False, [1]), (True, False, [1]), (False, True, [2]), (True, True, [1, 2])],
)
def test_the_public_feed_is_local_unless_asked_otherwise(
    local: bool, remote: bool, expected: list[float]
) -> None:
    posts = [post(1), post(2, author=REMOTE)]
    assert ages(public_page(posts, PageRequest(), local=local, remote=remote)) == expected


@pytest.mark.parametrize(
    "traits",
    [
        {"visibility": "unlisted"},
        {"visibility": "private"},
        {"in_reply_to": "5"},
        {"reblog_of": post(9)},
        {"author": CLOSED},
        {"attachments": ()},
    ],
)
def test_the_public_feed_leaves_out(traits: dict[str, object]) -> None:
    assert ages(public_page([post(1), post(2, **traits)], PageRequest())) == [1]


def test_the_public_feed_keeps_sensitive_posts() -> None:
    posts = [post(1, sensitive=True), post(2, spoiler_text="spiders")]
    assert len(public_page(posts, PageRequest())) == 2


def test_the_public_feed_ends_ninety_days_back() -> None:
    posts = [post(0), post(89 * 24 * 60), post(91 * 24 * 60)]
    assert ages(public_page(posts, PageRequest())) == [0, 89 * 24 * 60]


def test_a_cached_feed_holds_only_its_newest_posts() -> None:
    last = public_page(FEED, PageRequest(limit=40), feed_cap=50)[-1]
    assert len(public_page(FEED, after(last), feed_cap=50)) == 10


def test_public_pages_are_short_where_the_row_window_is_filtered() -> None:
    posts = [post(minute, author=CLOSED if 5 <= minute < 70 else LOCAL) for minute in range(200)]
    first = public_page(posts, PageRequest(limit=40))
    assert len(first) == 15, "80 rows, 65 of them closed, and yet not the last page"
    assert len(public_page(posts, after(first[-1]))) == 40


@pytest.mark.parametrize("spelling", ["cat", "CAT", "Cat"])
def test_hashtags_are_looked_up_without_regard_to_case(spelling: str) -> None:
    assert len(tag_page([post(1, tags=("cAt", "sun"))], spelling, PageRequest())) == 1


def test_an_unknown_hashtag_has_an_empty_feed() -> None:
    assert tag_page(FEED, "unheard", PageRequest()) == []
    assert tag_page([], "cat", PageRequest()) == []
    assert public_page([], PageRequest()) == []


@pytest.mark.parametrize(
    ("traits", "leak", "served"),
    [
        ({"visibility": "private"}, True, True),
        ({"visibility": "private"}, False, False),
        ({"visibility": "archived"}, True, False),
        ({"attachments": ()}, True, False),
        ({"visibility": "unlisted"}, True, False),
        ({"in_reply_to": "5"}, False, True),
        ({"reblog_of": post(9)}, False, True),
        ({"author": REMOTE}, False, True),
        ({"author": CLOSED}, True, False),
        ({"sensitive": True}, False, True),
    ],
)
def test_what_a_hashtag_feed_serves(traits: dict[str, object], leak: bool, served: bool) -> None:
    page = tag_page([post(1, **traits)], "cat", PageRequest(), visibility_leak=leak)
    assert bool(page) is served


def test_hashtag_pages_scan_a_hundred_rows_and_may_be_empty_in_mid_stream() -> None:
    posts = [
        post(minute, visibility="unlisted" if 10 <= minute < 120 else "public")
        for minute in range(200)
    ]
    first = tag_page(posts, "cat", PageRequest(limit=40))
    assert len(first) == 10
    assert tag_page(posts, "cat", after(first[-1])) == []
    assert len(tag_page(posts, "cat", after(posts[60]))) == 40


def test_hashtag_cursors_older_than_nine_months_end_the_feed() -> None:
    old = post(280 * 24 * 60)
    posts = [post(0), old, post(281 * 24 * 60)]
    assert len(tag_page(posts, "cat", PageRequest())) == 3, "page one knows no age"
    assert tag_page(posts, "cat", after(old)) == []


def link(page: list[Post], limit: int, **flags: bool) -> str | None:
    chosen = {"local": False, "remote": False} | flags
    return public_link_header(page, ADDRESS, PageRequest(limit=limit), **chosen)


def test_the_link_header_points_on_even_from_the_last_page() -> None:
    newest, oldest = FEED[0].post_id, FEED[1].post_id
    assert link(FEED[:2], 40, local=True) == (
        f'<{ADDRESS}?limit=40&local=1&max_id={oldest}>; rel="next",'
        f'<{ADDRESS}?limit=40&local=1&min_id={newest}>; rel="prev"'
    )


@pytest.mark.parametrize(
    ("length", "limit", "expected"),
    [
        (0, 40, None),
        (1, 40, None),
        (1, 1, f'<{ADDRESS}?limit=1&max_id=>; rel="next"'),
    ],
)
def test_the_link_header_of_short_pages(length: int, limit: int, expected: str | None) -> None:
    assert link(FEED[:length], limit) == expected
