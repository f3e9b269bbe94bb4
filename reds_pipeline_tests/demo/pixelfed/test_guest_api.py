from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest

from reds_pipeline.demo.instance import EmbeddedInstance
from reds_pipeline.demo.pixelfed.hashtag_rows import find_hashtag
from reds_pipeline.demo.posts import Post
from reds_pipeline.demo.town.town import Town
from reds_pipeline_tests.demo.pixelfed.conftest import (
    ANYTHING,
    JSON,
    Guest,
    find_post,
    is_ordinary,
)

HASHTAG = "/api/v2/discover/tag"
ACCOUNTS = "/api/pixelfed/v1/accounts/"
Host = Callable[..., EmbeddedInstance]


def status_path(post: Post) -> str:
    return f"/api/v2/profile/{post.author.username}/status/{post.post_id}"


def ids(tags: list[dict[str, dict[str, str]]]) -> list[str]:
    return [entry["status"]["id"] for entry in tags]


# -- hashtags (fediverse.md 2.5) -------------------------------------------------------------------


def test_hashtags_are_closed_to_guests_by_default(host: Host) -> None:
    answer = Guest(host()).get(HASHTAG, hashtag="cat")
    assert (answer.status_code, answer.json()) == (403, {"error": ""})


@pytest.mark.parametrize("path", [HASHTAG, "/api/pixelfed/v2/discover/tag"])
def test_a_token_opens_nothing_here(path: str, host: Host) -> None:
    instance = host()
    guest = Guest(instance)
    guest.session.headers["Authorization"] = f"Bearer {instance.token}"
    assert guest.get(path, hashtag="cat").status_code == 403


def test_the_eighteen_newest_are_never_shown_and_pages_one_and_two_are_the_same(
    guest: Guest, small_town: Town
) -> None:
    row = find_hashtag(small_town.posts, "cat")
    assert row is not None
    shown = [post.post_id for post in row.posts if post.visibility == "public"]
    pages = [guest.get(HASHTAG, hashtag="cat", page=number).json()["tags"] for number in (1, 2, 3)]
    assert ids(pages[0]) == ids(pages[1]) == shown[18:27]
    assert ids(pages[2]) == shown[27:36]


def test_guests_get_nothing_from_page_eight_on(host: Host, small_town: Town) -> None:
    instance = host(public_hashtags=True)
    for number in range(100):
        instance.put_post(small_town.new_post("dog", number))
    guest = Guest(instance)
    pages = [guest.get(HASHTAG, hashtag="dog", page=number).json() for number in range(1, 10)]
    assert [len(page["tags"]) for page in pages] == [9] * 7 + [0] * 2
    assert pages[7]["hashtag"]["name"] == pages[0]["hashtag"]["name"]
    assert len({post_id for page in pages for post_id in ids(page["tags"])}) == 54


def test_guests_get_posts_in_full_and_nobodys_opinion_of_them(guest: Guest) -> None:
    body = guest.get(HASHTAG, hashtag="cat").json()
    assert set(body) == {"hashtag", "tags"}
    status = body["tags"][0]["status"]
    assert status["pf_type"]
    assert {status[key] for key in ("favourited", "reblogged", "bookmarked", "muted")} == {None}


@pytest.mark.parametrize(("accept", "status"), [(JSON, 500), (ANYTHING, 404)])
def test_an_unknown_hashtag_has_no_query_results(accept: str, status: int, guest: Guest) -> None:
    answer = guest.get(HASHTAG, accept, hashtag="unheard")
    assert answer.status_code == status
    if accept == JSON:
        assert answer.json() == {"error": "No query results for model [App\\Hashtag]"}


def test_a_banned_hashtag_is_an_empty_list(guest: Guest) -> None:
    assert guest.get(HASHTAG, hashtag="sale").json() == []


@pytest.mark.parametrize(
    ("parameters", "field"),
    [
        ({}, "hashtag"),
        ({"hashtag": ""}, "hashtag"),
        ({"hashtag": "x" * 125}, "hashtag"),
        ({"hashtag": "cat", "page": "0"}, "page"),
        ({"hashtag": "cat", "page": "two"}, "page"),
    ],
)
def test_refused_parameters_name_the_field(
    parameters: dict[str, str], field: str, guest: Guest
) -> None:
    answer = guest.get(HASHTAG, **parameters)
    assert answer.status_code == 500
    assert list(answer.json()["errors"]) == [field]
    assert guest.get(HASHTAG, ANYTHING, **parameters).status_code == 302


# -- single posts ----------------------------------------------------------------------------------


@pytest.mark.parametrize("visibility", ["public", "unlisted"])
def test_single_posts_are_open_to_guests(visibility: str, guest: Guest, small_town: Town) -> None:
    post = find_post(small_town, lambda post: post.visibility == visibility)
    assert guest.get(status_path(post)).json()["status"]["id"] == post.post_id


