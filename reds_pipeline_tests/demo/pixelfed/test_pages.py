from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC
from email.utils import parsedate_to_datetime

import pytest
from bs4 import BeautifulSoup

from reds_pipeline.demo.instance import EmbeddedInstance
from reds_pipeline.demo.posts import Post
from reds_pipeline.demo.town.town import Town
from reds_pipeline_tests.demo.pixelfed.conftest import (
    ANYTHING,
    JSON,
    Guest,
    find_post,
    is_ordinary,
    permalink,
)

AP_JSON = "application/activity+json"
HTML = "text/html"
PUBLIC = "https://www.w3.org/ns/activitystreams#Public"
Host = Callable[..., EmbeddedInstance]


def metas(page: BeautifulSoup) -> dict[str, str]:
    return {
        str(meta.get("property") or meta.get("name")): str(meta["content"])
        for meta in page.find_all("meta")
        if meta.get("content")
    }


# -- a post as a page ------------------------------------------------------------------------------


def test_a_permalink_has_the_metas_and_no_tags(guest: Guest, small_town: Town) -> None:
    post = find_post(small_town, lambda post: is_ordinary(post) and len(post.attachments) > 1)
    answer = guest.get(permalink(post), HTML)
    page = BeautifulSoup(answer.text, "lxml")
    found, base = metas(page), guest.instance.url
    assert found["og:url"] == base + permalink(post)
    assert found["og:image"] == base + post.attachments[0].path, "the first of the album only"
    assert post.attachments[1].path not in answer.text
    assert found["og:published_time"].endswith("Z")
    assert found["profile:username"] == f"{post.author.username}@{base.partition('//')[2]}"
    component = page.find("post-component")
    assert component is not None
    assert component["status-id"] == post.post_id
    alternate = page.find("link", rel="alternate", type=AP_JSON)
    assert alternate is not None
    assert alternate["href"] == base + permalink(post)
    assert page.find("post-list") is None
    assert "window._sharedData=" in answer.text


def test_a_sensitive_post_shows_its_picture_on_the_page_and_says_nothing(
    guest: Guest, small_town: Town
) -> None:
    post = find_post(small_town, lambda post: post.visibility == "public" and post.sensitive)
    text = guest.get(permalink(post), HTML).text
    assert post.attachments[0].path in text
    assert "sensitive" not in text


@pytest.mark.parametrize("accept", [HTML, ANYTHING, JSON, AP_JSON])
def test_a_post_for_followers_has_no_page(accept: str, guest: Guest, small_town: Town) -> None:
    post = find_post(small_town, lambda post: post.visibility == "private")
    assert guest.get(permalink(post), accept).status_code == 404


def test_a_permalink_under_another_name_is_unknown(guest: Guest, small_town: Town) -> None:
    post = find_post(small_town, is_ordinary)
    other = find_post(small_town, lambda found: found.author != post.author)
    path = f"/p/{other.author.username}/{post.post_id}"
    assert guest.get(path, HTML).status_code == 404
    assert guest.get(path + ".json", ANYTHING).status_code == 404


# -- a post as ActivityPub -------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("suffix", "accept"),
    [("", AP_JSON), ("", JSON), ("", f"{JSON}, {HTML}"), (".json", ANYTHING), (".json", JSON)],
)
def test_a_permalink_becomes_a_note(
    suffix: str, accept: str, guest: Guest, small_town: Town
) -> None:
    post = find_post(small_town, lambda post: is_ordinary(post) and bool(post.tags))
    answer = guest.get(permalink(post) + suffix, accept)
    assert answer.headers["Content-Type"] == AP_JSON
    note = answer.json()
    assert (note["type"], note["id"]) == ("Note", guest.instance.url + permalink(post))
    assert note["to"] == [PUBLIC]
    assert note["attributedTo"] == f"{guest.instance.url}/users/{post.author.username}"
    assert [tag["name"] for tag in note["tag"]] == [f"#{tag}" for tag in post.tags]
    assert len(note["attachment"]) == len(post.attachments)
    assert "image/jpg" not in {file["mediaType"] for file in note["attachment"]}
    assert "license" not in answer.text


def test_only_the_first_value_of_accept_counts(guest: Guest, small_town: Town) -> None:
    post = find_post(small_town, is_ordinary)
    answer = guest.get(permalink(post), f"{HTML}, {AP_JSON}")
    assert answer.headers["Content-Type"].startswith(HTML)


@pytest.mark.parametrize(
    ("wanted", "field", "expected"),
    [
        (lambda post: post.visibility == "unlisted", "cc", [PUBLIC]),
        (lambda post: post.sensitive, "sensitive", True),
        (lambda post: bool(post.spoiler_text), "summary", "needles and a vet"),
    ],
)
def test_a_note_says_what_a_gate_must_see(
    wanted: Callable[[Post], bool], field: str, expected: object, guest: Guest, small_town: Town
) -> None:
    post = find_post(small_town, wanted)
    assert guest.get(permalink(post) + ".json", ANYTHING).json()[field] == expected


