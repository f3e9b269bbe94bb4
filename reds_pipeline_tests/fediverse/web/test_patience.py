from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from requests.structures import CaseInsensitiveDict

from reds_pipeline.fediverse.web.answers import Answer
from reds_pipeline.fediverse.web.failures import CircuitOpen, HostUnavailable, NotFound
from reds_pipeline.fediverse.web.patience import Patience, in_words
from reds_pipeline.fediverse.web.transport import RequestPace

PACE = RequestPace(per_second=None, backoff_seconds=5.0, longest_wait_seconds=600.0)
FAILED = HostUnavailable("it failed")


class Time:
    """A clock that only sleeping moves."""

    def __init__(self) -> None:
        self.now = 0.0

    def sleep(self, seconds: float) -> None:
        self.now += seconds

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def time() -> Time:
    return Time()


@pytest.fixture
def patience(time: Time) -> Patience:
    return Patience("pix.example", PACE, time.sleep, time)


def answer(status: int, **headers: str) -> Answer:
    return Answer(status, CaseInsensitiveDict(headers), b"")


def test_requests_are_spaced_as_robots_txt_says(patience: Patience, time: Time) -> None:
    moments = []
    for _ in range(3):
        patience.wait_for_turn(7.0)
        moments.append(time.now)
    assert moments == [0.0, 7.0, 14.0]
    time.sleep(100)
    patience.wait_for_turn(7.0)
    assert time.now == 114.0, "a pause that has passed already is not kept twice"


def test_the_longer_of_two_waits_is_enough(patience: Patience, time: Time) -> None:
    patience.wait_for_turn(7.0)
    reset = (datetime.now(UTC) + timedelta(seconds=60)).isoformat()
    spent = {"X-RateLimit-Remaining": "0", "X-RateLimit-Reset": reset}
    patience.learn(answer(200, **spent), None)
    patience.wait_for_turn(7.0)
    assert 55 < time.now <= 60
    patience.wait_for_turn(0.0)
    assert time.now <= 60, "the window was waited for once"


@pytest.mark.parametrize(
    ("failures", "exhausted", "why"),
    [
        ([answer(503)] * 5, True, "five in a row"),
        ([None] * 5, True, "nobody there"),
        ([answer(503)] * 4, False, "four"),
        ([answer(500)] * 50, False, "a page that cannot be shown"),
        ([answer(503)] * 4 + [answer(500), answer(503)], True, "that page excuses nothing"),
    ],
)
def test_the_host_is_left_alone_after(
    patience: Patience, failures: list[Answer | None], exhausted: bool, why: str
) -> None:
    for failure in failures:
        patience.learn(failure, FAILED)
    assert patience.exhausted is exhausted, why
    if exhausted:
        with pytest.raises(CircuitOpen, match=r"pix\.example"):
            patience.wait_for_turn(0.0)
    else:
        patience.wait_for_turn(0.0)


def test_any_answer_with_a_meaning_shows_that_the_host_lives(patience: Patience) -> None:
    for _ in range(3):
        for _ in range(4):
            patience.learn(answer(503), FAILED)
        patience.learn(answer(404), NotFound("gone"))
    assert not patience.exhausted


def test_a_longer_wait_than_ours_is_refused_and_kept(patience: Patience, time: Time) -> None:
    with pytest.raises(CircuitOpen, match="60 minutes"):
        patience.asked_wait(answer(429, **{"Retry-After": "3600"}), "pix.example/api")
    with pytest.raises(CircuitOpen):
        patience.wait_for_turn(0.0)
    time.sleep(3600)
    patience.wait_for_turn(0.0)
    assert time.now == 3600, "afterwards it may be asked at once"


def test_waits_between_attempts_grow_to_a_limit(patience: Patience, time: Time) -> None:
    for attempt in range(12):
        before = time.now
        patience.wait_to_retry(attempt, None, "pix.example/api")
        backoff = min(PACE.longest_wait_seconds, 5.0 * 2**attempt)
        assert backoff / 2 <= time.now - before <= backoff


def test_the_wait_a_host_asks_for_is_kept_if_longer_than_ours(
    patience: Patience, time: Time
) -> None:
    patience.wait_to_retry(0, 30.0, "pix.example/api")
    assert time.now == 30.0


@pytest.mark.parametrize(
    ("seconds", "words"),
    [(0.01, "2 seconds"), (30.2, "31 seconds"), (160.0, "3 minutes"), (890.0, "15 minutes")],
)
def test_durations_are_said_as_people_say_them(seconds: float, words: str) -> None:
    assert in_words(seconds) == words
