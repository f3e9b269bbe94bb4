from __future__ import annotations

from collections.abc import Sequence

import pytest
import requests

from reds_pipeline.fediverse.transport import (
    PrivateAddressError,
    RequestPace,
    TooManyBytesError,
    TooSlowError,
    new_session,
    public_adapter,
    public_addresses,
    read_bounded,
)
from reds_pipeline_tests.fediverse.scripted_host import Reply, ScriptedHost


def test_this_machine_is_asked_without_pause_and_others_politely() -> None:
    assert RequestPace.towards("http://127.0.0.1:5000").per_second is None
    assert RequestPace.towards("https://pix.example").per_second == 1.0
    assert RequestPace.towards("https://pix.example", per_second=0.5).per_second == 0.5


@pytest.mark.parametrize(
    "answers",
    [["127.0.0.1"], ["8.8.8.8", "10.0.0.1"], ["::ffff:192.168.0.1"], []],
)
def test_one_private_answer_spoils_a_name(answers: Sequence[str]) -> None:
    with pytest.raises(PrivateAddressError):
        public_addresses("two-faced.example", 443, lambda _host, _port: answers)


def test_public_answers_are_the_ones_to_connect_to() -> None:
    assert public_addresses("pix.example", 443, lambda _host, _port: ["8.8.8.8"]) == ["8.8.8.8"]


@pytest.mark.parametrize(
    "host",
    [
        "127.0.0.1",
        "localhost",
        "2130706433",
        "0x7f.1",
        "017700000001",
        "[::1]",
        "[::ffff:127.0.0.1]",
    ],
)
def test_no_spelling_of_this_machine_is_connected_to(host: str) -> None:
    with ScriptedHost(lambda _asked: Reply(200, b"secret")) as server:
        port = server.url.rpartition(":")[2]
        session = new_session("test")
        session.mount("http://", public_adapter(RequestPace(per_second=None)))
        with pytest.raises(PrivateAddressError):
            session.get(f"http://{host}:{port}/", timeout=2)
        assert server.asked == []


def test_a_name_that_does_not_resolve_is_an_ordinary_failure() -> None:
    session = new_session("test")
    session.mount("http://", public_adapter(RequestPace(per_second=None)))
    with pytest.raises(requests.ConnectionError):
        session.get("http://no-such-host.invalid/", timeout=2)


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
