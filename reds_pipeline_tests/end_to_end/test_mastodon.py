"""``reds run`` against a fresh Mastodon: nothing but its address."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from functools import partial
from pathlib import Path

import pytest

from reds_pipeline.demo.instance import EmbeddedInstance
from reds_pipeline.demo.mastodon.options import (
    PERMISSIVE_ROBOTS_TXT,
    FeedAccess,
    MastodonOptions,
)
from reds_pipeline.demo.town.town import Town
from reds_pipeline_tests.end_to_end.conftest import Install

# What an instance has whose admins have agreed.
AGREED = MastodonOptions(robots_txt=PERMISSIVE_ROBOTS_TXT)


@pytest.fixture(scope="module")
def town() -> Town:
    return Town.build(images_per_class=12, flavour="mastodon")


@pytest.fixture(scope="module")
def instance(town: Town) -> Iterator[EmbeddedInstance]:
    with EmbeddedInstance(town, AGREED) as running:
        yield running


@pytest.fixture(scope="module")
def pointed_at(install: Install) -> Install:
    """Return what makes the command with the host's address and no token."""
    return partial(install, REDS_HOST_TOKEN="")


def test_the_main_job_needs_nothing_but_the_address(
    instance: EmbeddedInstance, town: Town, tmp_path: Path, pointed_at: Install
) -> None:
    reds = pointed_at(tmp_path / "home", instance)
    summary = json.loads(reds("run", "--json").stdout)
    assert set(summary["classes"]) == set(town.class_names)
    for name, funnel in summary["funnel"].items():
        expected = town.expected_fates(name)
        # Mastodon can be asked for its own posts alone, and is.
        del expected["remote_origin"]
        assert funnel["kept"] == expected.pop("kept")
        assert funnel["dropped"] == dict(expected)
    gated = town.paths_with_fate("sensitive", "spoiler", "account_locked", "account_opted_out")
    asked = {record.path for record in instance.requests}
    assert gated
    assert gated.isdisjoint(asked)
    assert not any(record.has_authorization for record in instance.requests)

    instance.reset_requests()
    again = reds("run", "--json")
    assert json.loads(again.stdout) == summary
    assert "Nothing was new" in again.stderr
    assert not any("/media" in record.path for record in instance.requests)


def test_a_stock_robots_txt_says_no_before_any_post_is_asked_for(
    town: Town, tmp_path: Path, pointed_at: Install
) -> None:
    with EmbeddedInstance(town, MastodonOptions()) as stock:
        result = pointed_at(tmp_path / "home", stock)("run", expect=1)
        assert [record.path for record in stock.requests] == ["/robots.txt"]
    assert "REDS_OBEY_AI_ROBOTS" in result.stderr.splitlines()[-1]


def test_members_only_feeds_need_a_token(
    town: Town, tmp_path: Path, pointed_at: Install, install: Install
) -> None:
    closed = replace(AGREED, access=FeedAccess.everywhere("authenticated"))
    with EmbeddedInstance(town, closed) as members_only:
        guest = pointed_at(tmp_path / "guest", members_only, REDS_CLASSES="cat,dog,flower")
        refused = guest("run", expect=1)
        assert "REDS_HOST_TOKEN" in refused.stderr.splitlines()[-1]
        member = install(tmp_path / "member", members_only)
        for name, funnel in member.json("run")["funnel"].items():
            assert funnel["kept"] == town.expected_fates(name)["kept"]


def test_a_guest_gets_as_far_as_the_feeds_for_guests_go(
    town: Town, tmp_path: Path, pointed_at: Install
) -> None:
    """Before 4.5 a closed timeline left the hashtags' RSS feeds open."""
    older = replace(AGREED, version="4.4.8", access=FeedAccess.everywhere("authenticated"))
    with EmbeddedInstance(town, older) as instance:
        reds = pointed_at(tmp_path / "home", instance)
        assert "REDS_HOST_TOKEN" in reds("run", expect=1).stderr.splitlines()[-1]
        # With the classes named nothing but the feeds of their hashtags is needed.
        result = reds("run", "--classes", "cat,dog,flower", "--json")
        assert any(line.startswith("The sample: ") for line in result.stderr.splitlines())
        for name, funnel in json.loads(result.stdout)["funnel"].items():
            # Of three classes, a picture of one of them and of a fourth is no picture of two.
            expected = town.expected_fates(name)
            assert 0 < funnel["kept"] <= expected["kept"] + expected["multi_class"]
            assert funnel["seen"] == funnel["kept"] + sum(funnel["dropped"].values())


def test_doctor_and_probe_say_what_the_host_gives_to_whom(
    instance: EmbeddedInstance, tmp_path: Path, pointed_at: Install
) -> None:
    reds = pointed_at(tmp_path / "home", instance)
    profile = reds.json("hosts", "probe")
    assert profile["flavour"] == "mastodon"
    verdicts = {endpoint["name"]: endpoint["verdict"] for endpoint in profile["endpoints"]}
    assert set(verdicts.values()) == {"anonymous"}
    found = {finding["subject"]: finding for finding in reds.json("doctor")}
    assert set(verdicts) <= set(found)
    assert all(found[name]["ok"] for name in verdicts)
