from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Mapping
from typing import Any
from wsgiref.simple_server import WSGIRequestHandler, make_server

import pytest

from reds_pipeline.errors import RedsError
from reds_pipeline.fediverse.web.client import ApiClient
from reds_pipeline.fediverse.web.failures import (
    AuthenticationRequired,
    HostError,
    HostRefused,
    HostUnavailable,
)
from reds_pipeline_tests.fediverse.makers import IMPATIENT, TOKEN
from reds_pipeline_tests.fediverse.scripted_host import (
    NOT_FOUND,
    Asked,
    Reply,
    ScriptedHost,
    as_html,
    as_json,
    redirect,
)

PATH = "/api/v1/timelines/public"
ROBOTS = "/robots.txt"


def impatient(url: str, token: str = "", **options: Any) -> ApiClient:
    return ApiClient(url, token, pace=IMPATIENT, **options)


def api_host(answer: Callable[[Asked], Reply]) -> ScriptedHost:
    """A host without a robots.txt that answers everything else as told."""
    return ScriptedHost(lambda asked: NOT_FOUND if asked.path == ROBOTS else answer(asked))


def api_requests(server: ScriptedHost) -> list[Asked]:
    return [asked for asked in server.asked if asked.path != ROBOTS]


def test_a_request_carries_our_name_the_token_and_the_wish_for_json() -> None:
    with api_host(lambda _asked: as_json([1])) as server, impatient(server.url, TOKEN) as client:
        assert client.get(PATH, {"limit": 40, "_pe": 1}) == [1]
        [asked] = api_requests(server)
    assert asked.path == PATH
    assert asked.query == {"limit": "40", "_pe": "1"}
    assert asked.headers["Authorization"] == f"Bearer {TOKEN}"
    assert asked.headers["Accept"] == "application/json"
    assert asked.headers["User-Agent"].startswith("reds-pipeline/")
    assert client.requests_made == 2, "robots.txt counts as well"


def test_an_anonymous_request_leaves_the_token_at_home() -> None:
    with api_host(lambda _asked: as_json({})) as server, impatient(server.url, TOKEN) as client:
        client.get("/api/v2/instance", anonymous=True)
        client.document("/about")
        assert len(server.asked) == 3
        assert not any("Authorization" in asked.headers for asked in server.asked)


@pytest.mark.parametrize(
    ("token", "anonymous", "sentence"),
    [
        (TOKEN, False, "refuses the access token that it got"),
        (TOKEN, True, "wants a valid access token"),
        ("", False, "wants a valid access token"),
    ],
    ids=["a token that is refused", "a token that was left at home", "no token"],
)
def test_whoever_gave_a_token_reads_that_this_one_is_refused(
    token: str, anonymous: bool, sentence: str
) -> None:
    answer = as_json({"error": "The access token is invalid"}, status=401)
    with (
        api_host(lambda _asked: answer) as server,
        impatient(server.url, token) as client,
        pytest.raises(AuthenticationRequired, match=sentence),
    ):
        client.get(PATH, anonymous=anonymous)


def test_a_list_of_values_repeats_its_name() -> None:
    queries: list[str] = []

    class Silent(WSGIRequestHandler):
        def log_message(self, format: str, *args: Any) -> None:
            pass

    def application(environ: Mapping[str, str], start: Callable[..., Any]) -> list[bytes]:
        queries.append(environ["QUERY_STRING"])
        start("200 OK", [("Content-Type", "application/json")])
        return [b"[]"]

    with make_server("127.0.0.1", 0, application, handler_class=Silent) as server:
        serving = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        serving.start()
        try:
            impatient(f"http://127.0.0.1:{server.server_port}").get(
                "/api/v1/statuses", {"id[]": ["12", "7"], "limit": 2}
            )
        finally:
            server.shutdown()
            serving.join()
    assert queries[-1] == "id%5B%5D=12&id%5B%5D=7&limit=2"


def test_activitypub_is_asked_for_and_read() -> None:
    note = Reply(200, b'{"type": "Note"}', {"Content-Type": "application/activity+json"})
    with api_host(lambda _asked: note) as server:
        answer = impatient(server.url).get("/p/1", accept="application/activity+json")
        assert answer == {"type": "Note"}
        assert api_requests(server)[0].headers["Accept"] == "application/activity+json"


