from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import replace
from typing import Any

import pytest
import requests

from reds_pipeline.demo.hashtags import full_width
from reds_pipeline.demo.instance import EmbeddedInstance
from reds_pipeline.demo.mastodon.options import FeedAccess, MastodonOptions
from reds_pipeline.demo.posts import Post
from reds_pipeline.demo.town.town import Town
from reds_pipeline_tests.demo.conftest import Visitor
from reds_pipeline_tests.demo.mastodon.conftest import PUBLIC, TAG, Guest

NEEDS_USER = {"error": "This method requires an authenticated user"}
CLASS_TAGS = ["cat", "cats", "CatsOfPixelfed"]


def first_with_fate(town: Town, fate: str) -> Post:
    wanted = next(truth.post_id for truth in town.truth if truth.fate == fate)
    return next(post for post in town.posts if post.post_id == wanted)


# -- timelines ------------------------------------------------------------------------------------


def test_guests_walk_the_public_timeline_and_meet_every_public_post_once(
    guest: Guest, mastodon_town: Town
) -> None:
    posts, lengths = guest.walk(PUBLIC)
    expected = [
        post.post_id
        for post in reversed(mastodon_town.posts)
        if post.visibility == "public"
        and post.in_reply_to is None
        and post.reblog_of is None
        and not (post.author.suspended or post.author.limited)
    ]
    assert [post["id"] for post in posts] == expected
    assert set(lengths[:-1]) == {40}, "Mastodon fills its pages"


def test_walking_the_hashtags_of_a_class_meets_what_the_truth_expects(
    guest: Guest, mastodon_town: Town
) -> None:
    found = {
        file["id"]
        for tag in CLASS_TAGS
        for post in guest.walk(TAG + tag)[0]
        for file in post["media_attachments"]
    }
    served = {
        truth.path for truth in mastodon_town.truth if truth.served and "cat" in truth.class_names
    }
    files = {file.path: file.media_id for post in mastodon_town.posts for file in post.attachments}
    assert found == {files[path] for path in served}


@pytest.mark.parametrize(("asked", "received"), [({}, 20), ({"limit": 500}, 40), ({"limit": 7}, 7)])
def test_limits_are_clamped(asked: dict[str, int], received: int, guest: Guest) -> None:
    assert len(guest.get(PUBLIC, **asked).json()) == received


@pytest.mark.parametrize(
    ("asked", "origins"),
    [
        ({}, {True, False}),
        ({"local": "true"}, {True}),
        ({"remote": "true"}, {False}),
        ({"local": "true", "remote": "true"}, {True, False}),
        ({"local": "false"}, {True, False}),
    ],
)
def test_origins_can_be_chosen(asked: dict[str, str], origins: set[bool], guest: Guest) -> None:
    posts, _ = guest.walk(PUBLIC, **asked)
    assert {"@" not in post["account"]["acct"] for post in posts} == origins


def test_text_posts_come_unless_only_media_is_asked_for(guest: Guest) -> None:
    everything, _ = guest.walk(TAG + "cat")
    pictures, _ = guest.walk(TAG + "cat", only_media="true")
    without = [post for post in everything if not post["media_attachments"]]
    assert without
    assert len(pictures) == len(everything) - len(without)


def test_links_keep_what_real_ones_keep(guest: Guest) -> None:
    asked = {"limit": 3, "remote": "true", "only_media": "true"}
    public = guest.get(PUBLIC, **asked).links["next"]["url"]
    tag = guest.get(TAG + "cat", **asked).links["next"]["url"]
    assert "remote=true" in public
    assert "remote" not in tag, "fediverse.md 3.3: lost on page two"
    assert "Link" not in guest.get(PUBLIC, max_id=1).headers


def test_unknown_hashtags_are_empty_rather_than_missing(guest: Guest) -> None:
    answer = guest.get(TAG + "neverheardof")
    assert (answer.status_code, answer.json()) == (200, [])


def test_full_width_spellings_are_found_under_the_plain_one(
    guest: Guest, mastodon_town: Town
) -> None:
    spelt = {post.post_id for post in mastodon_town.posts if full_width("cat") in post.tags}
    assert spelt
    assert spelt <= {post["id"] for post in guest.walk(TAG + "cat")[0]}