@pytest.mark.parametrize(("accept", "status"), [(ANYTHING, 404), (JSON, 500)])
def test_a_deleted_post_is_404_only_for_who_does_not_ask_for_json(
    accept: str, status: int, host: Host, small_town: Town
) -> None:
    instance = host()
    post = find_post(small_town, is_ordinary)
    assert Guest(instance).get(permalink(post) + ".json", accept).status_code == 200
    instance.remove_post(post.post_id)
    answer = Guest(instance).get(permalink(post) + ".json", accept)
    assert answer.status_code == status
    if accept == JSON:
        assert answer.json()["error"].startswith("No query results for model [App\\Status")


def test_the_note_of_a_post_for_followers_is_refused(guest: Guest, small_town: Town) -> None:
    post = find_post(small_town, lambda post: post.visibility == "private")
    assert guest.get(permalink(post) + ".json", ANYTHING).status_code == 403


def test_remote_posts_have_no_note_here(guest: Guest, small_town: Town) -> None:
    remote = next(post for post in small_town.posts if not post.is_local)
    assert guest.get(permalink(remote) + ".json", ANYTHING).status_code == 404


def test_an_author_who_goes_private_takes_the_notes_along(host: Host, small_town: Town) -> None:
    instance = host()
    post = find_post(small_town, is_ordinary)
    instance.edit_author(post.author.account_id, locked=True)
    assert Guest(instance).get(permalink(post) + ".json", ANYTHING).status_code == 403
    assert Guest(instance).get(permalink(post), HTML).status_code == 404


def test_the_note_of_a_suspended_author_is_a_page_with_status_200(
    host: Host, small_town: Town
) -> None:
    instance = host()
    post = find_post(small_town, is_ordinary)
    instance.edit_author(post.author.account_id, suspended=True)
    answer = Guest(instance).get(permalink(post) + ".json", JSON)
    assert answer.status_code == 200
    assert answer.headers["Content-Type"].startswith(HTML)
    assert Guest(instance).get(permalink(post), HTML).status_code == 404


@pytest.mark.parametrize(
    ("changes", "statuses"),
    [
        ({"deleted": True}, (404, 404)),
        ({"username": "renamed"}, (404, 404)),
        ({"indexable": False}, (200, 200)),
    ],
)
def test_what_becomes_of_a_permalink_when_its_author_changes(
    changes: dict[str, object], statuses: tuple[int, int], host: Host, small_town: Town
) -> None:
    instance = host()
    post = find_post(small_town, is_ordinary)
    instance.edit_author(post.author.account_id, **changes)
    guest = Guest(instance)
    answers = (guest.get(permalink(post) + end, ANYTHING) for end in (".json", ""))
    assert tuple(answer.status_code for answer in answers) == statuses


@pytest.mark.parametrize("visibility", ["archived", "direct"])
def test_posts_put_away_are_unknown(visibility: str, host: Host, small_town: Town) -> None:
    instance = host()
    post = find_post(small_town, is_ordinary)
    instance.put_post(replace(post, visibility=visibility))
    for end in (".json", ""):
        assert Guest(instance).get(permalink(post) + end, ANYTHING).status_code == 404


# -- embeds ----------------------------------------------------------------------------------------


def test_an_embed_has_every_picture_and_a_caption_on_request(
    guest: Guest, small_town: Town
) -> None:
    post = find_post(small_town, lambda post: is_ordinary(post) and len(post.attachments) > 1)
    bare = BeautifulSoup(guest.get(permalink(post) + "/embed", HTML).text, "lxml")
    assert len(bare.find_all("img")) == len(post.attachments)
    assert bare.select_one("span.caption-container") is None
    full = BeautifulSoup(guest.get(permalink(post) + "/embed", HTML, caption="true").text, "lxml")
    caption = full.select_one("span.caption-container")
    assert caption is not None
    assert f"#{post.tags[0]}" in caption.text


@pytest.mark.parametrize(
    "wanted",
    [lambda post: post.sensitive, lambda post: post.visibility in {"unlisted", "private"}],
)
def test_what_must_not_be_embedded_is_an_empty_page_with_status_200(
    wanted: Callable[[Post], bool], guest: Guest, small_town: Town
) -> None:
    answer = guest.get(permalink(find_post(small_town, wanted)) + "/embed", HTML)
    assert answer.status_code == 200
    assert "<img" not in answer.text


def test_an_unknown_embed_is_404(guest: Guest, small_town: Town) -> None:
    post = find_post(small_town, is_ordinary)
    assert guest.get(f"/p/{post.author.username}/12/embed", HTML).status_code == 404


# -- people ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("state", ["suspended", "deleted"])
def test_an_actor_says_suspended_once_the_account_is_closed(
    state: str, host: Host, small_town: Town
) -> None:
    instance = host()
    post = find_post(small_town, is_ordinary)
    guest, path = Guest(instance), f"/users/{post.author.username}"
    assert "suspended" not in guest.get(path, AP_JSON).json()
    instance.edit_author(post.author.account_id, **{state: True})
    closed = guest.get(path, AP_JSON)
    assert (closed.status_code, closed.json()["suspended"]) == (200, True)
    assert guest.get(path, HTML).status_code == 404
    assert guest.get(f"/{post.author.username}", HTML).status_code == 404