@pytest.mark.parametrize(
    ("reply", "text", "why"),
    [
        (as_html("<p>Grüße</p>"), "<p>Grüße</p>", "UTF-8 as declared"),
        (
            Reply(200, "Grüße".encode("latin-1"), {"Content-Type": "text/html; charset=latin-1"}),
            "Grüße",
            "another encoding",
        ),
        (Reply(200, "ü".encode(), {"Content-Type": "application/rss+xml"}), "ü", "a feed"),
        (Reply(200, b"ok", {"Content-Type": "text/html; charset=nonsense"}), "ok", "unknown"),
        (as_html("A statue of Anubis, no captcha"), "A statue of Anubis, no captcha", "a caption"),
    ],
)
def test_a_document_is_its_text(reply: Reply, text: str, why: str) -> None:
    with api_host(lambda _asked: reply) as server:
        assert impatient(server.url).document("/page") == text, why
        assert api_requests(server)[0].headers["Accept"].startswith("text/html")


@pytest.mark.parametrize(
    ("reply", "kind"),
    [
        (as_html("gone", 404), "NotFound"),
        (as_html("gone", 410), "NotFound"),
        (redirect("/login"), "AuthenticationRequired"),
        (redirect("https://else.example/"), "HostRefused"),
        (as_html("<title>Just a moment...</title>"), "BotCheck"),
        (Reply(200, b"GIF89a", {"Content-Type": "image/gif"}), "BadRequest"),
        (as_html("down", 503), "HostUnavailable"),
    ],
)
def test_a_document_fails_as_data_does(reply: Reply, kind: str) -> None:
    with api_host(lambda _asked: reply) as server, pytest.raises(HostError) as raised:
        impatient(server.url).document("/page")
    assert type(raised.value).__name__ == kind


@pytest.mark.parametrize(
    "location", ["{other}/api", "//{other_netloc}/api", "/api/elsewhere", "/login"]
)
def test_no_redirect_is_followed_so_no_other_host_sees_the_token(location: str) -> None:
    with ScriptedHost(lambda _asked: as_json([])) as other, ScriptedHost() as server:
        netloc = other.url.removeprefix("http://")
        target = location.format(other=other.url, other_netloc=netloc)
        server.answer = lambda asked: NOT_FOUND if asked.path == ROBOTS else redirect(target)
        with pytest.raises((HostRefused, AuthenticationRequired)):
            impatient(server.url, TOKEN).get(PATH)
        assert other.asked == []
        assert len(api_requests(server)) == 1


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
    with api_host(lambda _asked: reply) as server:
        with pytest.raises(HostError) as raised:
            impatient(server.url, TOKEN).get(PATH)
        assert not raised.value.retryable
        assert len(api_requests(server)) == 1


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
    with api_host(lambda _asked: next(replies)) as server:
        assert impatient(server.url).get(PATH) == [1]
        assert len(api_requests(server)) == 2


def test_patience_ends_with_one_sentence() -> None:
    with api_host(lambda _asked: as_json({"error": "x"}, 503)) as server:
        client = impatient(server.url, TOKEN)
        with pytest.raises(HostUnavailable, match="503") as raised:
            client.get(PATH)
        assert len(api_requests(server)) == IMPATIENT.retries + 1
    assert "\n" not in str(raised.value)
    with pytest.raises(HostUnavailable, match="does not answer"):
        impatient(server.url, TOKEN).get(PATH)


def test_the_token_is_in_no_log_and_no_text(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)

    def unkind(asked: Asked) -> Reply:
        return as_json({"error": f"you sent {asked.headers['Authorization']}"}, 503)

    with api_host(unkind) as server:
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
    with api_host(lambda _asked: as_json([])) as server:
        impatient(server.url, f"{TOKEN}\n").get(PATH)
        assert api_requests(server)[0].headers["Authorization"] == f"Bearer {TOKEN}"


@pytest.mark.parametrize("path", ["/p/mira/912345", "/users/mira", "/api/v1/statuses/912345"])
def test_errors_and_logs_name_no_person_and_no_post(
    path: str, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG, logger="reds_pipeline")
    with api_host(lambda _asked: as_json({}, 502)) as server:
        with pytest.raises(HostUnavailable) as raised:
            impatient(server.url).get(path)
        assert api_requests(server)[0].path == path
    assert caplog.records
    for spoken in (caplog.text, str(raised.value)):
        assert "mira" not in spoken
        assert "912345" not in spoken


def test_threads_take_turns() -> None:
    at_once: list[int] = []
    inside = 0
    counting = threading.Lock()
    hurry = threading.Event()

    def slow(_asked: Asked) -> Reply:
        nonlocal inside
        with counting:
            inside += 1
            at_once.append(inside)
        hurry.wait(0.02)
        with counting:
            inside -= 1
        return as_json([])

    with api_host(slow) as server, impatient(server.url) as client:
        threads = [threading.Thread(target=client.get, args=(PATH,)) for _ in range(5)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert at_once == [1] * 5
