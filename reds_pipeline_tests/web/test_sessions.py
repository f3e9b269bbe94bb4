"""A session ends when it should, and no other value than its own continues it."""

from __future__ import annotations

from dataclasses import dataclass

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reds_pipeline.web.sessions import HOURS, IDLE_MINUTES, Sessions

IDLE = IDLE_MINUTES * 60
LONGEST = HOURS * 3600


@dataclass
class Clock:
    """Seconds that a test sets."""

    now: float = 0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def sessions(clock: Clock) -> Sessions:
    return Sessions(clock)


def test_it_goes_on_while_it_is_used(sessions: Sessions, clock: Clock) -> None:
    secret = sessions.begin().secret
    for _ in range(5):
        clock.now += IDLE - 1
        assert sessions.is_valid(secret)


def test_it_ends_when_nobody_used_it_for_long(sessions: Sessions, clock: Clock) -> None:
    secret = sessions.begin().secret
    clock.now += IDLE
    assert not sessions.is_valid(secret)


def test_it_ends_in_the_end_however_busy_it_is(sessions: Sessions, clock: Clock) -> None:
    """A cookie that was stolen is not good for ever."""
    secret = sessions.begin().secret
    while clock.now + IDLE / 2 < LONGEST:
        clock.now += IDLE / 2
        assert sessions.is_valid(secret)
    clock.now = LONGEST
    assert not sessions.is_valid(secret)


def test_an_ended_one_does_not_come_back(sessions: Sessions, clock: Clock) -> None:
    secret = sessions.begin().secret
    sessions.end(secret)
    assert not sessions.is_valid(secret)
    sessions.end(secret)


def test_too_many_end_the_one_not_used_longest(sessions: Sessions, clock: Clock) -> None:
    """Memory is bounded whoever signs in."""
    first, second = sessions.begin().secret, sessions.begin().secret
    clock.now += 1
    assert sessions.is_valid(first)
    for _ in range(99):
        clock.now += 1
        sessions.begin()
    assert sessions.is_valid(first)
    assert not sessions.is_valid(second)


@given(st.text())
def test_no_other_value_is_a_session_or_a_form_token(text: str) -> None:
    sessions = Sessions()
    started = sessions.begin()
    assert sessions.is_valid(text) == (text == started.secret)
    assert sessions.is_form_token(started.secret, text) == (text == started.form_token)
    assert sessions.is_form_token(text, started.form_token) == (text == started.secret)


def test_another_process_knows_neither_session_nor_token(sessions: Sessions) -> None:
    """Restarting REDS signs everybody out."""
    started, other = sessions.begin(), Sessions()
    assert not other.is_valid(started.secret)
    assert not other.is_form_token(started.secret, started.form_token)
