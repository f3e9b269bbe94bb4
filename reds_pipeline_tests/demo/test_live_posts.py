from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from reds_pipeline.demo.live_posts import LivePosts
from reds_pipeline.demo.posts import Attachment, Author, Picture, Post

NOW = datetime(2026, 10, 1, tzinfo=UTC)
MIRA = Author("1", "mira", "Mira", "", NOW)
OLA = Author("2", "ola", "Ola", "", NOW, host="faraway.example")


def post(number: int, author: Author = MIRA) -> Post:
    path = f"/storage/m/_v2/{number}.jpg"
    file = Attachment(f"m{number}", path, Picture("cat", number), "plain", "image/jpeg")
    return Post(str(number), author, NOW, "", ("cat",), (file,))


@pytest.fixture
def posts() -> LivePosts:
    return LivePosts([post(1), post(10), post(9, OLA)])


def test_ids_are_ordered_as_numbers(posts: LivePosts) -> None:
    assert [entry.post_id for entry in posts.newest_first()] == ["10", "9", "1"]


def test_things_are_found_by_their_names(posts: LivePosts) -> None:
    assert posts.post("9") == post(9, OLA)
    assert posts.author("2") == OLA
    assert posts.local_author("mira") == MIRA
    assert posts.local_author("ola") is None, "remote"
    assert posts.author_by_handle("@ola@faraway.example") == OLA
    assert posts.author_by_handle("ola") is None
    assert posts.media("m9") == posts.attachment("/storage/m/_v2/9.jpg")


def test_a_removed_post_takes_its_file_and_leaves_its_author(posts: LivePosts) -> None:
    posts.remove("9")
    posts.remove("never there")
    assert posts.post("9") is None
    assert posts.media("m9") is None
    assert posts.author("2") == OLA
    assert [entry.post_id for entry in posts.newest_first()] == ["10", "1"]


def test_an_edited_author_is_edited_in_all_posts_and_boosts(posts: LivePosts) -> None:
    posts.put(replace(post(11, OLA), reblog_of=post(1)))
    edited = posts.edit_author("1", locked=True, username="renamed")
    assert edited.locked
    assert [entry.author.locked for entry in posts.newest_first()] == [False, True, False, True]
    boost = posts.post("11")
    assert boost is not None
    assert boost.reblog_of is not None
    assert boost.reblog_of.author == edited
    assert posts.local_author("renamed") == edited
    assert posts.local_author("mira") is None


def test_a_deleted_author_takes_all_posts_and_stays_known(posts: LivePosts) -> None:
    posts.edit_author("1", deleted=True)
    assert [entry.post_id for entry in posts.all()] == ["9"]
    gone = posts.local_author("mira")
    assert gone is not None
    assert (gone.deleted, gone.suspended) == (True, True)


def test_nobody_cannot_be_edited(posts: LivePosts) -> None:
    with pytest.raises(KeyError):
        posts.edit_author("77", locked=True)
