from __future__ import annotations

import pytest
import requests

from reds_pipeline.fediverse.web.transport import (
    RequestPace,
    TooManyBytesError,
    TooSlowError,
    new_session,
    read_bounded,
)
from reds_pipeline_tests.fediverse.scripted_host import Reply, ScriptedHost


def test_this_machine_is_asked_without_pause_and_others_politely() -> None:
    assert RequestPace.towards("http://127.0.0.1:5000").per_second is None
    assert RequestPace.towards("https://pix.example").per_second == 1.0
    assert RequestPace.towards("https://pix.example", per_second=0.5).per_second == 0.5


@pytest.mark.parametrize("url", ["https://pix.example", "http://127.0.0.1:5000"])
def test_a_window_of_a_quarter_of_an_hour_can_be_waited_out(url: str) -> None:
    assert RequestPace.towards(url).longest_wait_seconds > 15 * 60


def test_rests_go_on_where_the_waits_of_one_request_end() -> None:
    pace = RequestPace()
    assert pace.first_rest_seconds == pace.backoff_seconds * 2**pace.tolerated_failures
    assert RequestPace(longest_rest_seconds=7.0).first_rest_seconds == 7.0


def test_a_session_ignores_the_environment_and_keeps_no_cookies(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9")
    with ScriptedHost(lambda _asked: Reply(200, b"", {"Set-Cookie": "track=me"})) as server:
        session = new_session("test")
        session.get(server.url, timeout=2)
        session.get(server.url, timeout=2)
        assert [asked.headers.get("Cookie") for asked in server.asked] == [None, None]


def test_reading_stops_at_the_limit_announced_or_not() -> None:
    with ScriptedHost(lambda _asked: Reply(200, b"x" * 1000)) as server:
        for maximum, expected in [(1000, 1000), (999, None)]:
            response = requests.get(server.url, stream=True, timeout=2)
            if expected:
                assert len(read_bounded(response, maximum, 5)) == expected
            else:
                with pytest.raises(TooManyBytesError):
                    read_bounded(response, maximum, 5)
        response = requests.get(server.url, stream=True, timeout=2)
        del response.headers["Content-Length"]
        with pytest.raises(TooManyBytesError):
            read_bounded(response, 999, 5)
        response = requests.get(server.url, stream=True, timeout=2)
        with pytest.raises(TooSlowError):
            read_bounded(response, 1000, -1)


@pytest.mark.parametrize(
    "location", ["/elsewhere", "https://else.example/", "http://[broken"], ids=str
)
def test_a_redirect_is_an_answer_whose_body_nobody_reads(location: str) -> None:
    endless = Reply(302, b"x" * 1_000_000, {"Location": location})
    with (
        ScriptedHost(lambda _asked: endless) as server,
        new_session("test") as session,
        session.get(server.url, timeout=2, stream=True, allow_redirects=False) as response,
    ):
        assert response.status_code == 302
        assert response.raw.tell() == 0
