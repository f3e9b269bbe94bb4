from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reds_pipeline.fediverse.posts import handle_key
from reds_pipeline.fediverse.recheck.permalinks import read_permalink
from reds_pipeline_tests.fediverse.makers import KEY


@pytest.mark.parametrize(
    ("url", "host", "post_id", "username"),
    [
        ("https://pix.example/p/mira/9123", "pix.example", "9123", "mira"),
        ("https://PIX.example/p/mira/9123.json", "pix.example", "9123", "mira"),
        ("https://m.example/@mira/1", "m.example", "1", "mira"),
        ("https://m.example/@mira@far.example/1", "m.example", "1", "mira"),
        ("https://m.example/users/mira/statuses/1/activity", "m.example", "1", "mira"),
        ("https://a.example:8443/notice/AbC", "a.example:8443", "AbC", ""),
        ("https://k.example/notes/9x", "k.example", "9x", ""),
        ("https://pix.example/", "pix.example", "", ""),
    ],
)
def test_an_address_says_where_whose_and_which(
    url: str, host: str, post_id: str, username: str
) -> None:
    permalink = read_permalink(url)
    assert permalink is not None
    assert (permalink.host, permalink.post_id, permalink.username) == (host, post_id, username)


@pytest.mark.parametrize("url", ["", "/404", "ftp://x/y", "https://u@h/p/a/1", "https://h//p/a/1"])
def test_what_is_no_address_is_none(url: str) -> None:
    assert read_permalink(url) is None


def test_an_author_is_known_with_and_without_the_port() -> None:
    permalink = read_permalink("http://127.0.0.1:8080/p/Mira/1")
    assert permalink is not None
    assert permalink.handle_keys(KEY) == {
        handle_key(KEY, "mira", host) for host in ("127.0.0.1", "127.0.0.1:8080")
    }


@given(st.text())
def test_any_text_is_read_or_refused(text: str) -> None:
    for url in (text, f"https://pix.example/{text}"):
        permalink = read_permalink(url)
        assert permalink is None or permalink.path.startswith("/") or permalink.path == ""
