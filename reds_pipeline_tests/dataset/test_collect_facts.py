from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from reds_pipeline.dataset.facts import DatasetFacts, HostFacts, LicenceFacts, ReviewFacts
from reds_pipeline.errors import RedsError
from reds_pipeline.storage.clock import utc_now
from reds_pipeline.storage.home import Home
from reds_pipeline.storage.tables import CURATED, POSTS, read_rows, write_rows
from reds_pipeline_tests.dataset.dataset_home import RULES, facts_of, make_dataset_home


def test_counts_are_those_of_the_tables(facts: DatasetFacts) -> None:
    assert facts.pictures == 48
    assert [(one.name, one.meaning, one.pictures, one.authors) for one in facts.classes] == [
        ("cat", "cat.n.01", 16, 8),
        ("dog", "dog.n.01", 16, 8),
        ("sea shore", "sea shore.n.01", 16, 8),
    ]
    assert [one.confirmed for one in facts.classes] == [2, 0, 0]
    assert [one.moved_in for one in facts.classes] == [1, 0, 0]
    assert (facts.people.authors, facts.people.groups) == (24, 24)
    assert facts.people.largest_share == pytest.approx(2 / 48)
    assert facts.files.by_extension == {"jpg": 39, "png": 9}
    assert (facts.files.smallest, facts.files.largest) == ((48, 36), (48, 36))
    assert facts.duplicates == {"perceptual": 2}
    assert facts.keeper_rules == {"size": 2}
    assert [(one.name, one.kept, one.dropped) for one in facts.flags] == [
        ("dark", 48, 0),
        ("blurry", 0, 3),
    ]


def test_bytes_are_those_on_the_disk(home: Home, facts: DatasetFacts) -> None:
    kept = [row for row in read_rows(home.table("curated_dataset"), CURATED) if row["kept"]]
    sizes = [home.images.path(row["sha256"], row["extension"]).stat().st_size for row in kept]
    assert facts.files.total_bytes == sum(sizes)


def test_parts_add_up(facts: DatasetFacts) -> None:
    assert facts.split.train + facts.split.test == facts.pictures
    assert sum(one.train for one in facts.classes) == facts.split.train
    assert sum(one.test for one in facts.classes) == facts.split.test > 0
    assert sum(one.kept for one in facts.licences) == facts.pictures


@pytest.mark.req("R-SCR-11")
def test_licences_of_all_and_of_the_kept(facts: DatasetFacts) -> None:
    names = ("", "CC BY", "CC BY-SA", "CC0")
    assert facts.licences == tuple(
        LicenceFacts(name, 15 if name == "CC0" else 12, 12) for name in names
    )


def test_review_counts_what_nobody_has_answered(facts: DatasetFacts) -> None:
    """The first of two suspects was confirmed by a person and is no open question any more."""
    assert facts.review == ReviewFacts(
        kept=1, moved=1, discarded=1, ranked=4, suspects=1, outliers=1
    )


@pytest.mark.req("R-SCR-13")
def test_the_funnel_of_every_class_adds_up(facts: DatasetFacts) -> None:
    counts = {name: (one.seen, one.kept, one.dropped) for name, one in facts.funnel.items()}
    assert counts == {
        "cat": (20, 16, {"account_locked": 1, "near_duplicate": 2, "reviewed_out": 1}),
        "dog": (18, 16, {"account_locked": 1, "relabelled": 1}),
        "sea shore": (17, 16, {"account_locked": 1}),
    }
    for seen, kept, dropped in counts.values():
        assert seen == kept + sum(dropped.values())


@pytest.mark.req("R-SCR-11")
def test_sources_name_no_host_that_would_name_a_person(facts: DatasetFacts) -> None:
    """A host of one user carries that user's name."""
    sources = facts.sources
    assert sources.hosts == (HostFacts("pix.example", 45, utc_now()[:10], "2026-10-01"),)
    assert (sources.unnamed_hosts, sources.unnamed_posts) == (1, 6)
    assert (sources.posts_seen, sources.posts_kept) == (54, 51)
    assert (sources.first_month, sources.last_month) == ("2026-01", "2026-09")
    assert (sources.collected_from, sources.collected_until) == ("2026-11-01", "2026-11-02")
    assert sources.policies == (RULES.policy.digest,)


def test_a_class_that_is_not_selected_any_more_does_not_count(tmp_path: Path) -> None:
    home = make_dataset_home(tmp_path / "home")
    cats = read_rows(home.table("posts", "cat"), POSTS)
    others = [row | {"post_key": f"{row['post_key']} of a horse"} for row in cats]
    write_rows(home.table("posts", "horse"), others, POSTS)
    assert facts_of(home).sources.posts_seen == 54


def test_a_data_set_too_small_to_split_says_so(tmp_path: Path) -> None:
    home = make_dataset_home(tmp_path / "home")
    table = home.table("curated_dataset")
    rows = read_rows(table, CURATED)
    write_rows(
        table, [row | {"kept": row["kept"] and n < 4} for n, row in enumerate(rows)], CURATED
    )
    facts = facts_of(home)
    assert (facts.split.train, facts.split.test) == (4, 0)
    assert "collect images of another class" in facts.split.problem


def test_the_name_changes_with_the_data_set_and_not_with_the_day(
    facts: DatasetFacts, tmp_path: Path
) -> None:
    assert replace(facts, made_at="2030-01-01T00:00:00Z").version == facts.version
    home = make_dataset_home(tmp_path / "home")
    table = home.table("curated_dataset")
    rows = read_rows(table, CURATED)
    assert facts_of(home).name == facts.name
    write_rows(table, rows[1:], CURATED)
    assert facts_of(home).name != facts.name


def test_an_old_home_without_the_new_columns_has_facts_too(tmp_path: Path) -> None:
    home = make_dataset_home(tmp_path / "home")
    table = home.table("curated_dataset")
    new = {"flags", "decision", "collected_as", "keeper", "duplicate_kind", "keeper_rule"}
    rows = [
        {name: value for name, value in row.items() if name not in new}
        for row in read_rows(table, CURATED)
    ]
    write_rows(table, rows, CURATED)
    home.table("label_suspects").unlink()
    facts = facts_of(home)
    assert facts.pictures == 48
    assert (facts.flags, facts.duplicates, facts.review) == ((), {}, ReviewFacts())


def test_without_a_data_set_there_is_nothing_to_say(tmp_path: Path) -> None:
    with pytest.raises(RedsError, match="no data set"):
        facts_of(Home(tmp_path / "empty"))
