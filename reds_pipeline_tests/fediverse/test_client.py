from __future__ import annotations

import logging
from datetime import UTC, datetime
from typing import Any

import pytest
from requests.structures import CaseInsensitiveDict

from reds_pipeline.errors import RedsError
from reds_pipeline.fediverse.client import ApiClient, wait_asked_for
from reds_pipeline.fediverse.failures import (
    AuthenticationRequired,
    HostError,
    HostRefused,
    HostUnavailable,
)
from reds_pipeline_tests.fediverse.makers import IMPATIENT, TOKEN
from reds_pipeline_tests.fediverse.scripted_host import (
    Asked,
    Reply,
    ScriptedHost,
    as_html,
    as_json,
    redirect,
)

PATH = "/api/v1/timelines/public"


def impatient(url: str, token: str = "", **options: Any) -> ApiClient:
    return ApiClient(url, token, pace=IMPATIENT, **options)


def test_a_request_carries_our_name_the_token_and_the_wish_for_json() -> None:
    with (
        ScriptedHost(lambda _asked: as_json([1])) as server,
        impatient(server.url, TOKEN) as client,
    ):
        assert client.get(PATH, {"limit": 40, "_pe": 1}) == [1]
        [asked] = server.asked
    assert asked.path == PATH
    assert asked.query == {"limit": "40", "_pe": "1"}
    assert asked.headers["Authorization"] == f"Bearer {TOKEN}"
    assert asked.headers["Accept"] == "application/json"
    assert asked.headers["User-Agent"].startswith("reds-pipeline/")
    assert client.requests_made == 1


def test_an_anonymous_request_leaves_the_token_at_home() -> None:
    with ScriptedHost(lambda _asked: as_json({})) as server, impatient(server.url, TOKEN) as client:
        client.get("/api/v2/instance", anonymous=True)
        assert "Authorization" not in server.asked[0].headers


@pytest.mark.parametrize(
    "location", ["{other}/api", "//{other_netloc}/api", "/api/elsewhere", "/login"]
)
def test_no_redirect_is_followed_so_no_other_host_sees_the_token(location: str) -> None:
    with ScriptedHost(lambda _asked: as_json([])) as other, ScriptedHost() as server:
        netloc = other.url.removeprefix("http://")
        target = location.format(other=other.url, other_netloc=netloc)
        server.answer = lambda _asked: redirect(target)
        with pytest.raises((HostRefused, AuthenticationRequired)):
            impatient(server.url, TOKEN).get(PATH)
        assert other.asked == []
        assert len(server.asked) == 1


@pytest.mark.parametrize("path", ["//evil.example/x", "https://evil.example/", "api"])
def test_a_path_cannot_lead_to_another_host(path: str) -> None:
    with pytest.raises(ValueError, match="slash"):
        impatient("http://127.0.0.1:9", TOKEN).get(path)


@pytest.mark.parametrize(
    "reply",
    [
        as_json({"error": "Unauthenticated."}, 500),
        as_json({"error": "The access token is invalid"}, 401),
        as_html("<form>login</form>"),
        as_html("<title>Just a moment...</title>", 503),
        as_json({"message": "bad", "errors": {"limit": ["x"]}}, 500),
        as_json({"error": ""}, 404),
    ],
)
def test_what_cannot_get_better_is_asked_once(reply: Reply) -> None:
    with ScriptedHost(lambda _asked: reply) as server:
        with pytest.raises(HostError) as raised:
            impatient(server.url, TOKEN).get(PATH)
        assert not raised.value.retryable
        assert len(server.asked) == 1


@pytest.mark.parametrize(
    "first",
    [
        as_json({"error": "Too many requests"}, 429),
        as_json({"error": "Server Error"}, 500),
        as_html("<h1>Bad gateway</h1>", 502),
        Reply(200, b'[{"id":', {"Content-Type": "application/json"}),
        Reply(200, b"[1]", {"Content-Type": "application/json"}, announced_length=1000),
    ],
    ids=["429", "500", "502", "torn JSON", "torn connection"],
)
def test_what_may_get_better_is_asked_again(first: Reply) -> None:
    replies = iter([first, as_json([1])])
    with ScriptedHost(lambda _asked: next(replies)) as server:
        assert impatient(server.url).get(PATH) == [1]
        assert len(server.asked) == 2


