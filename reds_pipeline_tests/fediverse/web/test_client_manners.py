"""What a host may ask of the client, over real HTTP: obeying robots.txt, pauses and limits."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from reds_pipeline.fediverse.web.client import ApiClient
from reds_pipeline.fediverse.web.failures import (
    BotCheck,
    BudgetSpent,
    CircuitOpen,
    HostError,
    HostRefused,
    HostUnavailable,
)
from reds_pipeline.fediverse.web.politeness import Politeness
from reds_pipeline.fediverse.web.transport import RequestPace
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
# Waits are handed to the test instead of slept, so that they may be as long as in real life.
PATIENT = RequestPace(per_second=None, retries=5, backoff_seconds=5.0, longest_wait_seconds=960.0)


def client_of(server: ScriptedHost, **options: Any) -> ApiClient:
    return ApiClient(server.url, **{"pace": IMPATIENT, **options})


def with_robots(text: str, answer: Callable[[Asked], Reply] | None = None) -> ScriptedHost:
    rules = Reply(200, text.encode(), {"Content-Type": "text/plain"})
    other = answer or (lambda _asked: as_json([]))
    return ScriptedHost(lambda asked: rules if asked.path == ROBOTS else other(asked))


def without_robots(answer: Callable[[Asked], Reply]) -> ScriptedHost:
    return ScriptedHost(lambda asked: NOT_FOUND if asked.path == ROBOTS else answer(asked))


def in_a_row(*replies: Reply) -> Callable[[Asked], Reply]:
    """Answer with each reply once, then with the last one for ever."""
    left = iter(replies)
    return lambda _asked: next(left, replies[-1])


@pytest.fixture
def waits() -> Iterator[list[float]]:
    yield []


@pytest.mark.req("R-SCR-12")
@pytest.mark.parametrize(
    ("robots", "path", "refused", "why"),
    [
        ("User-agent: *\nDisallow: /api/", PATH, True, "the API is closed"),
        ("User-agent: *\nDisallow: /api/", "/about", False, "another part of the site"),
        ("User-agent: *\nDisallow: /*max_id=", PATH, True, "rules may speak of queries"),
        ("User-agent: GPTBot\nDisallow: /", PATH, True, "training is what we do"),
    ],
)
def test_no_path_is_asked_for_that_robots_txt_forbids(
    robots: str, path: str, refused: bool, why: str
) -> None:
    with with_robots(robots) as server, client_of(server, token=TOKEN) as client:
        if refused:
            with pytest.raises(HostRefused, match=r"robots\.txt"):
                client.get(path, {"max_id": "1"})
        else:
            client.get(path, {"max_id": "1"})
        assert server.paths() == [ROBOTS] if refused else [ROBOTS, path], why
        assert "Authorization" not in server.asked[0].headers


def test_a_refusal_of_training_says_what_permission_changes() -> None:
    with with_robots("User-agent: GPTBot\nDisallow: /") as server:
        with pytest.raises(HostRefused, match="REDS_OBEY_AI_ROBOTS=false"):
            client_of(server).get(PATH)
        narrow = client_of(server, politeness=Politeness(obey_ai_refusals=False))
        assert narrow.get(PATH) == []


def test_robots_txt_is_read_once_by_one_client() -> None:
    with with_robots("") as server, client_of(server) as client:
        client.get(PATH)
        client.get(PATH)
        assert not client.robots_refusal(PATH)
        assert server.paths() == [ROBOTS, PATH, PATH]


def test_a_robots_txt_that_fails_once_is_asked_for_again() -> None:
    forbidding = Reply(200, b"User-agent: *\nDisallow: /api/")
    with ScriptedHost(in_a_row(Reply(503), forbidding)) as server:
        assert client_of(server).robots_refusal(PATH)
        assert server.paths() == [ROBOTS, ROBOTS]


@pytest.mark.parametrize(
    ("reply", "kind", "words"),
    [
        (Reply(503), HostUnavailable, "robots.txt"),
        (redirect("https://www.else.example/robots.txt"), HostRefused, "www.else.example"),
        (as_html("<title>Just a moment...</title>", 403), BotCheck, "bot check"),
        (redirect("/robots.txt"), HostUnavailable, "robots.txt"),
        (redirect("http://[broken"), HostRefused, "another page"),
    ],
)
def test_without_its_robots_txt_a_host_is_not_asked(
    reply: Reply, kind: type[HostError], words: str
) -> None:
    with ScriptedHost(lambda _asked: reply) as server, client_of(server) as client:
        with pytest.raises(kind, match=words):
            client.get(PATH)
        assert PATH not in server.paths()


def test_a_robots_txt_may_move_within_its_host() -> None:
    def answer(asked: Asked) -> Reply:
        if asked.path == ROBOTS:
            return redirect("/static/rules.txt")
        return Reply(200, b"User-agent: *\nDisallow: /api/")

    with ScriptedHost(answer) as server:
        assert client_of(server).robots_refusal(PATH)
        assert server.paths() == [ROBOTS, "/static/rules.txt"]


@pytest.mark.req("R-SCR-12")
@pytest.mark.parametrize(
    ("line", "seconds"), [("Crawl-delay: 7", 7.0), ("Request-rate: 1/9", 9.0), ("", 0.0)]
)
def test_the_pause_that_robots_txt_asks_for_is_kept(
    line: str, seconds: float, waits: list[float]
) -> None:
    with with_robots(f"User-agent: *\n{line}\n") as server:
        client = client_of(server, sleep=waits.append)
        client.get(PATH)
        client.get(PATH)
    # The rest of the pause went by while the first request was answered.
    assert len(waits) == (1 if seconds else 0)
    assert all(0 < wait <= seconds for wait in waits)


def test_a_host_that_wants_endless_pauses_is_not_collected_from() -> None:
    with with_robots("User-agent: *\nCrawl-delay: 86400") as server:
        with pytest.raises(HostRefused, match="pause"):
            client_of(server).get(PATH)
        assert server.paths() == [ROBOTS]


@pytest.mark.parametrize(
    ("headers", "shortest", "longest", "why"),
    [
        ({}, 2.5, 5.0, "nothing said: our own backoff, with jitter"),
        ({"Retry-After": "40"}, 40, 40, "in seconds"),
        (
            {"X-RateLimit-Remaining": "0", "X-RateLimit-Reset": "{in_2_minutes:iso}"},
            118,
            122,
            "Mastodon, waited for once although it is said twice",
        ),
        ({"X-RateLimit-Reset": "{in_2_minutes:epoch}"}, 118, 122, "GoToSocial"),
        ({"Retry-After": "{in_2_minutes:http}"}, 118, 122, "a date"),
    ],
)
def test_a_refusal_for_asking_too_often_is_waited_out(
    headers: dict[str, str], shortest: float, longest: float, why: str, waits: list[float]
) -> None:
    then = datetime.now(UTC) + timedelta(minutes=2)
    spoken = {
        "iso": then.strftime("%Y-%m-%dT%H:%M:%S.%fZ"),
        "epoch": str(int(then.timestamp())),
        "http": then.strftime("%a, %d %b %Y %H:%M:%S GMT"),
    }
    for form, moment in spoken.items():
        headers = {
            name: value.replace(f"{{in_2_minutes:{form}}}", moment)
            for name, value in headers.items()
        }
    refusal = as_json({"error": "Too many requests"}, 429, **headers)
    with without_robots(in_a_row(refusal, as_json([1]))) as server:
        assert client_of(server, pace=PATIENT, sleep=waits.append).get(PATH) == [1]
    [wait] = waits
    assert shortest <= wait <= longest, why


def test_the_end_of_a_window_does_not_delay_what_failed_for_another_reason(
    waits: list[float],
) -> None:
    then = (datetime.now(UTC) + timedelta(minutes=4)).isoformat()
    failing = as_json(
        {"error": "Server Error"},
        500,
        **{"X-RateLimit-Limit": "300", "X-RateLimit-Remaining": "9", "X-RateLimit-Reset": then},
    )
    with without_robots(in_a_row(failing, as_json([]))) as server:
        client_of(server, pace=PATIENT, sleep=waits.append).get(PATH)
    [wait] = waits
    assert wait <= PATIENT.backoff_seconds


@pytest.mark.req("R-SCR-12")
@pytest.mark.parametrize(
    ("limit", "remaining", "waiting", "why"),
    [
        ("300", "0", True, "nothing left"),
        ("300", "3", True, "the last hundredth stays with the owner of the token"),
        ("300", "4", False, "some left"),
        ("10", "1", False, "a small limit has no reserve"),
    ],
)
def test_a_window_is_waited_for_before_the_host_has_to_refuse(
    limit: str, remaining: str, waiting: bool, why: str, waits: list[float]
) -> None:
    reset = (datetime.now(UTC) + timedelta(minutes=9)).isoformat()
    nearly_spent = as_json(
        [],
        200,
        **{
            "X-RateLimit-Limit": limit,
            "X-RateLimit-Remaining": remaining,
            "X-RateLimit-Reset": reset,
        },
    )
    with without_robots(in_a_row(nearly_spent, as_json([]))) as server:
        client = client_of(server, pace=PATIENT, sleep=waits.append)
        client.get(PATH)
        assert waits == []
        client.get(PATH)
        client.get(PATH)
    assert len(waits) == (1 if waiting else 0), why
    assert all(530 < wait < 545 for wait in waits)


@pytest.mark.parametrize(
    "fields",
    [
        {"Retry-After": "3600"},
        {"X-RateLimit-Remaining": "0", "X-RateLimit-Reset": "2199-01-01T00:00:00Z"},
    ],
)
def test_a_longer_wait_than_ours_ends_the_asking(
    fields: dict[str, str], waits: list[float]
) -> None:
    with without_robots(lambda _asked: as_json({}, 429, **fields)) as server:
        client = client_of(server, pace=PATIENT, sleep=waits.append)
        for _ in range(3):
            with pytest.raises(CircuitOpen, match="run again"):
                client.get(PATH)
        assert server.paths() == [ROBOTS, PATH]
    assert waits == []


def test_backoff_doubles_and_a_host_that_keeps_failing_is_left_alone(waits: list[float]) -> None:
    with without_robots(lambda _asked: as_json({}, 503)) as server:
        client = client_of(server, pace=PATIENT, sleep=waits.append)
        with pytest.raises(HostUnavailable, match="503") as raised:
            client.get(PATH)
        assert not isinstance(raised.value, CircuitOpen), "the first sentence names the cause"
        assert server.paths().count(PATH) == PATIENT.tolerated_failures
        with pytest.raises(CircuitOpen, match="3 minutes"):
            client.get("/api/v2/instance")
        assert server.paths()[-1] == PATH
    assert len(waits) == PATIENT.tolerated_failures - 1
    for attempt, wait in enumerate(waits):
        assert 2.5 * 2**attempt <= wait <= 5 * 2**attempt


def test_a_host_is_asked_again_once_its_rest_is_over() -> None:
    pace = replace(IMPATIENT, retries=0, tolerated_failures=2, longest_rest_seconds=0.0)
    replies = in_a_row(as_json({}, 503), as_json({}, 503), as_json([1]))
    with without_robots(replies) as server:
        client = client_of(server, pace=pace)
        for _ in range(2):
            with pytest.raises(HostUnavailable):
                client.get(PATH)
        assert client.get(PATH) == [1]


def test_a_page_that_always_fails_does_not_speak_against_the_host() -> None:
    def answer(asked: Asked) -> Reply:
        return as_json({"error": "Server Error"}, 500) if "max_id" in asked.query else as_json([1])

    with without_robots(answer) as server, client_of(server) as client:
        for _ in range(6):
            with pytest.raises(HostUnavailable) as raised:
                client.get(PATH, {"max_id": "1"})
            assert not isinstance(raised.value, CircuitOpen)
        assert client.get(PATH) == [1]


def test_a_bot_check_is_a_no_to_every_further_request() -> None:
    wall = as_html('<script src="/cdn-cgi/challenge-platform/x.js"></script>', 403)
    with without_robots(lambda _asked: wall) as server, client_of(server) as client:
        for path in (PATH, "/api/v2/instance"):
            with pytest.raises(BotCheck, match="bot check"):
                client.get(path)
        assert server.paths() == [ROBOTS, PATH]


@pytest.mark.parametrize(
    ("tag", "obey", "refused", "why"),
    [
        ("noai, noimageai", True, True, "the host speaks of training"),
        ("noai", False, False, "the operator has permission"),
        ("noindex, nofollow", True, False, "no search engine reads lists of posts"),
    ],
)
def test_a_header_can_forbid_training_on_what_the_api_says(
    tag: str, obey: bool, refused: bool, why: str
) -> None:
    tagged = as_json([], 200, **{"X-Robots-Tag": tag})
    with without_robots(lambda _asked: tagged) as server:
        client = client_of(server, politeness=Politeness(obey_ai_refusals=obey))
        if refused:
            with pytest.raises(HostRefused, match="noai"):
                client.get(PATH)
        else:
            assert client.get(PATH) == [], why


@pytest.mark.parametrize("budget", [0, 1, 2, 4])
def test_no_more_requests_are_sent_than_the_budget_allows(budget: int) -> None:
    with without_robots(lambda _asked: as_json({}, 500)) as server:
        client = client_of(server, budget=budget)
        with pytest.raises(HostError) as raised:
            client.get(PATH)
        with pytest.raises(BudgetSpent, match=f"{budget} requests"):
            client.get(PATH)
        assert len(server.asked) == client.requests_made == budget
    assert not BudgetSpent("x").retryable
    assert "\n" not in str(raised.value)
