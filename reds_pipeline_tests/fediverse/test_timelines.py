from __future__ import annotations

import contextlib
import json
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from reds_pipeline.fediverse.timelines import (
    Page,
    PagingRules,
    days_earlier,
    id_order,
    public_timeline,
    tag_timeline,
)
from reds_pipeline.fediverse.web.client import ApiClient
from reds_pipeline.fediverse.web.failures import HostError, HostUnavailable
from reds_pipeline_tests.fediverse.makers import IMPATIENT, MASTODON, PIXELFED, timeline
from reds_pipeline_tests.fediverse.scripted_host import Asked, Reply, ScriptedHost, as_json


@pytest.fixture(scope="module")
def server() -> Iterator[ScriptedHost]:
    with ScriptedHost() as running:
        yield running


@pytest.fixture(scope="module")
def client(server: ScriptedHost) -> Iterator[ApiClient]:
    with ApiClient(server.url, pace=IMPATIENT) as made:
        # So that robots.txt is not among the requests that tests count.
        made.robots_refusal("/")
        yield made


def script(server: ScriptedHost, pages: list[Any], then: Any = ()) -> None:
    """Answer one page after the other whatever is asked, and ``then`` for ever."""
    server.asked.clear()
    rest = iter(pages)
    server.answer = lambda _asked: as_json(next(rest, list(then)))


def posts(*ids: int) -> list[dict[str, Any]]:
    return [{"id": str(post_id)} for post_id in ids]


def ids(pages: list[Page]) -> list[str]:
    return [entity["id"] for page in pages for entity in page.entities]


@pytest.mark.parametrize(
    ("profile", "feed", "public", "tag"),
    [
        (PIXELFED, "local", {"local": "1", "_pe": "1"}, {"_pe": "1"}),
        (PIXELFED, "federated", {"local": "1", "remote": "1", "_pe": "1"}, {"_pe": "1"}),
        (
            MASTODON,
            "local",
            {"local": "true", "only_media": "true"},
            {"local": "true", "only_media": "true"},
        ),
        (MASTODON, "federated", {"only_media": "true"}, {"only_media": "true"}),
    ],
)
def test_each_flavour_is_asked_in_its_own_words(
    *, server: ScriptedHost, client: ApiClient, profile: Any, feed: Any, public: Any, tag: Any
) -> None:
    script(server, [])
    rules = PagingRules(limit=500, feed=feed)
    list(public_timeline(client, profile, rules=rules))
    list(tag_timeline(client, profile, "50% off/ü", rules=rules))
    assert [asked.query for asked in server.asked] == [
        {**public, "limit": "40"},
        {**tag, "limit": "40"},
    ]
    assert server.asked[1].path == "/api/v1/timelines/tag/50%25%20off%2F%C3%BC"


def test_short_pages_are_not_the_end(server: ScriptedHost, client: ApiClient) -> None:
    script(server, [posts(9, 8), posts(7), posts(6, 5, 4)])
    pages = list(tag_timeline(client, MASTODON, "cat"))
    assert ids(pages) == ["9", "8", "7", "6", "5", "4"]
    assert [page.exhausted for page in pages] == [False, False, False, True]
    assert [asked.query.get("max_id") for asked in server.asked] == [None, "8", "7", "4"]


@pytest.mark.parametrize(
    ("pages", "expected", "why"),
    [
        ([posts(3, 2), posts(2)], ["3", "2"], "max_id is inclusive"),
        ([posts(3, 2), posts(2, 1), posts(1)], ["3", "2", "1"], "inclusive, with more below"),
        ([posts(3, 3, 2)], ["3", "2"], "a post stands twice"),
        ([[None, 7, {"x": 1}, {"id": None}, {"id": ""}]], [], "nothing in it is a post"),
        ([[{"id": 12}, {"id": "11"}]], [12, "11"], "ids as numbers"),
    ],
)
def test_a_walk_ends_where_nothing_new_comes(
    server: ScriptedHost, client: ApiClient, pages: list[Any], expected: list[Any], why: str
) -> None:
    script(server, pages)
    walked = list(tag_timeline(client, MASTODON, "cat"))
    assert ids(walked) == expected, why
    assert walked[-1].exhausted


