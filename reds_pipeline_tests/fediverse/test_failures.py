from __future__ import annotations

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from requests.structures import CaseInsensitiveDict

from reds_pipeline.fediverse.failures import (
    Answer,
    AuthenticationRequired,
    BadRequest,
    HostRefused,
    HostUnavailable,
    NotFound,
    failure_of,
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
        (answer(503, b"<title>Just a moment...</title>", HTML), HostRefused, "bot check"),
        (answer(429, b"<html>captcha</html>", HTML), HostRefused, "bot check as 429"),
        (answer(403, {}, **{"CF-Mitigated": "challenge"}), HostRefused, "bot check by header"),
        (answer(200, b'[{"id": "1"'), HostUnavailable, "cut off in the middle"),
        (answer(200, 7), HostUnavailable, "neither list nor object"),
    ],
)
def test_an_answer_is_judged_by_meaning(given_answer: Answer, kind: type, why: str) -> None:
    failure = failure_of(given_answer, "pix.example/api")
    assert type(failure) is kind, why
    assert "pix.example/api" in str(failure)


@pytest.mark.parametrize("body", [[], {}, [{"id": "1"}], {"error": "in a post's own text"}])
def test_lists_and_objects_are_no_failure(body: object) -> None:
    assert failure_of(answer(200, body), "x") is None
    assert failure_of(answer(200, body, "application/activity+json; charset=utf-8"), "x") is None


def test_only_what_may_pass_is_worth_another_attempt() -> None:
    assert HostUnavailable("x").retryable
    assert not any(
        kind("x").retryable for kind in (AuthenticationRequired, NotFound, BadRequest, HostRefused)
    )


@settings(deadline=None)
@given(
    st.integers(200, 599),
    st.binary(max_size=60),
    st.sampled_from([JSON, HTML, "", "image/png"]),
)
def test_any_answer_is_judged_without_an_error(status: int, body: bytes, media_type: str) -> None:
    failure = failure_of(answer(status, body, media_type), "x")
    assert failure is not None or 200 <= status < 300