def test_an_actor_says_whether_it_is_private(guest: Guest, small_town: Town) -> None:
    locked = next(post.author for post in small_town.posts if post.author.locked)
    actor = guest.get(f"/users/{locked.username}", AP_JSON).json()
    assert actor["manuallyApprovesFollowers"] is True
    profile = guest.get(f"/{locked.username}", HTML)
    assert profile.status_code == 200
    page = BeautifulSoup(profile.text, "lxml")
    assert metas(page)["robots"] == "noindex, nofollow"
    assert page.find("profile") is None


def test_a_profile_has_no_posts_and_points_to_the_feeds(guest: Guest, small_town: Town) -> None:
    author = find_post(small_town, is_ordinary).author
    page = BeautifulSoup(guest.get(f"/{author.username}", HTML).text, "lxml")
    profile = page.find("profile")
    assert profile is not None
    assert '"crawlable": true' in str(profile[":profile-settings"])
    assert "robots" not in metas(page)
    kinds = {str(link["type"]) for link in page.find_all("link", rel="alternate")}
    assert kinds == {"application/atom+xml", AP_JSON}
    assert page.find("img") is None


def test_asking_for_json_turns_a_profile_into_an_actor(guest: Guest, small_town: Town) -> None:
    author = find_post(small_town, is_ordinary).author
    assert guest.get(f"/{author.username}", JSON).json()["type"] == "Person"
    assert guest.get(f"/users/{author.username}", HTML).status_code == 302


@pytest.mark.parametrize("accept", [HTML, AP_JSON])
@pytest.mark.parametrize("path", ["/users/nobody", "/nobody", "/users/nobody.atom"])
def test_who_never_posted_is_unknown(path: str, accept: str, guest: Guest) -> None:
    assert guest.get(path, accept).status_code == 404


def test_the_outbox_counts_and_never_lists(guest: Guest, small_town: Town) -> None:
    author = find_post(small_town, is_ordinary).author
    outbox = guest.get(f"/users/{author.username}/outbox", AP_JSON).json()
    assert outbox["totalItems"] == sum(
        post.author == author and post.visibility == "public" and post.reblog_of is None
        for post in small_town.posts
    )
    assert "orderedItems" not in outbox


def test_the_atom_feed_has_ten_entries_at_most(guest: Guest, small_town: Town) -> None:
    author = max(
        (post.author for post in small_town.posts if is_ordinary(post) and post.is_local),
        key=lambda author: (
            not author.suspended,
            sum(p.author == author for p in small_town.posts),
        ),
    )
    answer = guest.get(f"/users/{author.username}.atom", ANYTHING)
    assert answer.headers["Content-Type"].startswith("application/atom+xml")
    entries = BeautifulSoup(answer.text, "xml").find_all("entry")
    assert 1 <= len(entries) <= 10
    newest = find_post(
        small_town, lambda post: post.author == author and post.visibility == "public"
    )
    identifier = entries[0].find("id")
    assert identifier is not None
    assert identifier.text == guest.instance.url + permalink(newest)
    assert entries[0].find("content", type="html") is not None
    modified = parsedate_to_datetime(answer.headers["Last-Modified"])
    assert modified == newest.created_at.astimezone(UTC).replace(microsecond=0)


def test_the_atom_feed_includes_sensitive_posts(host: Host, small_town: Town) -> None:
    instance = host()
    post = find_post(small_town, is_ordinary)
    instance.put_post(replace(post, sensitive=True))
    feed = Guest(instance).get(f"/users/{post.author.username}.atom", ANYTHING).text
    assert post.attachments[0].path in feed


def test_private_accounts_have_no_atom_feed(guest: Guest, small_town: Town) -> None:
    locked = next(post.author for post in small_town.posts if post.author.locked)
    assert guest.get(f"/users/{locked.username}.atom", ANYTHING).status_code == 404


# -- the rest --------------------------------------------------------------------------------------


def test_a_hashtag_has_a_page_where_guests_may_see_it(guest: Guest, host: Host) -> None:
    page = BeautifulSoup(guest.get("/discover/tags/cat", HTML).text, "lxml")
    component = page.find("hashtag-component")
    assert component is not None
    assert int(str(component["hashtag-count"])) > 10
    assert page.find("img") is None
    assert guest.get("/discover/tags/sale", HTML).status_code == 404
    assert Guest(host()).get("/discover/tags/cat", HTML).status_code == 403


def test_the_app_sends_guests_to_the_permalink_or_to_the_login(
    guest: Guest, small_town: Town
) -> None:
    post = find_post(small_town, is_ordinary)
    to_post = guest.get(f"/i/web/post/{post.post_id}", HTML)
    assert to_post.headers["Location"] == guest.instance.url + permalink(post)
    assert guest.get("/i/web/timeline/local", HTML).headers["Location"].endswith("/login")


def test_the_front_page_says_what_the_instance_is(guest: Guest) -> None:
    assert "window.pfl={" in guest.get("/", HTML).text
