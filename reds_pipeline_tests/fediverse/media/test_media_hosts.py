from __future__ import annotations

import threading

import pytest

from reds_pipeline.fediverse.media.media_hosts import (
    BUDGET_SPENT,
    HOST_RESTING,
    MediaHost,
    MediaHosts,
    MediaManners,
)
from reds_pipeline.fediverse.web.transport import RequestPace

PACE = RequestPace(
    per_second=None,
    retries=2,
    backoff_seconds=2.0,
    longest_wait_seconds=60.0,
    tolerated_failures=3,
    longest_rest_seconds=900.0,
)


class Time:
    """A clock that only sleeping moves."""

    def __init__(self) -> None:
        self.now = 1000.0
        self.slept: list[float] = []

    def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.now += seconds


def host(time: Time, budget: int | None = None) -> MediaHost:
    manners = MediaManners(PACE, budget=budget)
    return MediaHost(manners, sleep=time.sleep, clock=lambda: time.now)


def test_a_host_that_answers_is_never_waited_for() -> None:
    time = Time()
    asked = host(time)
    for _ in range(20):
        assert asked.wait_for_turn() == ""
        asked.succeeded()
    assert time.slept == []


def test_a_budget_is_spent_once_and_by_all_threads_together() -> None:
    asked = host(Time(), budget=10)
    answers: list[str] = []
    threads = [
        threading.Thread(target=lambda: answers.extend(asked.wait_for_turn() for _ in range(5)))
        for _ in range(4)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(answers) == [""] * 10 + [BUDGET_SPENT] * 10


def test_a_crawl_delay_spaces_the_requests_of_all_connections() -> None:
    time = Time()
    asked = host(time)
    turns = []
    for _ in range(4):
        assert asked.wait_for_turn(10.0) == ""
        turns.append(time.now)
    assert turns == [1000.0, 1010.0, 1020.0, 1030.0]


def test_a_crawl_delay_beyond_patience_is_left_to_the_next_run_and_costs_no_budget() -> None:
    asked = host(Time(), budget=2)
    assert asked.wait_for_turn(3600.0) == ""
    assert asked.wait_for_turn(3600.0) == HOST_RESTING
    assert asked.wait_for_turn(3600.0) == HOST_RESTING


@pytest.mark.parametrize("status", [429, 503])
def test_a_wait_the_host_asks_for_holds_for_all_its_connections(status: int) -> None:
    time = Time()
    asked = host(time)
    asked.failed(0, status, {"Retry-After": "30"})
    assert time.slept == []
    assert asked.wait_for_turn() == ""
    assert time.now == pytest.approx(1030.0)


def test_a_wait_beyond_patience_leaves_the_host_alone_without_asking_sooner() -> None:
    time = Time()
    asked = host(time)
    asked.failed(0, 429, {"Retry-After": "7200"})
    assert asked.wait_for_turn() == HOST_RESTING
    time.now += 7201
    assert asked.wait_for_turn() == ""


def test_the_end_of_a_rate_window_is_heard_when_a_host_says_nothing_else() -> None:
    time = Time()
    asked = host(time)
    asked.failed(0, 429, {"X-RateLimit-Reset": "20"})
    assert asked.wait_for_turn() == ""
    assert time.now == pytest.approx(1020.0)


def test_waits_between_attempts_grow_and_the_last_attempt_needs_none() -> None:
    time = Time()
    asked = host(time)
    for attempt in range(PACE.retries + 1):
        asked.failed(attempt)
    first, second = time.slept
    assert 2.0 <= first <= 4.0
    assert 4.0 <= second <= 6.0


def test_a_host_that_only_fails_is_left_alone_until_it_has_rested() -> None:
    time = Time()
    asked = host(time)
    rest = PACE.first_rest_seconds * 2**4
    for _ in range(PACE.tolerated_failures + 4):
        asked.failed(PACE.retries)
    assert asked.wait_for_turn() == HOST_RESTING
    time.now += rest
    assert asked.wait_for_turn() == ""
    asked.succeeded()
    asked.failed(PACE.retries)
    assert asked.wait_for_turn() == ""


def test_each_origin_has_a_record_of_its_own() -> None:
    hosts = MediaHosts(lambda _origin: MediaManners(PACE, budget=1))
    first, second = hosts.at("https://a.example:443"), hosts.at("https://b.example:443")
    assert first is hosts.at("https://a.example:443")
    assert first.wait_for_turn() == second.wait_for_turn() == ""
    assert first.wait_for_turn() == BUDGET_SPENT


def test_manners_elsewhere_are_polite_and_adjustable() -> None:
    manners = MediaManners.polite(per_second=0.5, budget=7)
    assert (manners.pace.per_second, manners.budget) == (0.5, 7)
    assert MediaManners().pace.per_second == 2.0
    here = MediaManners.on_this_machine("http://127.0.0.1:1", budget=7)
    assert (here.pace.per_second, here.budget) == (None, 7)
    assert here.pace.longest_wait_seconds == manners.pace.longest_wait_seconds
