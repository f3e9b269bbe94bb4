from __future__ import annotations

from pathlib import Path

import pytest

from reds_pipeline.fediverse.consent import ConsentPolicy
from reds_pipeline.fediverse.known_posts import successor
from reds_pipeline.fediverse.posts import PostReader
from reds_pipeline.retraining.kept_samples import keep_sample, kept_samples
from reds_pipeline.storage.home import Home
from reds_pipeline.storage.ledger import Ledger
from reds_pipeline.storage.tables import CURSORS, POSTS, read_rows, write_rows
from reds_pipeline.tracking import Tracking
from reds_pipeline.withdrawal.host import erase_host
from reds_pipeline_tests.held_home import AT, CLASSES, HOST, everything, fill, post

POLICY = ConsentPolicy()


@pytest.fixture
def home(tmp_path: Path) -> Home:
    return fill(tmp_path / "home")


@pytest.fixture
def ledger(home: Home) -> Ledger:
    return Ledger(home.default_ledger_url)


@pytest.fixture
def tracking(home: Home) -> Tracking:
    return Tracking(home.default_tracking_uri, home.artifacts)


def posts(home: Home, name: str) -> list[dict[str, object]]:
    return read_rows(home.table("posts", name), POSTS)


def test_nothing_of_a_revoked_host_is_left(home: Home, ledger: Ledger, tracking: Tracking) -> None:
    assert "words-of-mira" in everything(home)
    report = erase_host(home, ledger, tracking, HOST)
    assert report.removed["picture files"] > 0
    for name in CLASSES:
        assert {row["reason"] for row in posts(home, name)} == {"host_revoked"}
        assert read_rows(home.table("cursors", name), CURSORS) == []
    left = everything(home)
    assert not any(trace in left for trace in ("words-of-", "/storage/", "id-of-"))
    assert not list((home.root / "images").rglob("*.jpg"))
    assert not any(store.keys() for store in home.array_stores())


def test_posts_of_other_hosts_stay(home: Home, ledger: Ledger, tracking: Tracking) -> None:
    before = {name: posts(home, name) for name in CLASSES}
    report = erase_host(home, ledger, tracking, "elsewhere.example")
    assert report.removed == {}
    assert {name: posts(home, name) for name in CLASSES} == before


@pytest.mark.req("R-SCR-11")
def test_kept_samples_of_hashtags_lose_what_only_its_people_used(
    home: Home, ledger: Ledger, tracking: Tracking
) -> None:
    sample = read_rows(home.table("sample_posts"), POSTS)
    kept = keep_sample(home, sample * 13, {tag: [] for row in sample for tag in row["tags"]}, AT)
    assert kept.startswith("1 names of 52 posts")
    erase_host(home, ledger, tracking, HOST)
    assert kept_samples(home) == []


def test_what_it_made_and_another_host_relayed_goes_too(
    home: Home, ledger: Ledger, tracking: Tracking
) -> None:
    relay = PostReader("relay.example", POLICY, home.keyed_hash, home.seal)
    relayed = relay.row(post("900", "mira", 7), "cat", AT)
    write_rows(home.table("posts", "cat"), [*posts(home, "cat"), relayed], POSTS)
    erase_host(home, ledger, tracking, HOST)
    assert {row["reason"] for row in posts(home, "cat")} == {"host_revoked"}


def test_a_host_that_is_approved_again_may_show_its_posts_again(
    home: Home, ledger: Ledger, tracking: Tracking
) -> None:
    erase_host(home, ledger, tracking, HOST)
    reader = PostReader(HOST, POLICY, home.keyed_hash, home.seal)
    shown = reader.row(post("101", "mira", 1, 2), "cat", "2030-01-01T00:00:00Z")
    [old] = [row for row in posts(home, "cat") if row["post_key"] == shown["post_key"]]
    again = successor(old, shown, POLICY.digest)
    assert again is not None
    assert again["status"] == "kept"