def test_guests_are_served_from_a_cache_and_users_are_not(guest: Guest, user: Visitor) -> None:
    assert guest.get(PUBLIC).headers["Cache-Control"].startswith("max-age=15, public")
    assert "Authorization" in guest.get(PUBLIC).headers["Vary"]
    assert user.get(PUBLIC).headers["Cache-Control"] == "private, no-store"
    assert "favourited" in user.get(PUBLIC).json()[0]
    assert "favourited" not in guest.get(PUBLIC).json()[0]


# -- who may read ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("access", "path", "asked", "for_guest"),
    [
        (FeedAccess(), PUBLIC, {}, 200),
        (FeedAccess(local_live="authenticated"), PUBLIC, {}, 422),
        (FeedAccess(local_live="authenticated"), PUBLIC, {"remote": "true"}, 200),
        (FeedAccess(local_live="authenticated"), PUBLIC, {"local": "true"}, 422),
        (FeedAccess(local_live="authenticated"), TAG + "cat", {}, 200),
        (FeedAccess(remote_topic="disabled"), TAG + "cat", {}, 422),
        (FeedAccess(remote_topic="disabled"), TAG + "cat", {"local": "true"}, 200),
        (FeedAccess.everywhere("disabled"), PUBLIC, {}, 422),
    ],
)
def test_each_half_of_each_feed_can_be_closed_to_guests(
    access: FeedAccess,
    path: str,
    asked: dict[str, str],
    for_guest: int,
    mastodon_town: Town,
) -> None:
    with EmbeddedInstance(mastodon_town, MastodonOptions(access=access)) as instance:
        refused = Guest(instance).get(path, **asked)
        assert refused.status_code == for_guest
        if for_guest == 422:
            assert refused.json() == NEEDS_USER
        assert Visitor(instance).get(path, **asked).status_code == 200


def test_disabled_halves_are_empty_for_users(mastodon_town: Town) -> None:
    access = FeedAccess(remote_live="disabled")
    with EmbeddedInstance(mastodon_town, MastodonOptions(access=access)) as instance:
        user = Visitor(instance)
        assert user.get(PUBLIC, remote="true").json() == []
        posts, _ = user.walk(PUBLIC)
        assert posts
        assert not any("@" in post["account"]["acct"] for post in posts)


@pytest.mark.parametrize(
    ("version", "is_told"), [("4.5.0", True), ("4.4.8", False), ("4.10.1", True)]
)
def test_the_instance_tells_of_access_from_4_5_on(
    version: str, is_told: bool, mastodon_town: Town
) -> None:
    options = MastodonOptions(version=version, access=FeedAccess(remote_topic="disabled"))
    with EmbeddedInstance(mastodon_town, options) as instance:
        body = Guest(instance).get("/api/v2/instance").json()
        told = body["configuration"].get("timelines_access")
        assert (told is not None) is is_told
        if is_told:
            assert told["hashtag_feeds"] == {"local": "public", "remote": "disabled"}


@pytest.mark.parametrize(
    "options",
    [MastodonOptions(disallow_unauthenticated=True), MastodonOptions(limited_federation=True)],
)
def test_a_closed_api_refuses_guests_everywhere(
    options: MastodonOptions, mastodon_town: Town
) -> None:
    with EmbeddedInstance(mastodon_town, options) as instance:
        for path in (PUBLIC, "/api/v2/instance", "/api/v1/statuses/1", "/api/v1/trends/tags"):
            answer = Guest(instance).get(path)
            assert (answer.status_code, answer.json()) == (401, NEEDS_USER)
        assert Visitor(instance).get(PUBLIC).status_code == 200
        rss = requests.get(f"{instance.url}/tags/cat.rss", timeout=10)
        assert rss.status_code == (401 if options.limited_federation else 200)


@pytest.mark.parametrize("path", [PUBLIC, TAG + "cat", "/api/v1/accounts/verify_credentials"])
def test_bad_tokens_are_refused_even_where_guests_are_welcome(path: str, guest: Guest) -> None:
    guest.session.headers["Authorization"] = "Bearer wrong"
    answer = guest.get(path)
    assert (answer.status_code, answer.json()) == (401, {"error": "The access token is invalid"})


def test_tokens_without_the_scope_are_refused(mastodon_town: Town) -> None:
    options = MastodonOptions(token_may_read=False)
    with EmbeddedInstance(mastodon_town, options) as instance:
        answer = Visitor(instance).get(PUBLIC)
        assert answer.status_code == 403
        assert answer.json() == {"error": "This action is outside the authorized scopes"}


def test_the_token_has_an_account_and_guests_have_none(guest: Guest, user: Visitor) -> None:
    path = "/api/v1/accounts/verify_credentials"
    assert user.get(path).json()["username"] == "collector"
    assert guest.get(path).status_code == 401


