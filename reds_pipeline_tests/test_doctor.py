"""What ``reds doctor`` says of a host, and of the page."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from reds_pipeline.doctor import _disk, notices_finding, page_findings, ways_to_posts
from reds_pipeline.fediverse.hosts import HostProfile
from reds_pipeline.resources import Platform
from reds_pipeline.settings import load_settings

MEMBERS_ONLY = HostProfile(
    "pixelfed",
    "pixelfed",
    "0.12.6",
    "",
    public_timeline="needs_token",
    tag_timeline="needs_token",
    post="needs_token",
    author="anonymous",
)
CLOSED = replace(MEMBERS_ONLY, public_timeline="unavailable", tag_timeline="unavailable")


@pytest.mark.parametrize(
    ("profile", "has_token", "missing"),
    [
        pytest.param(MEMBERS_ONLY, True, {}, id="a token opens one way to everything"),
        pytest.param(
            MEMBERS_ONLY,
            False,
            {"newest posts": "token", "posts of a tag": "token", "one post": "token"},
            id="ways that no token opens are not what is missing",
        ),
        pytest.param(
            CLOSED,
            True,
            {
                "newest posts": "another host",
                "posts of a tag": "another host",
                "guest feed of a tag": "another host",
            },
            id="where there is no way at all, no token helps",
        ),
        pytest.param(
            replace(MEMBERS_ONLY, tag_feed="anonymous"),
            False,
            {"newest posts": "token", "one post": "token"},
            id="the feed for guests will do for photos",
        ),
    ],
)
def test_it_names_what_is_missing_and_what_helps(
    profile: HostProfile, has_token: bool, missing: dict[str, str]
) -> None:
    findings = {
        finding.subject: finding.detail
        for finding in ways_to_posts(profile, has_token)
        if not finding.ok
    }
    assert findings.keys() == missing.keys()
    for subject, advice in missing.items():
        assert advice in findings[subject].rpartition("; ")[2]


@pytest.mark.parametrize(("wanted", "is_enough"), [(0.0, True), (1e9, False)])
def test_how_much_free_disk_is_enough_is_for_the_operator_to_say(
    tmp_path: Path, wanted: float, is_enough: bool
) -> None:
    finding = _disk(Platform(load_settings(home=tmp_path / "home", free_disk_gb=wanted)))
    assert finding.ok == is_enough
    assert ("REDS_FREE_DISK_GB" in finding.detail) != is_enough


HASH = "$argon2id$v=19$m=8,t=1,p=1$c29tZXNhbHQ$AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"


@pytest.mark.parametrize(
    ("changed", "is_well", "word"),
    [
        pytest.param({}, True, "this machine only", id="nobody else comes"),
        pytest.param(
            {"page_hosts": ("tags.example",)}, False, "`reds password`", id="others, no password"
        ),
        pytest.param(
            {"trusted_proxies": ("127.0.0.1",)}, False, "`reds password`", id="proxy, no password"
        ),
        pytest.param(
            {"page_hosts": ("tags.example",), "operator_password_hash": HASH},
            True,
            "is set",
            id="others, and a password",
        ),
        pytest.param(
            {"operator_password_hash": "=19=65536"}, False, "dollar", id="a shell ate the hash"
        ),
        pytest.param({"operator_token": "short"}, False, "characters", id="a token to guess"),
    ],
)
def test_a_page_for_others_needs_a_password_that_works(
    tmp_path: Path, changed: dict[str, Any], is_well: bool, word: str
) -> None:
    """`reds serve` would refuse to start, or its operator would stand before a closed door."""
    settings = load_settings(home=tmp_path / "home", **changed)
    findings = {finding.subject: finding for finding in page_findings(settings)}
    assert findings["operator's login"].ok == is_well
    assert word in findings["operator's login"].detail


@pytest.mark.parametrize(
    ("choice", "word"),
    [("off", "cannot"), ("reviewed", "kept"), ("unreviewed", "next training")],
)
def test_it_says_what_becomes_of_photos_that_are_given(
    tmp_path: Path, choice: str, word: str
) -> None:
    settings = load_settings(home=tmp_path / "home", contributions=choice)
    findings = {finding.subject: finding for finding in page_findings(settings)}
    assert word in findings["photos for training"].detail


@pytest.mark.parametrize(
    ("addresses", "ok", "says"),
    [
        ("", True, "nobody is told"),
        ("json://ada:pa55@127.0.0.1/hook", True, "go to JSON"),
        ("json://127.0.0.1, telepathy://pa55", False, "address 2 of 2"),
    ],
)
def test_it_says_whether_anybody_is_told_and_shows_no_address(
    addresses: str, ok: bool, says: str
) -> None:
    finding = notices_finding(load_settings(notify=addresses))
    assert finding.ok is ok
    assert says in finding.detail
    assert "pa55" not in finding.detail
