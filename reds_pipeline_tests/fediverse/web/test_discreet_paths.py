from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reds_pipeline.fediverse.web.discreet_paths import discreet


@pytest.mark.parametrize(
    ("path", "spoken", "why"),
    [
        ("/api/v1/timelines/tag/sunset", "/api/v1/timelines/tag/sunset", "a tag is nobody"),
        ("/api/v2/instance", "/api/v2/instance", "the host"),
        ("/.well-known/nodeinfo", "/.well-known/nodeinfo", "the host"),
        ("/robots.txt", "/robots.txt", "the host"),
        ("/tags/sunset.rss", "/tags/sunset.rss", "a tag is nobody"),
        ("/api/v1/statuses", "/api/v1/statuses", "which ones stands in the query"),
        ("/api/v1/statuses/912345", "/api/v1/statuses/...", "a post"),
        ("/api/v2/profile/mira/status/912345", "/api/v2/profile/...", "a person and a post"),
        ("/api/pixelfed/v1/accounts/77", "/api/pixelfed/v1/...", "a person"),
        ("/p/mira/912345", "/...", "a person and a post"),
        ("/@mira", "/...", "a person"),
        ("/users/mira.atom", "/...", "a person"),
        ("/", "/...", "nothing to say"),
    ],
)
def test_what_is_repeated_of_a_path(path: str, spoken: str, why: str) -> None:
    assert discreet(path) == spoken, why


@given(st.sampled_from(["/", "/p/", "/@", "/users/", "/api/v1/accounts/", "/api/v2/profile/"]))
def test_a_name_at_the_end_is_never_repeated(start: str) -> None:
    assert "mira" not in discreet(f"{start}mira")
