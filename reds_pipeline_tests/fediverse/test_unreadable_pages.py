from __future__ import annotations

import itertools
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from reds_pipeline.fediverse.hosts import HostProfile
from reds_pipeline.fediverse.timelines import Page, PagingRules, tag_timeline
from reds_pipeline.fediverse.web.client import ApiClient
from reds_pipeline.fediverse.web.failures import BudgetSpent, CircuitOpen, HostUnavailable
from reds_pipeline.fediverse.web.transport import RequestPace
from reds_pipeline_tests.fediverse.makers import MASTODON, PIXELFED, timeline
from reds_pipeline_tests.fediverse.scripted_host import (
    NOT_FOUND,
    Asked,
    Reply,
    ScriptedHost,
    as_json,
)

ONCE = RequestPace(per_second=None, retries=0, backoff_seconds=0.001, longest_wait_seconds=0.01)
COMPATIBLE = HostProfile("compatible", "gotosocial", "0.19", "Test", "anonymous", "anonymous")
BROKEN = as_json({"error": "Server Error"}, 500)
NOW = int(time.time() * 1000)
# The ids of an hour ago, and how many of them a second holds.
NEWEST = {PIXELFED: (NOW - 1_549_756_800_000 - 3_600_000) << 22, MASTODON: (NOW - 3_600_000) << 16}
SECOND = {PIXELFED: 1000 << 22, MASTODON: 1000 << 16}


def snowflakes(number: int, profile: HostProfile = PIXELFED) -> list[dict[str, Any]]:
    """Posts about a quarter of an hour apart."""
    newest, second = NEWEST[profile], SECOND[profile]
    return [{"id": str(newest - place * second * 977)} for place in range(number)]


class Host:
    """A timeline with posts that break every page on which they stand."""

    def __init__(self, server: ScriptedHost, client: ApiClient) -> None:
        self.server = server
        self.client = client
        self.posts: list[dict[str, Any]] = []
        self.broken: set[str] = set()
        self.fails: Callable[[Asked], bool] = lambda _asked: False
        server.asked.clear()
        server.answer = self._answer

    def _answer(self, asked: Asked) -> Reply:
        if asked.path == "/robots.txt":
            return NOT_FOUND
        reply = timeline(self.posts, asked)
        stands_on_it = any(f'"{post_id}"'.encode() in reply.body for post_id in self.broken)
        return BROKEN if stands_on_it or self.fails(asked) else reply

    def walk(self, profile: HostProfile = PIXELFED, **rules: Any) -> list[Page]:
        return list(tag_timeline(self.client, profile, "cat", rules=PagingRules(**rules)))


@pytest.fixture(scope="module")
def running() -> Iterator[tuple[ScriptedHost, ApiClient]]:
    with ScriptedHost() as server, ApiClient(server.url, pace=ONCE) as client:
        client.robots_refusal("/")
        yield server, client


@pytest.fixture
def host(running: tuple[ScriptedHost, ApiClient]) -> Host:
    return Host(*running)


def ids(pages: list[Page]) -> list[str]:
    return [entity["id"] for page in pages for entity in page.entities]


def unreadable(pages: list[Page]) -> int:
    return sum(page.unreadable for page in pages)


@pytest.mark.parametrize(
    ("places", "why"),
    [
        ([0], "the very newest post, before any cursor is known"),
        ([1], "right below it"),
        ([39], "the last of a page"),
        ([40], "the first of the second page"),
        ([57], "in the midst"),
        ([98], "the last but one"),
        ([10, 60], "two pages"),
        ([20, 21], "two in a row cost one place"),
        ([20, 25], "two on one page"),
        ([0, 40, 80], "three"),
    ],
)
@pytest.mark.parametrize("profile", [PIXELFED, MASTODON])
def test_a_post_that_breaks_its_page_is_all_that_is_lost(
    host: Host, profile: HostProfile, places: list[int], why: str
) -> None:
    host.posts = snowflakes(100, profile)
    all_ids = [post["id"] for post in host.posts]
    host.broken = {all_ids[place] for place in places}
    pages = host.walk(profile, max_pages=500)
    assert ids(pages) == [post_id for post_id in all_ids if post_id not in host.broken], why
    in_a_row = sum(after == before + 1 for before, after in itertools.pairwise(places))
    assert unreadable(pages) == len(places) - in_a_row
    assert pages[-1].exhausted
    assert len(host.server.asked) < 20 + 100 * len(places)


def test_small_numbers_are_stepped_over_too(host: Host) -> None:
    host.posts = [{"id": str(number)} for number in range(1, 31)]
    host.broken = {"17", "2"}
    assert set(ids(host.walk(COMPATIBLE, limit=10))) == {
        str(number) for number in range(1, 31) if str(number) not in host.broken
    }


@pytest.mark.parametrize("oldest", [1, NEWEST[PIXELFED]], ids=["counted", "of times"])
def test_where_only_broken_posts_are_left_the_walk_stops_without_calling_it_the_end(
    host: Host, oldest: int
) -> None:
    host.posts = [{"id": str(oldest + number * 7)} for number in range(10)]
    host.broken = {str(oldest)}
    pages = host.walk()
    assert len(ids(pages)) == 9
    assert unreadable(pages) == 1
    assert not pages[-1].exhausted
    assert pages[-1].cursor is None