# -- single posts and accounts --------------------------------------------------------------------


def test_single_posts_follow_their_visibility(guest: Guest, mastodon_town: Town) -> None:
    statuses = {
        post.visibility: guest.get(f"/api/v1/statuses/{post.post_id}").status_code
        for post in mastodon_town.posts
        if not post.author.suspended
    }
    assert statuses == {"public": 200, "unlisted": 200, "private": 404}


def test_batches_leave_out_what_is_gone_or_hidden(guest: Guest, mastodon_town: Town) -> None:
    private = next(post for post in mastodon_town.posts if post.visibility == "private")
    spam = next(post for post in mastodon_town.posts if post.author.suspended)
    seen = [post["id"] for post in guest.get(PUBLIC, limit=3).json()]
    asked = [*seen, "1", private.post_id, spam.post_id, "no-number"]
    answer = guest.get("/api/v1/statuses", **{"id[]": asked})
    assert [post["id"] for post in answer.json()] == seen


@pytest.mark.parametrize(("count", "status"), [(20, 200), (21, 422)])
def test_batches_have_a_largest_size(count: int, status: int, guest: Guest) -> None:
    identifiers = [str(number) for number in range(count)]
    assert guest.get("/api/v1/statuses", **{"id[]": identifiers}).status_code == status


def test_old_versions_have_no_batches(mastodon_town: Town) -> None:
    with EmbeddedInstance(mastodon_town, MastodonOptions(version="4.2.10")) as instance:
        answer = Guest(instance).get("/api/v1/statuses", **{"id[]": ["1"]})
        assert (answer.status_code, answer.json()) == (404, {"error": "Not Found"})


def test_accounts_are_found_by_handle_and_by_id(guest: Guest, mastodon_town: Town) -> None:
    remote = first_with_fate(mastodon_town, "remote_origin").author
    handle = f"{remote.username}@{remote.host}"
    found = guest.get("/api/v1/accounts/lookup", acct=handle).json()
    assert found["acct"] == handle
    assert guest.get(f"/api/v1/accounts/{found['id']}").json() == found
    missing = guest.get("/api/v1/accounts/lookup", acct="nobody.here")
    assert (missing.status_code, missing.json()) == (404, {"error": "Record not found"})


def test_accounts_have_posts(guest: Guest, mastodon_town: Town) -> None:
    author = first_with_fate(mastodon_town, "kept").author
    expected = [
        post.post_id
        for post in reversed(mastodon_town.posts)
        if post.author == author and post.visibility in {"public", "unlisted"}
    ]
    posts, _ = guest.walk(f"/api/v1/accounts/{author.account_id}/statuses")
    assert [post["id"] for post in posts] == expected


@pytest.mark.parametrize(
    ("changes", "post_status", "account_status", "account"),
    [
        ({"locked": True}, 200, 200, {"locked": True}),
        ({"limited": True}, 200, 200, {"limited": True}),
        ({"suspended": True}, 404, 200, {"suspended": True, "display_name": "", "note": ""}),
        ({"deleted": True}, 404, 404, {"error": "Record not found"}),
        ({"note": "#nobot"}, 200, 200, {"note": "<p>#nobot</p>"}),
        ({"username": "renamed"}, 200, 200, {"acct": "renamed"}),
    ],
)
def test_authors_change_while_it_runs(
    changes: dict[str, Any],
    post_status: int,
    account_status: int,
    account: dict[str, Any],
    mastodon_town: Town,
) -> None:
    post = first_with_fate(mastodon_town, "kept")
    with EmbeddedInstance(mastodon_town) as instance:
        instance.edit_author(post.author.account_id, **changes)
        guest = Guest(instance)
        assert guest.get(f"/api/v1/statuses/{post.post_id}").status_code == post_status
        answer = guest.get(f"/api/v1/accounts/{post.author.account_id}")
        assert answer.status_code == account_status
        assert account.items() <= answer.json().items()


def test_what_does_not_exist_is_json_whatever_is_accepted(guest: Guest) -> None:
    guest.session.headers["Accept"] = "text/html"
    answer = guest.get("/api/v1/nothing/here")
    assert (answer.status_code, answer.json()) == (404, {"error": "Not Found"})


