"""What ``reds doctor`` says of a host."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from reds_pipeline.doctor import _disk, ways_to_posts
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