def test_a_page_that_fails_once_costs_a_few_smaller_pages(host: Host) -> None:
    host.posts = snowflakes(100)
    hiccups = iter([True])
    host.fails = lambda asked: "max_id" in asked.query and next(hiccups, False)
    pages = host.walk()
    assert ids(pages) == [post["id"] for post in host.posts]
    assert unreadable(pages) == 0
    assert len(host.server.asked) < 20
    limits = [int(asked.query["limit"]) for asked in host.server.asked]
    assert limits[1:3] == [40, 20]
    assert limits.count(40) > 2


def test_ids_that_cannot_be_made_up_stop_the_walk_there(host: Host) -> None:
    pages = [[{"id": "01ARZ3"}, {"id": "01ARZ2"}], [{"id": "01ARZ1"}]]
    host.server.answer = lambda asked: (
        as_json(pages["max_id" in asked.query])
        if asked.query.get("max_id") in {None, "01ARZ2"}
        else BROKEN
    )
    walked = host.walk(COMPATIBLE)
    assert ids(walked) == ["01ARZ3", "01ARZ2", "01ARZ1"]
    assert walked[-1] == Page(unreadable=1)


def test_a_host_that_went_down_is_no_broken_page(host: Host) -> None:
    host.posts = snowflakes(100)
    walk = tag_timeline(host.client, PIXELFED, "cat")
    assert len(next(walk).entities) == 40
    host.fails = lambda _asked: True
    host.server.asked.clear()
    with pytest.raises(HostUnavailable):
        next(walk)
    assert len(host.server.asked) == 4


def test_a_timeline_that_fails_from_the_start_is_a_failure(host: Host) -> None:
    host.fails = lambda _asked: True
    with pytest.raises(HostUnavailable):
        host.walk()


def test_everything_below_a_place_failing_is_a_failure_and_no_single_post(host: Host) -> None:
    host.posts = snowflakes(100, MASTODON)
    host.fails = lambda asked: int(asked.query.get("max_id", 2**63)) < NEWEST[MASTODON]
    walk = tag_timeline(host.client, MASTODON, "cat")
    next(walk)
    with pytest.raises(HostUnavailable):
        next(walk)


def test_old_posts_failing_up_to_the_horizon_are_not_given_up(host: Host) -> None:
    """Beyond nine months Pixelfed answers any cursor with nothing, which proves nothing."""
    host.posts = snowflakes(100)
    newest, second = NEWEST[PIXELFED], SECOND[PIXELFED]
    horizon = newest - second * 24 * 3600 * 270
    host.fails = lambda asked: horizon < int(asked.query.get("max_id", 2**63)) < newest - second
    pages = host.walk()
    assert len(ids(pages)) == 40
    assert pages[-1] == Page(unreadable=1)


def test_a_host_that_is_to_be_left_alone_is_left_alone(running: tuple[ScriptedHost, Any]) -> None:
    server, _ = running
    server.answer = lambda asked: (
        NOT_FOUND if asked.path == "/robots.txt" else as_json({"error": "x"}, 503)
    )
    pace = RequestPace(per_second=None, retries=1, backoff_seconds=0.001, tolerated_failures=2)
    with ApiClient(server.url, pace=pace) as client:
        server.asked.clear()
        with pytest.raises(CircuitOpen):
            list(tag_timeline(client, PIXELFED, "cat"))
        assert len(server.asked) == 1 + 2


def test_a_budget_that_ends_in_a_search_is_no_broken_page(
    running: tuple[ScriptedHost, ApiClient],
) -> None:
    server, _ = running
    with ApiClient(server.url, pace=ONCE, budget=12) as client:
        host = Host(server, client)
        host.posts = snowflakes(100)
        host.broken = {host.posts[50]["id"]}
        with pytest.raises(BudgetSpent, match="REDS_REQUESTS_PER_RUN"):
            host.walk()


def test_every_walk_gets_past_one_place_however_small_its_budget(host: Host) -> None:
    host.posts = snowflakes(60)
    host.broken = {host.posts[40]["id"]}
    pages = host.walk(max_pages=2)
    assert unreadable(pages) == 1
    below = pages[-1].cursor
    assert below is not None
    assert int(host.posts[41]["id"]) < int(below) <= int(host.posts[40]["id"])


def test_the_search_does_not_wait_as_long_at_each_step_as_for_a_page(
    running: tuple[ScriptedHost, ApiClient],
) -> None:
    server, _ = running
    with ApiClient(
        server.url, pace=RequestPace(per_second=None, retries=5, backoff_seconds=0.001)
    ) as client:
        host = Host(server, client)
        host.posts = snowflakes(60)
        host.broken = {host.posts[50]["id"]}
        assert len(ids(host.walk())) == 59
        limits = [int(asked.query["limit"]) for asked in server.asked if asked.query]
        # The page itself six times, half of it twice.
        assert limits[1:10] == [40] * 6 + [20] * 2 + [10]


def test_a_quiet_timeline_whose_newest_post_is_broken_loses_only_that(host: Host) -> None:
    """Nothing has been posted there for months, so that a page of ten days ago breaks as well."""
    month = 30 * 24 * 3600 * SECOND[PIXELFED]
    host.posts = [{"id": str(int(post["id"]) - 4 * month)} for post in snowflakes(30)]
    newest = host.posts[0]["id"]
    host.broken = {newest}
    pages = host.walk()
    assert ids(pages) == [post["id"] for post in host.posts[1:]]
    assert sum(page.unreadable for page in pages) == 1