def test_a_post_for_followers_is_refused(guest: Guest, small_town: Town) -> None:
    post = find_post(small_town, lambda post: post.visibility == "private")
    assert guest.get(status_path(post)).status_code == 403


@pytest.mark.parametrize("change", [{"locked": True}, {"suspended": True}, {"deleted": True}])
def test_the_posts_of_closed_accounts_are_unknown(
    change: dict[str, bool], host: Host, small_town: Town
) -> None:
    instance = host()
    post = find_post(small_town, is_ordinary)
    instance.edit_author(post.author.account_id, **change)
    assert Guest(instance).get(status_path(post)).status_code == 404


def test_a_post_under_another_name_is_unknown(guest: Guest, small_town: Town) -> None:
    post = find_post(small_town, is_ordinary)
    assert guest.get(f"/api/v2/profile/nobody/status/{post.post_id}").status_code == 404


# -- accounts --------------------------------------------------------------------------------------


def test_an_account_is_shown_in_full(guest: Guest, small_town: Town) -> None:
    author = find_post(small_town, is_ordinary).author
    account = guest.get(ACCOUNTS + author.account_id).json()
    assert account["username"] == author.username
    assert "note_text" in account
    assert guest.get(ACCOUNTS + "12").status_code == 404


def test_an_account_feed_includes_unlisted_posts(host: Host, small_town: Town) -> None:
    instance = host()
    post = find_post(small_town, is_ordinary)
    instance.put_post(replace(post, visibility="unlisted"))
    feed = Guest(instance).get(f"{ACCOUNTS}{post.author.account_id}/statuses", limit=24).json()
    assert (post.post_id, "unlisted") in {(entry["id"], entry["visibility"]) for entry in feed}


def test_the_feed_of_a_private_account_is_empty(guest: Guest, small_town: Town) -> None:
    locked = next(post.author for post in small_town.posts if post.author.locked)
    assert guest.get(f"{ACCOUNTS}{locked.account_id}/statuses").json() == []


@pytest.mark.parametrize("limit", ["0", "25", "many"])
def test_limits_of_account_feeds_are_validated_not_clamped(
    limit: str, guest: Guest, small_town: Town
) -> None:
    author = find_post(small_town, is_ordinary).author
    answer = guest.get(f"{ACCOUNTS}{author.account_id}/statuses", limit=limit)
    assert (answer.status_code, list(answer.json()["errors"])) == (500, ["limit"])


def talkative(town: Town, instance: EmbeddedInstance) -> tuple[str, list[str]]:
    """Add posts to one account; return its feed's path and the ids, newest first."""
    posts = [town.new_post("dog", number) for number in range(12)]
    for post in posts:
        instance.put_post(post)
    path = f"{ACCOUNTS}{posts[0].author.account_id}/statuses"
    return path, [post.post_id for post in reversed(posts)]


def test_the_link_of_an_account_feed_is_the_wrong_way_round(host: Host, small_town: Town) -> None:
    instance = host()
    path, newest_first = talkative(small_town, instance)
    answer = Guest(instance).get(path, limit=3)
    assert f"max_id={newest_first[2]}" in answer.links["prev"]["url"], "older, and called prev"
    assert f"min_id={newest_first[0]}" in answer.links["next"]["url"]


@pytest.mark.parametrize(("cursorless", "expected"), [(False, slice(3, 6)), (True, slice(0, 3))])
def test_old_versions_ignore_the_cursor_of_an_account_feed(
    cursorless: bool, expected: slice, host: Host, small_town: Town
) -> None:
    instance = host(cursorless_guest_feeds=cursorless)
    path, newest_first = talkative(small_town, instance)
    page = Guest(instance).get(path, limit=3, max_id=newest_first[2]).json()
    assert [entry["id"] for entry in page] == newest_first[expected]


# -- the rest --------------------------------------------------------------------------------------


def test_popular_posts_are_for_guests_only_where_the_operator_says_so(
    guest: Guest, host: Host
) -> None:
    path = "/api/pixelfed/v2/discover/posts/trending"
    assert Guest(host()).get(path).status_code == 403
    popular = guest.get(path, range="yearly").json()
    likes = [entry["favourites_count"] for entry in popular]
    assert likes == sorted(likes, reverse=True)
    assert len(likes) == 30
    assert guest.get(path, range="weekly").status_code == 500


def test_timelines_of_the_web_need_a_session(guest: Guest) -> None:
    answer = guest.get("/api/pixelfed/v1/timelines/public")
    assert (answer.status_code, answer.content) == (403, b"")


def test_peers_are_named_only_on_request_of_the_operator(guest: Guest, host: Host) -> None:
    path = "/api/v1/instance/peers"
    assert guest.get(path).json() == []
    assert Guest(host(peers=("faraway.example",))).get(path).json() == ["faraway.example"]