def test_patience_ends_with_one_sentence() -> None:
    with ScriptedHost(lambda _asked: as_json({"error": "x"}, 503)) as server:
        client = impatient(server.url, TOKEN)
        with pytest.raises(HostUnavailable, match="503") as raised:
            client.get(PATH)
        assert len(server.asked) == client.requests_made == IMPATIENT.retries + 1
    assert "\n" not in str(raised.value)
    with pytest.raises(HostUnavailable, match="does not answer"):
        impatient(server.url, TOKEN).get(PATH)


def test_waits_grow_and_obey_the_host_up_to_a_limit() -> None:
    waits: list[float] = []
    headers = {"Retry-After": "3600"}
    with ScriptedHost(lambda _asked: as_json({}, 429, **headers)) as server:
        with pytest.raises(HostUnavailable):
            impatient(server.url, sleep=waits.append).get(PATH)
        assert waits == [IMPATIENT.longest_wait_seconds] * IMPATIENT.retries
        waits.clear()
        headers.clear()
        with pytest.raises(HostUnavailable):
            impatient(server.url, sleep=waits.append).get(PATH)
    assert 0.0005 <= waits[0] <= 0.001 <= waits[1] <= 0.002


@pytest.mark.parametrize(
    ("headers", "seconds", "why"),
    [
        ({}, None, "nothing said"),
        ({"Retry-After": "7"}, 7, "seconds"),
        ({"Retry-After": "soon"}, None, "nonsense"),
        ({"X-RateLimit-Reset": "2026-08-07T12:05:00.000000Z"}, 300, "Mastodon"),
        ({"X-RateLimit-Reset": "1786104300"}, 300, "GoToSocial, epoch seconds"),
        (
            {
                "X-RateLimit-Reset": "2026-08-07T12:05:00.000000Z",
                "Date": "Fri, 07 Aug 2026 12:04:00 GMT",
            },
            60,
            "the host's clock counts",
        ),
        ({"X-RateLimit-Reset": "2020-01-01T00:00:00Z"}, 0, "long ago"),
        ({"X-RateLimit-Reset": "9" * 40}, None, "no such time"),
    ],
)
def test_the_wait_a_host_asks_for(headers: dict[str, str], seconds: float | None, why: str) -> None:
    now = datetime(2026, 8, 7, 12, 0, tzinfo=UTC)
    assert wait_asked_for(CaseInsensitiveDict(headers), now) == seconds, why


def test_the_token_is_in_no_log_and_no_text(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)

    def unkind(asked: Asked) -> Reply:
        return as_json({"error": f"you sent {asked.headers['Authorization']}"}, 503)

    with ScriptedHost(unkind) as server:
        client = impatient(server.url, TOKEN)
        with pytest.raises(HostUnavailable) as raised:
            client.get(PATH)
    assert caplog.records
    assert TOKEN not in caplog.text
    assert TOKEN not in str(raised.value) + repr(raised.value) + repr(client)


@pytest.mark.parametrize(
    ("url", "token"),
    [
        ("pix.example", ""),
        ("ftp://pix.example", ""),
        ("https://me:secret@pix.example", ""),
        ("http://pix.example", TOKEN),
        ("https://pix.example", "two\nlines"),
        ("https://pix.example", "tökén"),
    ],
)
def test_an_address_or_token_that_cannot_be_used_is_a_sentence(url: str, token: str) -> None:
    with pytest.raises(RedsError, match="REDS_HOST"):
        ApiClient(url, token)


def test_a_token_copied_with_its_line_end_is_accepted() -> None:
    with ScriptedHost(lambda _asked: as_json([])) as server:
        impatient(server.url, f"{TOKEN}\n").get(PATH)
        assert server.asked[0].headers["Authorization"] == f"Bearer {TOKEN}"


def test_robots_txt_is_read_without_the_token() -> None:
    with ScriptedHost(lambda _asked: Reply(200, b"User-agent: *\nDisallow: /api/")) as server:
        client = impatient(server.url, TOKEN)
        assert client.robots_refusal(PATH)
        assert not client.robots_refusal("/about")
        assert server.paths() == ["/robots.txt"]
        assert "Authorization" not in server.asked[0].headers


def test_a_robots_txt_that_fails_once_is_asked_for_again() -> None:
    replies = [Reply(503), Reply(200, b"User-agent: *\nDisallow: /api/")]
    with ScriptedHost(lambda _asked: replies.pop(0)) as server:
        assert impatient(server.url).robots_refusal(PATH)
        assert server.paths() == ["/robots.txt", "/robots.txt"]


def test_a_failing_robots_txt_is_a_temporary_no() -> None:
    with (
        ScriptedHost(lambda _asked: Reply(503)) as server,
        pytest.raises(HostUnavailable, match="robots"),
    ):
        impatient(server.url).robots_refusal(PATH)
