from __future__ import annotations

from collections.abc import Sequence

import pytest
import requests

from reds_pipeline.fediverse.web.public_connections import (
    PrivateAddressError,
    public_adapter,
    public_addresses,
)
from reds_pipeline.fediverse.web.transport import RequestPace, new_session
from reds_pipeline_tests.fediverse.scripted_host import Reply, ScriptedHost


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
