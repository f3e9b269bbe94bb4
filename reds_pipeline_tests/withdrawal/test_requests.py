from __future__ import annotations

from pathlib import Path

import pytest

from reds_pipeline.errors import RedsError
from reds_pipeline.fediverse.posts import handle_key
from reds_pipeline.storage.home import Home
from reds_pipeline.withdrawal.requests import (
    AccountAddress,
    Picture,
    PostAddress,
    account_address,
    picture,
    post_address,
    tombstones_for,
)
from reds_pipeline_tests.held_home import HOST, drawn, fill, sha_of


@pytest.mark.parametrize(
    ("text", "host", "meant"),
    [
        ("https://pix.example/p/mira/9123", "", PostAddress("pix.example", "9123")),
        ("https://PIX.example:443/p/mira/9123.json", "", PostAddress("pix.example", "9123")),
        ("https://m.example/@mira/1", "", PostAddress("m.example", "1")),
        (" 9123 ", "pix.example", PostAddress("pix.example", "9123")),
        ("9123", "http://127.0.0.1:8080/", PostAddress("127.0.0.1:8080", "9123")),
    ],
)
def test_a_post_has_several_names(text: str, host: str, meant: PostAddress) -> None:
    assert post_address(text, host) == meant


@pytest.mark.parametrize(
    "text",
    [
        "",
        "9123",
        "mira@pix.example",
        "https://pix.example/",
        "ftp://x",
        "https://pix.example/mira",
        "https://m.example/@mira",
        "https://m.example/web/@mira@far.example",
        "https://m.example/users/mira",
        "https://pix.example/i/web/profile/77",
    ],
)
def test_what_names_no_post_is_refused_in_a_sentence(text: str) -> None:
    with pytest.raises(RedsError, match="not the address of a post"):
        post_address(text)


@pytest.mark.parametrize(
    ("text", "meant"),
    [
        ("mira@pix.example", AccountAddress("pix.example", "mira")),
        ("@Mira@PIX.example", AccountAddress("pix.example", "Mira")),
        ("mira@127.0.0.1:8080", AccountAddress("127.0.0.1:8080", "mira")),
        ("https://pix.example/mira", AccountAddress("pix.example", "mira")),
        ("https://m.example/@mira", AccountAddress("m.example", "mira")),
        ("https://m.example/@mira@far.example", AccountAddress("far.example", "mira")),
        ("https://m.example/users/mira", AccountAddress("m.example", "mira")),
        ("https://pix.example/p/mira/9123", AccountAddress("pix.example", "mira")),
        ("https://m.example/web/@mira/9123", AccountAddress("m.example", "mira")),
        ("https://m.example/users/mira/statuses/1", AccountAddress("m.example", "mira")),
        ("https://m.example/ap/users/115", AccountAddress("m.example", account_id="115")),
        ("https://pix.example/i/web/profile/77", AccountAddress("pix.example", account_id="77")),
    ],
)
def test_an_account_has_several_names(text: str, meant: AccountAddress) -> None:
    assert account_address(text) == meant


@pytest.mark.parametrize(
    "text",
    [
        "",
        "mira",
        "@mira",
        "mira@",
        "https://pix.example/",
        "a/b@c",
        "https://pix.example/i/web/post/9123",
        "https://m.example/notes/9123",
    ],
)
def test_what_names_no_account_is_refused_in_a_sentence(text: str) -> None:
    with pytest.raises(RedsError, match="does not name an account"):
        account_address(text)


def test_a_host_that_cannot_be_one_is_refused_in_a_sentence() -> None:
    with pytest.raises(RedsError, match="does not name a host"):
        account_address("mira@[broken")


def test_a_picture_is_known_by_what_would_be_stored_of_it() -> None:
    assert picture(drawn(1), radius=4).sha256 == sha_of(1)
    assert picture(f" {sha_of(1).upper()} ", radius=4) == Picture(sha_of(1))


@pytest.mark.parametrize("source", [b"", b"<html>", "abc"])
def test_what_is_no_picture_is_refused_in_a_sentence(source: bytes | str) -> None:
    with pytest.raises(RedsError, match=r"picture|SHA-256"):
        picture(source, radius=4)


def test_an_account_known_by_its_number_alone_is_found(tmp_path: Path) -> None:
    home = Home(tmp_path)
    subject = AccountAddress(HOST, account_id="id-of-mira")
    assert tombstones_for(home, subject).keys == {home.keyed_hash(HOST, "id-of-mira")}


def test_the_posts_we_hold_tell_the_number_of_a_named_account(tmp_path: Path) -> None:
    home = fill(tmp_path / "home")
    found = tombstones_for(home, AccountAddress(HOST, "mira"))
    assert found.keys == {home.keyed_hash(HOST, "id-of-mira")}
    assert found.handles == {handle_key(home.keyed_hash, "mira", HOST)}


def test_a_stranger_is_refused_in_advance(tmp_path: Path) -> None:
    home = Home(tmp_path)
    found = tombstones_for(home, AccountAddress("far.example", "zoe"))
    assert found.keys == frozenset()
    assert found.handles == {handle_key(home.keyed_hash, "zoe", "far.example")}
