from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest

from reds_pipeline.demo.instance import EmbeddedInstance
from reds_pipeline.demo.town.town import Town
from reds_pipeline_tests.demo.conftest import Visitor
from reds_pipeline_tests.demo.pixelfed.conftest import find_post, is_ordinary

PUBLIC = "/api/v1/timelines/public"
TAG = "/api/v1/timelines/tag/"
Host = Callable[..., EmbeddedInstance]


@pytest.fixture
def member(open_house: EmbeddedInstance) -> Visitor:
    return Visitor(open_house)


@pytest.mark.parametrize(
    "path",
    [
        "/api/v1/accounts/77001",
        "/api/v1/accounts/77001/statuses",
        "/api/v1/trends",
        "/api/v1/discover/posts",
        "/api/v1.1/discover/posts/hashtags",
        "/api/pixelfed/v1/discover/posts/hashtags",
        "/api/v1.1/discover/posts/trending",
    ],
)
def test_these_paths_need_the_token(path: str, member: Visitor) -> None:
    assert member.get(path).status_code == 200
    del member.session.headers["Authorization"]
    assert member.get(path).json() == {"error": "Unauthenticated."}


@pytest.mark.parametrize("path", [PUBLIC, TAG + "cat", "/api/v1/accounts/verify_credentials"])
def test_a_token_without_the_scope_is_refused_without_a_word(path: str, host: Host) -> None:
    answer = Visitor(host(token_may_read=False)).get(path)
    assert (answer.status_code, answer.json()) == (403, {"error": ""})


@pytest.mark.parametrize("tag", ["sale", "unheard"])
def test_banned_and_unknown_hashtags_have_empty_timelines(tag: str, member: Visitor) -> None:
    answer = member.get(TAG + tag)
    assert (answer.status_code, answer.json()) == (200, [])


def test_the_page_of_a_hashtag_timeline_is_checked_and_ignored(member: Visitor) -> None:
    first = member.get(TAG + "cat", limit=3).json()
    assert member.get(TAG + "cat", limit=3, page=7).json() == first
    assert list(member.get(TAG + "cat", page=41).json()["errors"]) == ["page"]


def test_hashtag_timelines_hold_posts_without_files_only_on_request(
    host: Host, small_town: Town
) -> None:
    instance = host()
    instance.put_post(replace(small_town.new_post("dog"), attachments=()))
    newest = [
        Visitor(instance).get(TAG + "dog", limit=1, _pe=1, **parameters).json()[0]["pf_type"]
        for parameters in ({}, {"only_media": "true"}, {"only_media": "false"})
    ]
    assert newest == ["photo", "photo", "text"]


def test_account_feeds_hold_unlisted_posts_and_clamp(host: Host, small_town: Town) -> None:
    instance = host()
    posts = [small_town.new_post("dog", number) for number in range(45)]
    for post in posts:
        instance.put_post(replace(post, visibility="unlisted"))
    path = f"/api/v1/accounts/{posts[0].author.account_id}/statuses"
    visitor = Visitor(instance)
    page = visitor.get(path, limit=500).json()
    assert [entry["id"] for entry in page] == [post.post_id for post in reversed(posts)][:40]
    below = visitor.get(path, limit=1, max_id=posts[10].post_id).json()
    assert [entry["id"] for entry in below] == [posts[9].post_id]


def test_the_account_has_two_shapes(member: Visitor, small_town: Town) -> None:
    author = find_post(small_town, is_ordinary).author
    path = f"/api/v1/accounts/{author.account_id}"
    assert "note_text" in member.get(path, _pe=1).json()
    assert "note_text" not in member.get(path).json()
    assert member.get("/api/v1/accounts/12").status_code == 404


@pytest.mark.parametrize(
    ("change", "status"),
    [
        ({"visibility": "unlisted"}, 200),
        ({"visibility": "private"}, 403),
        ({"visibility": "direct"}, 400),
        ({"visibility": "archived"}, 404),
    ],
)
def test_single_posts_follow_their_scope(
    change: dict[str, str], status: int, host: Host, small_town: Town
) -> None:
    instance = host()
    post = find_post(small_town, is_ordinary)
    instance.put_post(replace(post, **change))  # type: ignore[arg-type]
    assert Visitor(instance).get(f"/api/v1/statuses/{post.post_id}").status_code == status


def test_trending_hashtags_count_everything_of_two_weeks(member: Visitor, small_town: Town) -> None:
    trends = member.get("/api/v1.1/discover/posts/hashtags").json()
    assert set(trends[0]) == {"id", "total", "name", "hashtag", "url"}
    assert trends[0]["name"] == f"#{trends[0]['hashtag']}"
    totals = [entry["total"] for entry in trends]
    assert totals == sorted(totals, reverse=True)
    assert len(totals) == 20
    assert "sale" not in {entry["hashtag"].casefold() for entry in trends}
    assert member.get("/api/v1/trends").json() == []


def test_discovered_posts_come_in_an_object(member: Visitor) -> None:
    assert len(member.get("/api/v1/discover/posts", limit=40).json()["posts"]) == 12
    assert list(member.get("/api/v1/discover/posts", limit=41).json()["errors"]) == ["limit"]


def test_a_post_that_cannot_be_read_spoils_every_answer_that_holds_it(
    host: Host, small_town: Town
) -> None:
    post = find_post(small_town, is_ordinary)
    visitor = Visitor(host(unreadable_post_id=post.post_id))
    above = str(int(post.post_id) + 1)
    answer = visitor.get(PUBLIC, limit=1, max_id=above)
    assert answer.status_code == 500
    assert answer.json() == {"error": "Server Error"}, "no error that a client can class"
    assert visitor.get(f"/api/v1/statuses/{post.post_id}").status_code == 500
    assert visitor.get(PUBLIC, limit=1, max_id=post.post_id).status_code == 200


@pytest.mark.parametrize("path", [PUBLIC, TAG + "cat"])
def test_posts_arrive_while_somebody_pages(path: str, host: Host, small_town: Town) -> None:
    instance = host(drifting=2)
    visitor = Visitor(instance)
    before = len(instance.posts)
    for _ in range(6):
        visitor.get(path, limit=1)
    assert len(instance.posts) == before + 3
    newest_known = max(int(post.post_id) for post in small_town.posts)
    arrived = [post for post in instance.posts if int(post.post_id) > newest_known]
    assert len({post.post_id for post in arrived}) == 3
    assert all(post.visibility == "public" for post in arrived)
    files = [visitor.get(post.attachments[0].path) for post in arrived]
    assert len({file.content for file in files}) == 3
    assert {file.headers["Content-Type"] for file in files} == {"image/jpeg"}


def test_a_walk_through_a_drifting_timeline_meets_all_that_was_there(
    host: Host, small_town: Town
) -> None:
    instance = host(drifting=1)
    there = {
        post.post_id
        for post in small_town.posts
        if "dog" in {name.casefold() for name in post.tags}
        and post.visibility != "unlisted"
        and not post.author.suspended
    }
    found = [post["id"] for post in Visitor(instance).walk(TAG + "dog")[0]]
    assert there <= set(found)
    assert len(found) == len(set(found))
