from __future__ import annotations

from typing import Any

import pytest
import requests
from bs4 import BeautifulSoup

from reds_pipeline.demo.instance import EmbeddedInstance
from reds_pipeline.demo.mastodon.options import (
    PERMISSIVE_ROBOTS_TXT,
    FeedAccess,
    MastodonOptions,
)
from reds_pipeline.demo.posts import Author, Post
from reds_pipeline.demo.town.town import Town
from reds_pipeline_tests.demo.mastodon.conftest import TAG, Guest

ACTIVITY = "application/activity+json"


def kept_post(town: Town) -> Post:
    path = sorted(town.paths_with_fate("kept"))[0]
    return next(post for post in town.posts if path in {file.path for file in post.attachments})


def fetched(instance: EmbeddedInstance, path: str, accept: str = "text/html") -> requests.Response:
    headers = {"Accept": accept}
    return requests.get(instance.url + path, headers=headers, allow_redirects=False, timeout=10)


# -- the RSS feed of a hashtag --------------------------------------------------------------------


def items(answer: requests.Response) -> list[Any]:
    return list(BeautifulSoup(answer.content, "xml").find_all("item"))


def test_the_feed_lists_what_the_timeline_lists(mastodon: EmbeddedInstance, guest: Guest) -> None:
    answer = fetched(mastodon, "/tags/cat.rss?limit=200")
    assert answer.headers["Content-Type"].startswith("application/rss+xml")
    expected = [post["url"] for post in guest.walk(TAG + "cat")[0]]
    assert [item.link.text for item in items(answer)] == expected


def test_the_feed_carries_ratings_descriptions_and_categories(
    mastodon: EmbeddedInstance, guest: Guest
) -> None:
    posts = {post["url"]: post for post in guest.walk(TAG + "cat")[0]}
    ratings = set()
    for item in items(fetched(mastodon, "/tags/cat.rss?limit=200")):
        post = posts[item.link.text]
        rated = {rating.text for rating in item.find_all("rating")}
        shown = [file for file in post["media_attachments"] if file["url"]]
        assert rated == ({"adult" if post["sensitive"] else "nonadult"} if shown else set())
        ratings |= rated
        assert [file["url"] for file in item.find_all("content")] == [file["url"] for file in shown]
        told = [file["description"] for file in shown if file["description"]]
        descriptions = [file.description for file in item.find_all("content")]
        assert [description.text for description in descriptions if description] == told
        categories = [category.text.lower() for category in item.find_all("category")]
        assert len(categories) == len(post["tags"])
    assert ratings == {"adult", "nonadult"}


@pytest.mark.parametrize(("asked", "received"), [("", 20), ("?limit=3", 3), ("?limit=200", 70)])
def test_the_feed_has_no_cursor_but_a_limit(asked: str, received: int, mastodon_town: Town) -> None:
    with EmbeddedInstance(mastodon_town) as instance:
        for number in range(received):
            instance.put_post(mastodon_town.new_post("cat", number))
        answer = fetched(instance, f"/tags/cat.rss{asked}")
        assert len(items(answer)) >= received
        assert asked == "?limit=200" or len(items(answer)) == received


def test_more_than_two_hundred_are_never_sent(mastodon_town: Town) -> None:
    with EmbeddedInstance(mastodon_town) as instance:
        for number in range(210):
            instance.put_post(mastodon_town.new_post("cat", number))
        assert len(items(fetched(instance, "/tags/cat.rss?limit=500"))) == 200


def test_unknown_hashtags_have_no_feed(mastodon: EmbeddedInstance) -> None:
    assert fetched(mastodon, "/tags/neverheardof.rss").status_code == 404
    assert fetched(mastodon, "/tags/neverheardof").status_code == 404
    assert fetched(mastodon, "/tags/cat").status_code == 200


@pytest.mark.parametrize(("version", "is_full"), [("4.5.0", False), ("4.4.8", True)])
def test_closed_timelines_close_the_feed_from_4_5_on(
    version: str, is_full: bool, mastodon_town: Town
) -> None:
    options = MastodonOptions(version=version, access=FeedAccess.everywhere("authenticated"))
    with EmbeddedInstance(mastodon_town, options) as instance:
        assert Guest(instance).get(TAG + "cat").status_code == 422
        assert bool(items(fetched(instance, "/tags/cat.rss"))) is is_full


# -- people and posts -----------------------------------------------------------------------------


