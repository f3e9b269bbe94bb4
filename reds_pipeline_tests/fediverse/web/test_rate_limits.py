from __future__ import annotations

from datetime import UTC, datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from requests.structures import CaseInsensitiveDict

from reds_pipeline.fediverse.web.rate_limits import RateWindow, wait_asked_for

NOW = datetime(2026, 8, 7, 12, 0, tzinfo=UTC)
FIVE_PAST = "2026-08-07T12:05:00.000000Z"


@pytest.mark.parametrize(
    ("headers", "seconds", "why"),
    [
        ({}, None, "nothing said"),
        ({"Retry-After": "7"}, 7, "seconds"),
        ({"Retry-After": "0.5"}, 0.5, "parts of a second"),
        ({"Retry-After": "soon"}, None, "nonsense"),
        ({"Retry-After": "-3"}, None, "nonsense"),
        ({"Retry-After": "nan"}, None, "nonsense that float() understands"),
        ({"Retry-After": "Fri, 07 Aug 2026 12:01:00 GMT"}, 60, "a date"),
        (
            {
                "Retry-After": "Fri, 07 Aug 2026 12:01:00 GMT",
                "Date": "Fri, 07 Aug 2026 12:00:50 GMT",
            },
            10,
            "the host's clock counts",
        ),
        ({"Retry-After": "Fri, 07 Aug 2020 12:01:00 GMT"}, 0, "long ago"),
        ({"X-RateLimit-Reset": FIVE_PAST}, 300, "Mastodon"),
        ({"X-RateLimit-Reset": "1786104300"}, 300, "GoToSocial, epoch seconds"),
        ({"X-RateLimit-Reset": "45"}, 45, "no moment but a duration"),
        (
            {"X-RateLimit-Reset": FIVE_PAST, "Date": "Fri, 07 Aug 2026 12:04:00 GMT"},
            60,
            "the host's clock counts",
        ),
        ({"X-RateLimit-Reset": "2020-01-01T00:00:00Z"}, 0, "long ago"),
        ({"X-RateLimit-Reset": "9" * 40}, None, "no such time"),
        ({"X-RateLimit-Reset": "²"}, None, "a digit, but no number"),
        ({"Retry-After": "7", "X-RateLimit-Reset": FIVE_PAST}, 7, "the plainer word counts"),
    ],
)
def test_the_wait_a_host_asks_for(headers: dict[str, str], seconds: float | None, why: str) -> None:
    assert wait_asked_for(CaseInsensitiveDict(headers), NOW) == seconds, why


def test_the_end_of_a_window_matters_only_to_whom_it_shut_out() -> None:
    headers = CaseInsensitiveDict({"X-RateLimit-Reset": FIVE_PAST})
    assert wait_asked_for(headers, NOW, limited=False) is None
    headers["Retry-After"] = "3"
    assert wait_asked_for(headers, NOW, limited=False) == 3


def window_after(**headers: str) -> RateWindow:
    window = RateWindow(clock=lambda: 0.0)
    named = {f"X-RateLimit-{name}": value for name, value in headers.items()}
    window.note(CaseInsensitiveDict(named), NOW)
    return window


@pytest.mark.req("R-SCR-12")
@pytest.mark.parametrize(
    ("headers", "seconds", "why"),
    [
        ({}, 0, "a host without limits, such as Pixelfed"),
        ({"Limit": "300", "Remaining": "299", "Reset": FIVE_PAST}, 0, "plenty left"),
        ({"Limit": "300", "Remaining": "0", "Reset": FIVE_PAST}, 300, "nothing left"),
        ({"Limit": "300", "Remaining": "3", "Reset": FIVE_PAST}, 300, "hardly anything left"),
        ({"Limit": "30", "Remaining": "1", "Reset": FIVE_PAST}, 0, "the last one of a small limit"),
        ({"Remaining": "0", "Reset": FIVE_PAST}, 300, "no limit named"),
        ({"Limit": "300", "Remaining": "0"}, 0, "no end named"),
        ({"Limit": "300", "Remaining": "0", "Reset": "later"}, 0, "no end understood"),
        ({"Limit": "300", "Remaining": "-1", "Reset": FIVE_PAST}, 0, "nonsense"),
        ({"Limit": "300", "Remaining": "0", "Reset": "1786104060"}, 60, "epoch seconds"),
    ],
)
def test_a_spent_window_is_waited_for(headers: dict[str, str], seconds: float, why: str) -> None:
    window = window_after(**headers)
    assert window.wait_seconds() == seconds, why
    window.clear()
    assert window.wait_seconds() == 0


def test_what_was_heard_last_counts() -> None:
    window = window_after(Limit="300", Remaining="0", Reset=FIVE_PAST)
    window.note(CaseInsensitiveDict({}), NOW)
    assert window.wait_seconds() == 300, "an answer without headers says nothing new"
    window.note(CaseInsensitiveDict({"X-RateLimit-Remaining": "200"}), NOW)
    assert window.wait_seconds() == 0


@settings(deadline=None)
@given(st.dictionaries(
    st.sampled_from(["Retry-After", "X-RateLimit-Reset", "X-RateLimit-Remaining", "Date"]),
    st.one_of(st.text(max_size=30), st.integers().map(str), st.floats().map(str),
              st.datetimes().map(str)),
))  # fmt: skip
def test_any_headers_are_read_without_an_error(headers: dict[str, str]) -> None:
    fields = CaseInsensitiveDict(headers)
    wait = wait_asked_for(fields, NOW)
    assert wait is None or wait >= 0
    window = RateWindow()
    window.note(fields, NOW)
    assert window.wait_seconds() >= 0
