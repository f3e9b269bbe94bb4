from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from reds_pipeline.fediverse.tag_feeds import discover_pages, rss_pages, rss_post_ids
from reds_pipeline.fediverse.timelines import Page
from reds_pipeline.fediverse.web.client import ApiClient
from reds_pipeline.fediverse.web.failures import AuthenticationRequired
from reds_pipeline_tests.fediverse.makers import IMPATIENT, entity
from reds_pipeline_tests.fediverse.scripted_host import (
    NOT_FOUND,
    Asked,
    Reply,
    ScriptedHost,
    as_json,
)

ORIGIN = "https://m.example:443"
PICTURE = '<media:content url="https://m.example/a.jpg" medium="image"/>'
NO_RESULTS = as_json({"error": "No query results for model [App\\Hashtag]"}, 500)
CLOSED = as_json({"error": "This method requires an authenticated user"}, 401)


def feed(*links: str, media: str = PICTURE) -> str:
    items = "".join(f"<item><link>{link}</link>{media}</item>" for link in links)
    return (
        '<?xml version="1.0" encoding="UTF-8"?>'
        '<rss version="2.0" xmlns:media="http://search.yahoo.com/mrss/">'
        f"<channel><link>https://m.example/tags/cat</link>{items}</channel></rss>"
    )


@pytest.mark.parametrize(
    ("document", "ids", "why"),
    [
        (feed("https://m.example/@mira/7", "https://m.example/@mira/12"), ["12", "7"], "newest up"),
        (feed("https://m.example/users/mira/statuses/7"), ["7"], "the older form"),
        (feed("https://M.example:443/@mira/7"), ["7"], "the same host in other words"),
        (feed(" https://m.example/@mira/7\n"), ["7"], "with space around"),
        (feed("https://m.example/@mira/01HZX"), ["01HZX"], "ids are opaque"),
        (feed("https://m.example/@mira/7", "https://m.example/@mira/7"), ["7"], "twice"),
        (feed("https://else.example/@mira/7"), [], "another host's own id means nothing here"),
        (feed("https://m.example/@mira@else.example/7"), [], "a copy: its origin decides"),
        (feed("https://m.example/@mira", "https://m.example/p/mira/7/x"), [], "no posts"),
        (feed("https://m.example/@mira/7%2F..%2Fsecret"), [], "no id"),
        (feed("http://[", "mailto:x", ""), [], "no addresses"),
        (feed("https://m.example/@mira/7", media=""), [], "words only"),
        (feed("https://m.example/@mira/7")[:-30], ["7"], "cut off at the end"),
        ("", [], "empty"),
        ("<html><p>hello</html>", [], "something else"),
    ],
)
def test_a_feed_names_the_own_posts_of_a_host(document: str, ids: list[str], why: str) -> None:
    assert rss_post_ids(document, ORIGIN) == ids, why


def test_a_feed_cannot_make_the_reader_open_files_or_swell() -> None:
    entities = "".join(f'<!ENTITY e{level} "{f"&e{level - 1};" * 10}">' for level in range(1, 9))
    document = (
        '<!DOCTYPE rss [<!ENTITY e0 "7777777777"><!ENTITY file SYSTEM "file:///etc/hostname">'
        f"{entities}]>"
        f"<rss><item><link>https://m.example/@a/&file;1</link><content/></item>"
        "<item><link>https://m.example/@a/&e8;</link><content/></item></rss>"
    )
    assert all(len(found) < 20 for found in rss_post_ids(document, ORIGIN))


@settings(max_examples=60, deadline=None)
@given(st.text(alphabet='<>/&;"= @ai:teml.xp0link', max_size=120))
def test_any_text_is_read_without_an_error(text: str) -> None:
    assert isinstance(rss_post_ids(text, ORIGIN), list)


def pages_of(
    answer: Callable[[Asked], Reply], walk: Callable[[ApiClient], Any]
) -> tuple[list[Page], ScriptedHost]:
    with ScriptedHost(answer) as server, ApiClient(server.url, pace=IMPATIENT) as client:
        return list(walk(client)), server


def ids(pages: list[Page]) -> list[str]:
    return [str(post["id"]) for page in pages for post in page.entities]


