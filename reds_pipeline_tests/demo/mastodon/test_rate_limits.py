from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

import pytest

from reds_pipeline.demo.instance import EmbeddedInstance
from reds_pipeline.demo.mastodon.options import MastodonOptions
from reds_pipeline.demo.mastodon.rate_limits import RateLimits
from reds_pipeline.demo.town.town import Town
from reds_pipeline_tests.demo.conftest import Visitor
from reds_pipeline_tests.demo.mastodon.conftest import PUBLIC, Guest

NEW_YEAR = datetime.fromisoformat("2027-01-01T00:01:00+00:00").timestamp()


@dataclass
class Clock:
    """A clock that the test turns."""

    now: float = NEW_YEAR

    def __call__(self) -> float:
        return self.now


@contextmanager
def throttled(town: Town, limits: RateLimits) -> Iterator[EmbeddedInstance]:
    with EmbeddedInstance(town, MastodonOptions(rate_limits=limits)) as instance:
        yield instance


def test_guests_run_out_and_the_next_window_on_the_wall_clock_lets_them_in(
    mastodon_town: Town,
) -> None:
    clock = Clock()
    with throttled(mastodon_town, RateLimits(requests=3, clock=clock)) as instance:
        guest = Guest(instance)
        answers = [guest.get(PUBLIC, limit=1) for _ in range(4)]
        assert [answer.status_code for answer in answers] == [200, 200, 200, 429]
        remaining = [answer.headers["X-RateLimit-Remaining"] for answer in answers]
        assert remaining == ["2", "1", "0", "0"]
        refused = answers[-1]
        assert refused.json() == {"error": "Too many requests"}
        assert refused.headers["X-RateLimit-Limit"] == "3"
        assert refused.headers["X-RateLimit-Reset"] == "2027-01-01T00:05:00.000000Z"
        assert "Retry-After" not in refused.headers
        clock.now += 239
        assert guest.get(PUBLIC).status_code == 429, "the last second of the window"
        clock.now += 1
        assert guest.get(PUBLIC).status_code == 200, "the window begins on the wall clock"


def test_a_token_has_an_allowance_of_its_own(mastodon_town: Town) -> None:
    with throttled(mastodon_town, RateLimits(requests=1, clock=Clock())) as instance:
        guest, user = Guest(instance), Visitor(instance)
        assert [guest.get(PUBLIC).status_code for _ in range(2)] == [200, 429]
        assert [user.get(PUBLIC).status_code for _ in range(2)] == [200, 429]


@pytest.mark.parametrize("cursor", ["max_id", "min_id", "since_id", "page"])
def test_paging_runs_out_first_and_the_headers_tell_of_the_tightest(
    cursor: str, mastodon_town: Town
) -> None:
    limits = RateLimits(requests=50, paging_requests=2, clock=Clock())
    with throttled(mastodon_town, limits) as instance:
        guest = Guest(instance)
        assert guest.get(PUBLIC).headers["X-RateLimit-Limit"] == "50"
        answers = [guest.get(PUBLIC, **{cursor: "5"}) for _ in range(3)]
        assert [answer.status_code for answer in answers] == [200, 200, 429]
        assert answers[0].headers["X-RateLimit-Limit"] == "2"
        assert answers[2].headers["X-RateLimit-Reset"] == "2027-01-01T00:15:00.000000Z"
        assert guest.get(PUBLIC).status_code == 200, "only pages with a cursor are refused"


@pytest.mark.parametrize(
    ("style", "reset", "retry_after"),
    [("epoch", str(int(NEW_YEAR) + 240), None), ("retry_after", None, "240"), ("none", None, None)],
)
def test_other_servers_tell_the_end_of_the_window_otherwise(
    style: Literal["epoch", "retry_after", "none"],
    reset: str | None,
    retry_after: str | None,
    mastodon_town: Town,
) -> None:
    limits = RateLimits(requests=1, clock=Clock(), reset_style=style)
    with throttled(mastodon_town, limits) as instance:
        guest = Guest(instance)
        guest.get(PUBLIC)
        headers = guest.get(PUBLIC).headers
        assert headers.get("X-RateLimit-Reset") == reset
        assert headers.get("Retry-After") == retry_after


def test_what_is_no_api_has_no_allowance_but_the_media_proxy(mastodon_town: Town) -> None:
    limits = RateLimits(requests=1, proxied_files=1, clock=Clock())
    with throttled(mastodon_town, limits) as instance:
        guest = Guest(instance)
        for _ in range(3):
            answer = guest.get("/robots.txt")
            assert answer.status_code == 200
            assert "X-RateLimit-Limit" not in answer.headers
        assert [guest.get("/media_proxy/1/original").status_code for _ in range(2)] == [404, 429]


def test_the_limits_are_those_of_a_stock_server_by_default() -> None:
    limits = RateLimits()
    assert (limits.requests, limits.window_seconds) == (300, 300)
    assert (limits.paging_requests, limits.paging_window_seconds) == (300, 900)
    assert (limits.proxied_files, limits.proxied_window_seconds) == (30, 600)
