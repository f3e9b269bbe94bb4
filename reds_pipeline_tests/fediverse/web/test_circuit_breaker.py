from __future__ import annotations

import pytest

from reds_pipeline.fediverse.web.circuit_breaker import CircuitBreaker


class Clock:
    """A clock that the test sets."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def breaker(clock: Clock) -> CircuitBreaker:
    return CircuitBreaker(
        failures=3, first_rest_seconds=100.0, longest_rest_seconds=350.0, clock=clock
    )


def fail(breaker: CircuitBreaker, times: int) -> None:
    for _ in range(times):
        breaker.failed()


def test_a_few_failures_are_tolerated(breaker: CircuitBreaker) -> None:
    fail(breaker, 2)
    assert breaker.rest_seconds == 0
    fail(breaker, 1)
    assert breaker.rest_seconds == 100


def test_only_failures_in_a_row_count(breaker: CircuitBreaker) -> None:
    for _ in range(5):
        fail(breaker, 2)
        breaker.succeeded()
    assert breaker.rest_seconds == 0


def test_each_failed_attempt_after_a_rest_doubles_the_next_up_to_a_limit(
    breaker: CircuitBreaker, clock: Clock
) -> None:
    fail(breaker, 3)
    rests = []
    for _ in range(4):
        rests.append(breaker.rest_seconds)
        clock.now += breaker.rest_seconds
        assert breaker.rest_seconds == 0, "one attempt is free"
        fail(breaker, 1)
    assert rests == [100, 200, 350, 350]


def test_a_success_after_a_rest_forgets_everything(breaker: CircuitBreaker, clock: Clock) -> None:
    fail(breaker, 3)
    clock.now += 100
    breaker.succeeded()
    fail(breaker, 2)
    assert breaker.rest_seconds == 0
    fail(breaker, 1)
    assert breaker.rest_seconds == 100


def test_a_break_that_the_host_asks_for_is_kept_whatever_its_length(
    breaker: CircuitBreaker, clock: Clock
) -> None:
    breaker.rest(5000)
    breaker.rest(10)
    fail(breaker, 3)
    assert breaker.rest_seconds == 5000
    clock.now += 5000
    assert breaker.rest_seconds == 0


def test_a_very_long_outage_is_no_overflow(breaker: CircuitBreaker, clock: Clock) -> None:
    for _ in range(3000):
        breaker.failed()
        clock.now += 400
    breaker.failed()
    assert breaker.rest_seconds == 350