def test_a_post_that_cannot_be_read_spoils_its_page(mastodon_town: Town) -> None:
    unreadable = mastodon_town.posts[-1].post_id
    options = MastodonOptions(unreadable_post_id=unreadable)
    with EmbeddedInstance(mastodon_town, options) as instance:
        assert Guest(instance).get(PUBLIC).status_code == 500
        assert Guest(instance).get(f"/api/v1/statuses/{unreadable}").status_code == 500
        assert Guest(instance).get(PUBLIC, max_id=unreadable).status_code == 200


def test_posts_arrive_while_somebody_pages(mastodon_town: Town) -> None:
    with EmbeddedInstance(mastodon_town, MastodonOptions(drifting=2)) as instance:
        posts, lengths = Guest(instance).walk(TAG + "cat")
        ids = [int(post["id"]) for post in posts]
        assert ids == sorted(set(ids), reverse=True), "a cursor sees nothing twice"
        arrived = len(instance.posts) - len(mastodon_town.posts)
        assert arrived == (len(lengths) + 1) // 2, "the empty page is a request as well"


def test_relayed_posts_lead_to_their_own_instance(mastodon_town: Town) -> None:
    post = first_with_fate(mastodon_town, "kept")
    with (
        EmbeddedInstance(mastodon_town) as origin,
        EmbeddedInstance(mastodon_town) as relay,
    ):
        host = origin.url.removeprefix("http://")
        relay.put_post(replace(post, author=replace(post.author, host=host)))
        relayed = Guest(relay).get(f"/api/v1/statuses/{post.post_id}").json()
        assert relayed["account"]["acct"] == f"{post.author.username}@{host}"
        headers = {"Accept": "application/activity+json"}
        note = requests.get(relayed["uri"], headers=headers, timeout=10).json()
        assert note["id"] == relayed["uri"]


def test_it_runs_as_a_program() -> None:
    command = [sys.executable, "-m", "reds_pipeline.demo.instance", "--images-per-class", "4"]
    command += ["--flavour", "mastodon", "--permit-training"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as program:
        assert program.stdout is not None
        address = json.loads(program.stdout.readline())["url"]
        version = requests.get(f"{address}/api/v2/instance", timeout=10).json()["version"]
        robots = requests.get(f"{address}/robots.txt", timeout=10).text
        program.terminate()
        assert program.wait(timeout=10) == 0
    assert version == MastodonOptions().version
    assert "GPTBot" not in robots


# -- the instance and its trends ------------------------------------------------------------------


def test_trends_count_in_strings_and_are_paged_by_offset(guest: Guest) -> None:
    path = "/api/v1/trends/tags"
    first = guest.get(path)
    assert len(first.json()) == 10
    week = first.json()[0]["history"]
    assert len(week) == 7
    assert all(isinstance(value, str) for day in week for value in day.values())
    second = requests.get(first.links["next"]["url"], timeout=10)
    assert not {tag["name"] for tag in first.json()} & {tag["name"] for tag in second.json()}
    deprecated = guest.get("/api/v1/trends")
    assert deprecated.json() == first.json()
    assert "Deprecation" in deprecated.headers


def test_trends_are_twenty_at_most(mastodon_town: Town) -> None:
    tags = tuple(f"fashion{number}" for number in range(30))
    with EmbeddedInstance(mastodon_town) as instance:
        for number, class_name in enumerate(("cat", "dog")):
            arrival = mastodon_town.new_post(class_name, number)
            instance.put_post(replace(arrival, tags=tags))
        assert len(Guest(instance).get("/api/v1/trends/tags", limit=100).json()) == 20


def test_trends_can_be_off(mastodon_town: Town) -> None:
    with EmbeddedInstance(mastodon_town, MastodonOptions(trends=False)) as instance:
        assert Guest(instance).get("/api/v1/trends/tags").json() == []


def test_a_compatible_server_says_its_own_name(mastodon_town: Town) -> None:
    options = MastodonOptions(software="gotosocial", version="0.19.1")
    with EmbeddedInstance(mastodon_town, options) as instance:
        guest = Guest(instance)
        links = guest.get("/.well-known/nodeinfo").json()["links"]
        nodeinfo = requests.get(links[0]["href"], timeout=10).json()
        assert nodeinfo["software"] == {"name": "gotosocial", "version": "0.19.1"}
        assert "gotosocial" in guest.get("/api/v1/instance").json()["version"]


def test_options_of_another_flavour_are_a_mistake(small_town: Town) -> None:
    with pytest.raises(ValueError, match="cannot serve a town of pixelfed"):
        EmbeddedInstance(small_town, MastodonOptions())
