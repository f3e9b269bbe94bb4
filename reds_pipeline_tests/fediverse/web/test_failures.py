from __future__ import annotations

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from requests.structures import CaseInsensitiveDict

from reds_pipeline.fediverse.web.failures import (
    Answer,
    AuthenticationRequired,
    BadRequest,
    BotCheck,
    BudgetSpent,
    CircuitOpen,
    HostRefused,
    HostUnavailable,
    NotFound,
    document_failure_of,
    failure_of,
    host_is_failing,
)

JSON = "application/json"
HTML = "text/html; charset=UTF-8"


def answer(status: int, body: object, media_type: str = JSON, **headers: str) -> Answer:
    data = body if isinstance(body, bytes) else json.dumps(body).encode()
    fields = {"Content-Type": media_type, **headers}
    return Answer(status, CaseInsensitiveDict(fields), data)


@pytest.mark.parametrize(
    ("given_answer", "kind", "why"),
    [
        (answer(500, {"error": "Unauthenticated."}), AuthenticationRequired, "Pixelfed 0.12"),
        (answer(401, {"error": "The access token is invalid"}), AuthenticationRequired, "Mastodon"),
        (
            answer(422, {"error": "This method requires an authenticated user"}),
            AuthenticationRequired,
            "Mastodon with closed feeds",
        ),
        (answer(403, {"error": ""}), AuthenticationRequired, "Pixelfed, token without scope"),
        (answer(302, b"", HTML, Location="/login"), AuthenticationRequired, "Pixelfed, Accept */*"),
        (
            answer(302, b"", HTML, Location="https://pix.example/login"),
            AuthenticationRequired,
            "the same, absolute",
        ),
        (answer(301, b"", HTML, Location="https://else.example/api"), HostRefused, "moved host"),
        (answer(302, b""), HostRefused, "redirect to nowhere"),
        (answer(500, {"error": "No query results for model [X]"}), NotFound, "deleted on Pixelfed"),
        (answer(404, {"error": ""}), NotFound, "unknown route"),
        (answer(410, {"error": "Gone"}), NotFound, "suspended for good"),
        (
            answer(500, {"message": "Invalid", "errors": {"limit": ["too small"]}}),
            BadRequest,
            "Pixelfed validation",
        ),
        (answer(422, {"error": "Validation failed"}), BadRequest, "Mastodon validation"),
        (answer(429, {"error": "Too many requests"}), HostUnavailable, "rate limit"),
        (answer(503, b"<html>Maintenance</html>", HTML), HostUnavailable, "maintenance"),
        (answer(502, b"", HTML), HostUnavailable, "a proxy's error page"),
        (answer(500, {"error": "Server Error"}), HostUnavailable, "unclassified"),
        (answer(200, b"<html>log in</html>", HTML), HostRefused, "login page with 200"),
        (answer(403, b"<html>Forbidden</html>", HTML), HostRefused, "a firewall"),
        (answer(503, b"<title>Just a moment...</title>", HTML), BotCheck, "bot check"),
        (answer(200, b'<p id="anubis_challenge">', HTML), BotCheck, "bot check that says 200"),
        (answer(403, {}, **{"CF-Mitigated": "challenge"}), BotCheck, "bot check by header"),
        (answer(429, b"<html>captcha</html>", HTML), HostRefused, "likely a bot check"),
        (answer(502, b"<html>captcha</html>", HTML), HostUnavailable, "a proxy's words"),
        (answer(404, b"<html>captcha</html>", HTML), NotFound, "a page's own scripts"),
        (
            answer(500, {"error": "you need no captcha"}),
            HostUnavailable,
            "data is no page, whatever it says",
        ),
        (answer(451, b"", HTML), HostRefused, "legal reasons"),
        (answer(408, b"", HTML), HostUnavailable, "too slow this time"),
        (answer(422, b"", HTML), BadRequest, "not accepted"),
        (answer(200, b'[{"id": "1"'), HostUnavailable, "cut off in the middle"),
        (answer(200, 7), HostUnavailable, "neither list nor object"),
    ],
)
def test_an_answer_is_judged_by_meaning(given_answer: Answer, kind: type, why: str) -> None:
    failure = failure_of(given_answer, "pix.example/api")
    assert type(failure) is kind, why
    assert "pix.example/api" in str(failure)


