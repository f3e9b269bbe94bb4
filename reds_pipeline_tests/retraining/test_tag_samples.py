from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from reds_pipeline.retraining.kept_samples import (
    RANKS_FIGURE,
    keep_sample,
    kept_samples,
    outdated_samples,
    take_out_of_samples,
)
from reds_pipeline.retraining.tag_samples import FEWEST_POSTS, TOP_NAMES, tag_sample
from reds_pipeline.storage.atomic import write_bytes
from reds_pipeline.storage.clock import as_text
from reds_pipeline.storage.home import Home
from reds_pipeline.storage.tables import LEMMAS, TAG_SAMPLES, read_rows, write_rows
from reds_pipeline_tests.retraining.tagged_weeks import START, own_lemmas, posts_of_weeks

Row = dict[str, Any]


def post(author: str, *tags: str, day: int = 0, minute: int = 0) -> Row:
    moment = as_text(START + timedelta(days=day, minutes=minute))
    return {
        "status": "kept",
        "author_key": author,
        "created_at": moment,
        "collected_at": moment,
        "tags": list(tags),
    }


def many(day: int, *tags: str) -> list[Row]:
    """Return posts enough for a sample, by ten authors."""
    return [post(f"a{n % 10}", *tags, day=day, minute=n) for n in range(FEWEST_POSTS)]


def at(day: int) -> str:
    return as_text(START + timedelta(days=day, hours=12))


def keep(home: Home, posts: list[Row], day: int) -> str:
    return keep_sample(home, posts, own_lemmas(posts), at(day))


def test_names_of_fewer_than_three_authors_are_not_kept() -> None:
    posts = [
        *(post(author, "cat", "Cats") for author in "abc"),
        *(post("a", "anna_and_ben") for _ in range(9)),
        post("b", "anna_and_ben"),
    ]
    rows = tag_sample(posts, {"cat": ["cat"], "Cats": ["cat"], "anna_and_ben": ["anna"]}, at(0))
    assert [(row["kind"], row["name"], row["rank"]) for row in rows] == [
        ("lemma", "cat", 1),
        ("tag", "Cats", 1),
        ("tag", "cat", 1),
    ]
    assert rows[0]["posts"] == rows[0]["authors"] == 3, "a post counts once for a lemma"
    assert {row["sample_posts"] for row in rows} == {13}


def test_the_halves_of_a_split_add_up_and_an_author_is_in_one_of_them() -> None:
    (posts,) = posts_of_weeks(1, None)
    rows = tag_sample(posts, own_lemmas(posts), at(0))
    assert max(row["rank"] for row in rows) <= TOP_NAMES
    for row in rows:
        halves = row["posts_of_halves"]
        assert {one + other for one, other in zip(halves[::2], halves[1::2], strict=True)} == {
            row["posts"]
        }
    alone = tag_sample([post("a", "x"), post("b", "x"), post("c", "x")], {"x": []}, at(0))
    assert len(alone[0]["posts_of_halves"]) == len(rows[0]["posts_of_halves"])


@pytest.mark.req("R-IMP-5")
def test_no_post_is_in_two_samples(tmp_path: Path) -> None:
    home = Home(tmp_path)
    first, second = many(0, "cat"), many(7, "dog")
    assert "by 10 authors" in keep(home, first, 0)
    assert keep(home, [*first, *second[:9]], 6).startswith("none: 9 posts")
    assert keep(home, [*first, *second], 0).startswith("none: the last one")
    keep(home, [*first, *second], 8)
    old, new = kept_samples(home)
    assert {row["name"] for row in old} == {"cat"}
    assert {row["name"] for row in new} == {"dog"}
    assert new[0]["sample_posts"] == FEWEST_POSTS
    assert home.table("tag_samples", "20260105T120000Z").exists()


def test_old_samples_are_for_housekeeping_to_remove(tmp_path: Path) -> None:
    home = Home(tmp_path)
    for day in (0, 300, 301, 302, 390, 391, 399):
        keep(home, many(day, "cat"), day)
    outdated = [path.stem[:8] for path in outdated_samples(home, at(400))]
    # More than a year old; and of a week long ago, which begins with day 301, all but the last.
    assert outdated == [(START + timedelta(days=day)).strftime("%Y%m%d") for day in (0, 301)]
    assert len(kept_samples(home)) == 7, "nothing is removed here"


@pytest.mark.req("R-SCR-11")
@pytest.mark.parametrize("write", [True, False])
def test_a_name_goes_when_too_few_use_it_after_a_withdrawal(tmp_path: Path, write: bool) -> None:
    home = Home(tmp_path)
    before = [*many(0, "cat"), *(post(author, "Rose", "roses") for author in "xyz")]
    sources = [{"tag": "Rose", "occurrences": 3}, {"tag": "roses", "occurrences": 3}]
    write_rows(home.table("lemmas"), [{"lemma": "rose", "sources": sources}], LEMMAS)
    lemmas = {"cat": ["cat"], "Rose": ["rose"], "roses": ["rose"]}
    keep_sample(home, before, lemmas, at(0))
    gated = {"status": "gated", "tags": None, "created_at": None, "author_key": None}
    after = [row | gated if row["author_key"] == "x" else row for row in before]
    write_bytes(home.figures / RANKS_FIGURE, b"names")
    assert take_out_of_samples(home, before, after, write=write) == 3
    assert (home.figures / RANKS_FIGURE).exists() is not write, "it shows names"
    left = {
        row["name"] for row in read_rows(next(home.root.glob("tables/tag_samples/*")), TAG_SAMPLES)
    }
    assert left == ({"cat"} if write else {"cat", "rose", "Rose", "roses"})
    assert take_out_of_samples(home, after, after, write=write) == 0