@pytest.mark.parametrize(
    ("pages", "why"),
    [
        ([posts(30, 20), posts(30, 20)], "page one for ever"),
        ([posts(30, 20), posts(40, 30)], "page one with a new arrival"),
        ([posts(30, 20), posts(20, 10), posts(30, 20)], "from the third page on"),
        ([[{"id": "01ARZ"}, {"id": "01ARY"}]] * 2, "opaque ids"),
    ],
)
def test_a_host_that_ignores_the_cursor_is_a_sentence_and_no_endless_walk(
    server: ScriptedHost, client: ApiClient, pages: list[Any], why: str
) -> None:
    script(server, pages)
    with pytest.raises(HostError, match="same posts whatever page"):
        list(tag_timeline(client, MASTODON, "cat"))
    assert len(server.asked) == len(pages), why


def test_opaque_ids_out_of_order_are_walked(server: ScriptedHost, client: ApiClient) -> None:
    pages = [[{"id": "9qB"}, {"id": "9qA"}], [{"id": "9qz"}], [{"id": "a"}]]
    script(server, pages)
    assert ids(list(tag_timeline(client, MASTODON, "cat"))) == ["9qB", "9qA", "9qz", "a"]


def test_links_are_not_believed(server: ScriptedHost, client: ApiClient) -> None:
    server.asked.clear()
    endless = f'<{server.url}/api/v1/timelines/public?max_id=>; rel="next"'

    def answer(asked: Asked) -> Reply:
        return as_json(posts(2) if "max_id" not in asked.query else [], Link=endless)

    server.answer = answer
    assert ids(list(public_timeline(client, PIXELFED))) == ["2"]
    assert len(server.asked) == 2


def test_a_page_budget_ends_a_walk_without_calling_it_exhausted(
    server: ScriptedHost, client: ApiClient
) -> None:
    endless = (posts(number) for number in range(10**6, 0, -1))
    server.asked.clear()
    server.answer = lambda _asked: as_json(next(endless))
    pages = list(tag_timeline(client, PIXELFED, "cat", rules=PagingRules(max_pages=7)))
    assert len(server.asked) == len(pages) == 7
    assert not any(page.exhausted for page in pages)


def test_a_walk_can_start_anywhere(server: ScriptedHost, client: ApiClient) -> None:
    corpus = posts(*range(1, 100))
    server.answer = lambda asked: timeline(corpus, asked)
    walked = list(public_timeline(client, PIXELFED, start="50"))
    assert ids(walked) == [str(number) for number in range(49, 0, -1)]


def test_something_else_than_a_list_is_not_taken_for_the_end(
    server: ScriptedHost, client: ApiClient
) -> None:
    script(server, [posts(5), {"tags": []}])
    walk = tag_timeline(client, PIXELFED, "cat")
    assert ids([next(walk)]) == ["5"]
    with pytest.raises(HostUnavailable, match="list"):
        next(walk)


NOON = (10**12) << 22
MINUTE, DAY = 60_000, 86_400_000


