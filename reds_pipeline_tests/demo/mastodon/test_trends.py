from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

from reds_pipeline.demo.mastodon.trends import trending_tags
from reds_pipeline.demo.posts import Author, Post

NOON = datetime(2026, 10, 1, 12, tzinfo=UTC)


def post(author_id: str, *tags: str, days_ago: int = 0) -> Post:
    author = Author(author_id, f"user{author_id}", "", "", NOON)
    return Post(author_id, author, NOON - timedelta(days=days_ago), "", tags, ())


def test_tags_of_more_people_come_first_in_their_usual_spelling() -> None:
    posts = [
        post("1", "CatLife", "Harbour"),
        post("2", "CatLife", "harbour"),
        post("3", "catlife", days_ago=2),
        post("3", "alone"),
    ]
    trends = trending_tags(posts, "http://town")
    assert [tag["name"] for tag in trends] == ["CatLife", "Harbour"]
    history = trends[0]["history"]
    assert [day["accounts"] for day in history] == ["2", "0", "1", "0", "0", "0", "0"]
    assert history[0]["day"] == str(int(datetime(2026, 10, 1, tzinfo=UTC).timestamp()))
    assert int(history[0]["day"]) - int(history[1]["day"]) == 24 * 60 * 60


def test_old_private_and_suspended_posts_do_not_count() -> None:
    suspended = post("4", "cat")
    posts = [
        post("1", "cat"),
        post("2", "cat", days_ago=7),
        replace(post("3", "cat"), visibility="private"),
        replace(suspended, author=replace(suspended.author, suspended=True)),
    ]
    assert trending_tags(posts, "http://town") == []


def test_a_town_without_posts_has_no_trends() -> None:
    assert trending_tags([], "http://town") == []