@pytest.mark.parametrize(
    ("given_answer", "kind", "why"),
    [
        (answer(422, {"error": "?"}), AuthenticationRequired, "Mastodon refuses guests"),
        (answer(422, {"errors": {"max_id": ["?"]}}), BadRequest, "it says what was wrong"),
        (answer(401, {}), AuthenticationRequired, "plainly"),
        (answer(403, {}), AuthenticationRequired, "a token without the scope"),
    ],
)
def test_timelines_refuse_guests_in_several_ways(
    given_answer: Answer, kind: type, why: str
) -> None:
    assert type(failure_of(given_answer, "pix.example/api/v1/timelines/public")) is kind, why


@pytest.mark.parametrize(
    ("location", "said"),
    [
        ("/users/mira", "another page"),
        ("https://else.example/@mira", "else.example"),
        ("https://mira:secret@else.example/", "else.example"),
        ("http://[mira", "another page"),
        ("https://mira@[broken]/", "another page"),
        ("", "nowhere"),
    ],
)
def test_a_redirect_is_described_without_the_person_it_may_name(location: str, said: str) -> None:
    failure = failure_of(answer(302, b"", HTML, Location=location), "pix.example/...")
    assert isinstance(failure, HostRefused)
    assert "mira" not in str(failure)
    assert said in str(failure)


@pytest.mark.parametrize(
    ("given_answer", "kind", "why"),
    [
        (answer(200, b"<p>captcha, Anubis, just a moment</p>", HTML), None, "a caption's words"),
        (answer(200, b"", HTML), None, "an empty page"),
        (answer(200, b"text", ""), None, "a type nobody declared"),
        (answer(200, b"<rss/>", "application/rss+xml"), None, "a feed"),
        (answer(200, b"PNG", "image/png"), BadRequest, "a file"),
        (answer(200, b"<title>Just a moment", HTML), BotCheck, "a bot check's markup"),
        (answer(403, b"please solve the captcha", HTML), HostRefused, "no page was handed out"),
        (answer(404, b"gone", HTML), NotFound, "deleted"),
        (answer(500, {"error": "No query results for model [X]"}), NotFound, "deleted on Pixelfed"),
        (answer(302, b"", HTML, Location="/login"), AuthenticationRequired, "for members"),
    ],
)
def test_a_page_is_judged_by_meaning(given_answer: Answer, kind: type | None, why: str) -> None:
    failure = document_failure_of(given_answer, "pix.example/page")
    assert (type(failure) if failure else None) is kind, why


@pytest.mark.parametrize(
    ("given_answer", "failing", "why"),
    [
        (None, True, "no answer at all"),
        (answer(429, {}), True, "too often"),
        (answer(502, b"", HTML), True, "the proxy says that nobody is there"),
        (answer(503, {}), True, "overloaded"),
        (answer(522, b"", HTML), True, "the CDN says so"),
        (answer(500, {}), False, "one page that cannot be shown"),
        (answer(404, {}), False, "an answer like any other"),
        (answer(200, []), False, "well"),
    ],
)
def test_what_speaks_against_the_whole_host(
    given_answer: Answer | None, failing: bool, why: str
) -> None:
    assert host_is_failing(given_answer) is failing, why


@pytest.mark.parametrize("body", [[], {}, [{"id": "1"}], {"error": "in a post's own text"}])
def test_lists_and_objects_are_no_failure(body: object) -> None:
    assert failure_of(answer(200, body), "x") is None
    assert failure_of(answer(200, body, "application/activity+json; charset=utf-8"), "x") is None


def test_only_what_may_pass_is_worth_another_attempt() -> None:
    assert all(kind("x").retryable for kind in (HostUnavailable, CircuitOpen))
    refusals = (AuthenticationRequired, NotFound, BadRequest, HostRefused, BotCheck, BudgetSpent)
    assert not any(kind("x").retryable for kind in refusals)


@settings(deadline=None)
@given(
    st.integers(200, 599),
    st.binary(max_size=60),
    st.sampled_from([JSON, HTML, "", "image/png"]),
)
def test_any_answer_is_judged_without_an_error(status: int, body: bytes, media_type: str) -> None:
    given_answer = answer(status, body, media_type)
    for failure in (failure_of(given_answer, "x"), document_failure_of(given_answer, "x")):
        assert failure is not None or 200 <= status < 300
    assert isinstance(given_answer.text, str)
