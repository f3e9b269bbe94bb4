from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reds_pipeline.demo.pixelfed.hashtag_rows import Collation, find_hashtag, is_banned
from reds_pipeline.demo.posts import Author, Post, snowflake

NOW = datetime(2026, 6, 1, tzinfo=UTC)
LOCAL = Author("1", "mira", "Mira", "", NOW)
REMOTE = replace(LOCAL, account_id="2", host="faraway.example")


def post(minute: int, *tags: str, author: Author = LOCAL) -> Post:
    moment = NOW + timedelta(minutes=minute)
    return Post(snowflake(moment), author, moment, "", tags, ())


def found(posts: list[Post], asked: str, collation: Collation = "mysql") -> list[Post]:
    row = find_hashtag(posts, asked, collation)
    return list(row.posts) if row else []


@pytest.mark.parametrize(
    ("asked", "collation", "is_found"),
    [
        ("été", "mysql", True),
        ("ÉTÉ", "mysql", True),
        ("ete", "mysql", True),
        ("ete", "postgresql", False),
        ("ÉTÉ", "postgresql", True),
        ("_t_", "mysql", False),
        ("_t_", "postgresql", True),
        ("%", "postgresql", True),
        ("_", "postgresql", False),
        (".t.", "postgresql", False),
    ],
)
def test_what_counts_as_the_same_name(asked: str, collation: Collation, is_found: bool) -> None:
    assert bool(found([post(1, "Été")], asked, collation)) is is_found


def test_a_row_is_newest_first_and_named_after_its_first_use() -> None:
    posts = [post(3, "CAT"), post(1, "Cat"), post(2, "cat", "CAT")]
    row = find_hashtag(posts, "cat")
    assert row is not None
    assert row.name == "Cat"
    assert list(row.posts) == [posts[0], posts[2], posts[1]]


def test_remote_spellings_have_rows_of_their_own_on_postgresql() -> None:
    first, other, local = (
        post(1, "Cat", author=REMOTE),
        post(2, "CAT", author=REMOTE),
        post(3, "cat"),
    )
    posts = [first, other, local]
    assert found(posts, "cat", "postgresql") == [first], "one spelling, a part of the posts"
    assert found(posts, "cat", "mysql") == [local, other, first]


@given(
    spellings=st.lists(st.sampled_from(["cat", "Cat", "CAT", "dog", "Dog"]), max_size=20),
    asked=st.sampled_from(["cat", "CAT", "dog", "bird"]),
)
def test_local_posts_are_found_alike_in_both_databases(spellings: list[str], asked: str) -> None:
    posts = [post(minute, name) for minute, name in enumerate(spellings)]
    expected = [entry for entry in reversed(posts) if entry.tags[0].lower() == asked.lower()]
    assert found(posts, asked, "mysql") == expected
    assert found(posts, asked, "postgresql") == expected


def test_bans_do_not_look_at_case() -> None:
    assert is_banned("Sale", {"sALE"})
    assert not is_banned("sales", {"sale"})