def test_posts_named_by_a_feed_are_read_whole_and_as_a_guest() -> None:
    gone = {"3"}

    def answer(asked: Asked) -> Reply:
        if asked.path == "/tags/50%25%20off.rss":
            assert asked.query == {"limit": "200", "local": "true"}
            links = [f"http://{asked.headers['Host']}/@mira/{number}" for number in (5, 4, 3, 2)]
            return Reply(200, feed(*links).encode(), {"Content-Type": "application/rss+xml"})
        post_id = asked.path.rpartition("/")[2]
        found = asked.path.startswith("/api/v1/statuses/") and post_id not in gone
        return as_json(entity("99" if post_id == "2" else post_id)) if found else NOT_FOUND

    pages, server = pages_of(
        answer, lambda client: rss_pages(client, "50% off", start="5", in_batches=False)
    )
    assert ids(pages) == ["4"], "5 is not below the start, 3 is gone, 2 is answered by another"
    assert [page.cursor for page in pages] == ["2"], "so far the walk came"
    assert not any("Authorization" in asked.headers for asked in server.asked)


def test_a_batch_may_answer_anything_and_only_what_was_asked_counts() -> None:
    def answer(asked: Asked) -> Reply:
        if asked.path == "/tags/cat.rss":
            links = [
                f"http://{asked.headers['Host']}/@mira/{number}" for number in range(50, 0, -1)
            ]
            return Reply(200, feed(*links).encode(), {"Content-Type": "text/xml"})
        if asked.path != "/api/v1/statuses":
            return NOT_FOUND
        last = int(asked.query["id[]"])
        return as_json([None, "x", entity("999"), entity(str(last)), entity(str(last + 1))])

    pages, _ = pages_of(
        answer, lambda client: rss_pages(client, "cat", start=None, in_batches=True)
    )
    assert [ids([page]) for page in pages] == [["32", "31"], ["12", "11"], ["2", "1"]]
    assert [page.cursor for page in pages] == ["31", "11", "1"]
    assert not any(page.exhausted for page in pages)


def test_a_feed_whose_posts_are_for_users_is_not_gone_around() -> None:
    def answer(asked: Asked) -> Reply:
        if asked.path == "/tags/cat.rss":
            link = f"http://{asked.headers['Host']}/@mira/1"
            return Reply(200, feed(link).encode(), {"Content-Type": "text/xml"})
        return CLOSED if asked.path.startswith("/api/") else NOT_FOUND

    with pytest.raises(AuthenticationRequired, match="REDS_HOST_TOKEN"):
        pages_of(answer, lambda client: rss_pages(client, "cat", start=None, in_batches=True))


def test_an_unknown_tag_has_no_pages() -> None:
    for pages, _ in (
        pages_of(
            lambda _asked: NOT_FOUND,
            lambda client: rss_pages(client, "cat", start=None, in_batches=True),
        ),
        pages_of(
            lambda asked: NO_RESULTS if asked.path.startswith("/api/") else NOT_FOUND,
            lambda client: discover_pages(client, "cat", start=None),
        ),
    ):
        assert pages == []


def pixelfed_feed(posts: list[str]) -> Callable[[Asked], Reply]:
    """Answer as Pixelfed does: an offset of 18 on the first page, of 9 a page on the others."""

    def answer(asked: Asked) -> Reply:
        if asked.path != "/api/v2/discover/tag":
            return NOT_FOUND
        number = int(asked.query["page"])
        offset = 18 if number == 1 else number * 9
        rows = posts[offset : offset + 9] if number < 8 else []
        return as_json({"hashtag": {}, "tags": [{"status": entity(row)} for row in rows]})

    return answer


@pytest.mark.parametrize(
    ("total", "requests", "why"),
    [
        (200, 7, "nothing beyond page 7 is asked for"),
        (27, 4, "two empty pages in a row are the end"),
        (18, 2, "all are among those that are never shown"),
        (0, 2, "a tag without posts"),
    ],
)
def test_the_discover_feed_is_read_past_its_repeated_page(
    total: int, requests: int, why: str
) -> None:
    posts = [str(number) for number in range(1000 + total, 1000, -1)]
    pages, server = pages_of(
        pixelfed_feed(posts), lambda client: discover_pages(client, "cat", start=None)
    )
    assert ids(pages) == posts[18:72]
    assert server.paths().count("/api/v2/discover/tag") == requests, why
    assert not any(page.exhausted for page in pages)


def test_the_discover_feed_goes_on_below_a_start() -> None:
    posts = [str(number) for number in range(1100, 1000, -1)]
    pages, _ = pages_of(
        pixelfed_feed(posts), lambda client: discover_pages(client, "cat", start="1050")
    )
    assert ids(pages) == [str(number) for number in range(1049, 1028, -1)]


@pytest.mark.parametrize(
    "body", [[], {"tags": None}, {"tags": [None, {"status": None}, {"status": {"id": None}}]}]
)
def test_a_discover_feed_without_posts_has_no_pages(body: Any) -> None:
    pages, server = pages_of(
        lambda asked: as_json(body) if asked.path.startswith("/api/") else NOT_FOUND,
        lambda client: discover_pages(client, "nsfw", start=None),
    )
    assert pages == []
    assert len(server.asked) <= 3