@pytest.mark.parametrize("days_below", [0.5, 1.5, 3.9, 12.0])
def test_a_window_in_which_everything_was_filtered_is_stepped_over(
    server: ScriptedHost, client: ApiClient, days_below: float
) -> None:
    """Pixelfed filters the rows that it looked at; what lies beyond has to be searched for."""
    gap_ends = (10**12 - int(days_below * DAY)) << 22
    beyond = posts(*range(gap_ends, gap_ends - (15 * DAY << 22), -(60 * MINUTE << 22)))
    server.asked.clear()

    def answer(asked: Asked) -> Reply:
        below = int(asked.query.get("max_id", 2**63))
        if below > NOON:
            return as_json(posts(NOON))
        # The window holds so many rows that it reaches the first post from two minutes above.
        filtered = below - gap_ends > (2 * MINUTE << 22)
        return as_json([] if filtered else json.loads(timeline(beyond, asked).body))

    server.answer = answer
    pages = list(tag_timeline(client, PIXELFED, "cat"))
    assert ids(pages) == [str(NOON), *(post["id"] for post in beyond)]
    assert pages[-1].exhausted
    assert pages[-1].guessed
    assert len(server.asked) < 40


def test_the_end_of_a_pixelfed_timeline_costs_three_requests_and_is_a_guess(
    server: ScriptedHost, client: ApiClient
) -> None:
    script(server, [posts(NOON)])
    pages = list(public_timeline(client, PIXELFED))
    asked = [int(item.query.get("max_id", 0)) >> 22 for item in server.asked]
    assert asked == [0, 10**12, 10**12 - DAY, 10**12 - 4 * DAY, 10**12 - 13 * DAY]
    assert [(page.exhausted, page.guessed) for page in pages] == [(False, False), (True, True)]


@pytest.mark.parametrize(
    ("profile", "pages", "requests", "why"),
    [
        (PIXELFED, [[]], 1, "an unknown tag has no cursor to start from"),
        (MASTODON, [posts(NOON), []], 2, "only Pixelfed filters whole windows"),
        (PIXELFED, [[{"id": "01ARZ3NDEK"}], []], 2, "an id that is no snowflake"),
        (PIXELFED, [posts(5), []], 2, "before the beginning of time"),
    ],
)
def test_there_is_not_always_a_day_to_step_over(
    *, server: ScriptedHost, client: ApiClient, profile: Any, pages: Any, requests: int, why: str
) -> None:
    script(server, pages)
    list(tag_timeline(client, profile, "cat"))
    assert len(server.asked) == requests, why


@settings(deadline=None)
@given(st.integers(0, 2**63 - 1), st.integers(1, 30))
def test_some_days_earlier_is_a_smaller_id_or_nothing(post_id: int, days: int) -> None:
    earlier = days_earlier(str(post_id), days)
    assert earlier is None or 0 < int(earlier) <= post_id - (days * DAY << 22)


@settings(deadline=None)
@given(st.integers(0, 2**80), st.integers(0, 2**80))
def test_ids_that_are_numbers_are_ordered_as_numbers(one: int, other: int) -> None:
    assert (id_order(str(one)) < id_order(str(other))) == (one < other)


_ODD = st.one_of(st.none(), st.integers(), st.text(max_size=3), st.just({"id": None}))
_POST = st.builds(
    lambda post_id: {"id": post_id},
    st.one_of(
        st.integers(0, 12).map(str), st.integers(NOON, NOON + 3).map(str), st.text(max_size=2)
    ),
)
_PAGES = st.lists(st.lists(st.one_of(_POST, _ODD), max_size=4), min_size=1, max_size=8)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(pages=_PAGES, profile=st.sampled_from([PIXELFED, MASTODON]))
def test_every_walk_ends_and_brings_each_post_once(
    server: ScriptedHost, client: ApiClient, pages: list[Any], profile: Any
) -> None:
    """Whatever a host answers, for ever the same script in a circle."""
    server.asked.clear()
    server.answer = lambda _asked: as_json(pages[(len(server.asked) - 1) % len(pages)])
    walked = []
    with contextlib.suppress(HostError):
        for page in tag_timeline(client, profile, "cat", rules=PagingRules(max_pages=12)):
            walked.append(page)
    # The last of the twelve may be the first of a search below an empty page.
    assert len(server.asked) <= 12 + 40
    found = [str(post_id) for post_id in ids(walked)]
    assert len(found) == len(set(found))