def test_a_post_has_a_page_and_a_note(mastodon: EmbeddedInstance, mastodon_town: Town) -> None:
    post = kept_post(mastodon_town)
    uri = f"/users/{post.author.username}/statuses/{post.post_id}"
    page = f"/@{post.author.username}/{post.post_id}"
    assert fetched(mastodon, uri).headers["Location"] == mastodon.url + page
    soup = BeautifulSoup(fetched(mastodon, page).text, "html.parser")
    picture = soup.find("meta", property="og:image")
    assert picture is not None
    assert picture["content"] == mastodon.url + post.attachments[0].path
    for path, accept in ((uri, ACTIVITY), (page, ACTIVITY), (f"{page}.json", "*/*")):
        note = fetched(mastodon, path, accept).json()
        assert note["type"] == "Note"
        assert note["id"] == mastodon.url + uri
        assert note["to"] == ["https://www.w3.org/ns/activitystreams#Public"]
        assert note["sensitive"] is False


def test_an_actor_tells_of_the_wishes(mastodon: EmbeddedInstance, mastodon_town: Town) -> None:
    authors = {post.author.username: post.author for post in mastodon_town.posts if post.is_local}

    def actor(author: Author) -> Any:
        return fetched(mastodon, f"/users/{author.username}", ACTIVITY).json()

    hidden = next(author for author in authors.values() if author.discoverable is False)
    assert (actor(hidden)["discoverable"], actor(hidden)["indexable"]) == (False, True)
    unsearched = next(author for author in authors.values() if author.noindex)
    profile = fetched(mastodon, f"/@{unsearched.username}").text
    assert 'name="robots"' in profile
    assert 'name="robots"' not in fetched(mastodon, f"/@{hidden.username}").text


@pytest.mark.parametrize(
    ("changes", "status"), [({"suspended": True}, 403), ({"deleted": True}, 410), ({}, 200)]
)
def test_closed_accounts_are_forbidden_or_gone(
    changes: dict[str, Any], status: int, mastodon_town: Town
) -> None:
    post = kept_post(mastodon_town)
    with EmbeddedInstance(mastodon_town) as instance:
        instance.edit_author(post.author.account_id, **changes)
        name = post.author.username
        for path in (f"/@{name}", f"/@{name}/{post.post_id}"):
            for accept in ("text/html", ACTIVITY):
                assert fetched(instance, path, accept).status_code == status


def test_deleted_and_hidden_posts_are_not_found(mastodon_town: Town) -> None:
    post = kept_post(mastodon_town)
    private = next(
        entry for entry in mastodon_town.posts if entry.visibility == "private" and entry.is_local
    )
    with EmbeddedInstance(mastodon_town) as instance:
        instance.remove_post(post.post_id)
        for gone in (post, private):
            path = f"/@{gone.author.username}/{gone.post_id}"
            assert fetched(instance, path, ACTIVITY).status_code == 404
        assert fetched(instance, f"/@{post.author.username}").status_code == 200


def test_authorized_fetch_closes_activitypub_alone(mastodon_town: Town) -> None:
    post = kept_post(mastodon_town)
    with EmbeddedInstance(mastodon_town, MastodonOptions(authorized_fetch=True)) as instance:
        path = f"/@{post.author.username}/{post.post_id}"
        assert fetched(instance, path, ACTIVITY).status_code == 401
        assert fetched(instance, path).status_code == 200
        assert Guest(instance).get(f"/api/v1/statuses/{post.post_id}").status_code == 200


# -- files and robots -----------------------------------------------------------------------------


def test_the_proxy_leads_to_the_file_or_nowhere(
    mastodon: EmbeddedInstance, mastodon_town: Town
) -> None:
    files = [file for post in mastodon_town.posts for file in post.attachments]
    proxied = next(file for file in files if file.whereabouts == "proxied")
    unknown = next(file for file in files if file.kind == "unknown")
    answer = fetched(mastodon, f"/media_proxy/{proxied.media_id}/original")
    assert (answer.status_code, answer.headers["Location"]) == (302, mastodon.url + proxied.path)
    assert fetched(mastodon, proxied.path).content == mastodon_town.file(proxied)
    assert fetched(mastodon, f"/media_proxy/{unknown.media_id}/original").status_code == 404


def test_files_that_are_gone_are_not_found(mastodon_town: Town) -> None:
    post = kept_post(mastodon_town)
    with EmbeddedInstance(mastodon_town) as instance:
        path = post.attachments[0].path
        assert fetched(instance, path.replace("/original/", "/small/")).status_code == 200
        instance.remove_post(post.post_id)
        assert fetched(instance, path).status_code == 404


@pytest.mark.parametrize(
    ("options", "status", "says_gptbot"),
    [
        (MastodonOptions(), 200, True),
        (MastodonOptions(robots_txt=PERMISSIVE_ROBOTS_TXT), 200, False),
        (MastodonOptions(robots_txt=None), 404, False),
    ],
)
def test_robots(
    options: MastodonOptions, status: int, says_gptbot: bool, mastodon_town: Town
) -> None:
    with EmbeddedInstance(mastodon_town, options) as instance:
        answer = fetched(instance, "/robots.txt")
        assert answer.status_code == status
        assert ("GPTBot" in answer.text) is says_gptbot
