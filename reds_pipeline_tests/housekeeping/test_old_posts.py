from __future__ import annotations

import shutil
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from reds_pipeline.dataset.remembered import RememberedExport, forget, remember
from reds_pipeline.fediverse.known_posts import successor
from reds_pipeline.fediverse.recheck.rows import stale
from reds_pipeline.funnel import count_funnel, funnel_problems
from reds_pipeline.housekeeping.old_pictures import let_old_pictures_go
from reds_pipeline.housekeeping.old_posts import OldPosts, let_old_posts_go
from reds_pipeline.review.decisions import DecisionBook
from reds_pipeline.storage.home import Home
from reds_pipeline.storage.ledger import Ledger
from reds_pipeline.storage.locks import exclusive
from reds_pipeline.storage.partitions import partition_lock
from reds_pipeline.storage.tables import CLEAN_IMAGES, CURATED, IMAGES, POSTS, read_rows
from reds_pipeline.tracking import Tracking
from reds_pipeline.withdrawal.tombstones import erased_keys
from reds_pipeline.withdrawal.withdraw import finish_withdrawals
from reds_pipeline_tests.held_home import AT, CLASSES, sha_of
from reds_pipeline_tests.housekeeping.aged_home import fill_aged

Row = dict[str, Any]


@pytest.fixture(scope="module")
def aged(tmp_path_factory: pytest.TempPathFactory, mlflow_database: Path) -> Path:
    """A home that let go of the pictures 1 of post 101, 3 of post 102 and 4 of post 103."""
    home = fill_aged(tmp_path_factory.mktemp("aged") / "home")
    shutil.copyfile(mlflow_database, home.root / "mlflow.sqlite")
    ledger = Ledger(home.default_ledger_url)
    tracking = Tracking(home.default_tracking_uri, home.artifacts)
    let_old_pictures_go(home, ledger, tracking, DecisionBook({}, str), 1)
    ledger.close()
    forget(home, frozenset({sha_of(1), sha_of(3), sha_of(4)}), write=True)
    return home.root


@pytest.fixture
def home(aged: Path, tmp_path: Path) -> Home:
    return Home(shutil.copytree(aged, tmp_path / "home"))


@pytest.fixture
def tracking(tmp_path: Path, mlflow_database: Path) -> Tracking:
    shutil.copyfile(mlflow_database, tmp_path / "mlflow.sqlite")
    return Tracking(f"sqlite:///{tmp_path / 'mlflow.sqlite'}", tmp_path / "artifacts")


@pytest.fixture
def ledger(home: Home) -> Iterator[Ledger]:
    opened = Ledger(home.default_ledger_url)
    yield opened
    opened.close()


def posts(home: Home, name: str) -> list[Row]:
    return read_rows(home.table("posts", name), POSTS)


def reasons(home: Home) -> dict[str, list[str]]:
    return {name: [row["reason"] for row in posts(home, name)] for name in CLASSES}


def trained(tracking: Tracking, tested: list[str], learnt: list[str]) -> str:
    with tracking.training("key", "name", params={}, tags={}) as run:
        run.log_json("split.json", {"test": tested, "fold": dict.fromkeys(learnt, 1)})
    return run.run_id


@pytest.mark.req("R-SCR-11", "R-IMP-4")
def test_of_a_post_of_which_nothing_is_left_a_keyed_hash_and_a_reason_stay(
    home: Home, ledger: Ledger, tracking: Tracking
) -> None:
    assert let_old_posts_go(home, tracking, dry_run=True) == OldPosts(posts=2)
    assert reasons(home) == {"cat": [""] * 4, "sea shore": [""] * 2}
    assert let_old_posts_go(home, tracking) == OldPosts(posts=2)
    # 101 holds a picture that is learnt from, 104 and 105 are the newest.
    assert reasons(home) == {"cat": ["", "outdated", "outdated", ""], "sea shore": ["outdated", ""]}
    gone = posts(home, "cat")[2]
    assert (gone["author_key"], gone["permalink"], gone["tags"], gone["media"]) == ("", "", [], [])
    for name in CLASSES:
        for row in read_rows(home.table("images", name), IMAGES):
            assert row["sha256"] != sha_of(4), "no model has seen it, so nothing is looked for"
    assert not erased_keys(ledger)
    assert let_old_posts_go(home, tracking) == OldPosts(), "once is enough"


@pytest.mark.req("R-SCR-11")
@pytest.mark.parametrize("how", ["learnt", "tested", "exported"])
def test_a_post_stays_as_long_as_somebody_may_have_to_be_told(
    home: Home, tracking: Tracking, how: str
) -> None:
    if how == "exported":
        held = frozenset({sha_of(4)})
        remember(home, RememberedExport("2", AT, "parquet", "all", "digest", "gift", held))
    else:
        trained(tracking, *(([sha_of(4)], []) if how == "tested" else ([], [sha_of(4)])))
    assert let_old_posts_go(home, tracking) == OldPosts(posts=1)
    assert reasons(home) == {"cat": ["", "outdated", "", ""], "sea shore": ["", ""]}


def test_a_training_that_does_not_say_what_it_used_keeps_all_posts(
    home: Home, tracking: Tracking
) -> None:
    with tracking.training("key", "name", params={}, tags={}) as run:
        run.log_json("other.json", {})
    assert let_old_posts_go(home, tracking) == OldPosts()
    tracking.client.delete_run(run.run_id)
    assert let_old_posts_go(home, tracking) == OldPosts(posts=2)


@pytest.mark.req("R-SCR-11", "R-SCR-12")
def test_nobody_is_asked_about_it_again_and_it_is_not_taken_for_new(
    home: Home, ledger: Ledger, tracking: Tracking
) -> None:
    before = {row["post_key"]: row for row in posts(home, "cat")}
    let_old_posts_go(home, tracking)
    rows = posts(home, "cat")
    due = stale(rows, now=datetime.now(UTC), hours=0, policy_digest=rows[0]["policy"])
    assert len(due) == 2
    gone = rows[2]
    shown = before[gone["post_key"]] | {"confirmed_at": "2027-01-01T00:00:00Z"}
    assert successor(gone, shown, shown["policy"]) is None
    finish_withdrawals(home, ledger, tracking)
    assert reasons(home)["cat"] == ["", "outdated", "outdated", ""]
    assert not erased_keys(ledger), "a withdrawal does not take it for taken back"


def test_the_funnel_counts_it_once(home: Home, ledger: Ledger, tracking: Tracking) -> None:
    let_old_posts_go(home, tracking)
    finish_withdrawals(home, ledger, tracking)
    cleaned = read_rows(home.table("clean_images", "cat"), CLEAN_IMAGES)
    images = read_rows(home.table("images", "cat"), IMAGES)
    curated = read_rows(home.table("curated_dataset"), CURATED)
    funnel = count_funnel("cat", posts(home, "cat"), images, cleaned, curated)
    assert funnel.as_dict() == {
        "seen": 5,
        "kept": 1,
        # Two posts, and the picture beside the one that is learnt from.
        "dropped": {"outdated": 3, "beyond_target": 1},
    }
    assert funnel_problems(home, ["cat"]) == []


def test_a_class_that_is_being_collected_keeps_its_posts(home: Home, tracking: Tracking) -> None:
    with exclusive(partition_lock(home, "posts", "sea shore"), "collecting"):
        gone = let_old_posts_go(home, tracking)
    assert gone == OldPosts(posts=1, busy=(home.table("posts", "sea shore").stem,))
    assert reasons(home) == {"cat": ["", "outdated", "", ""], "sea shore": ["", ""]}
