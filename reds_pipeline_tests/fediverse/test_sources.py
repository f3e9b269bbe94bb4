from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from reds_pipeline.demo.instance import EmbeddedInstance
from reds_pipeline.demo.mastodon.options import (
    PERMISSIVE_ROBOTS_TXT,
    FeedAccess,
    MastodonOptions,
)
from reds_pipeline.demo.pixelfed.options import InstanceOptions
from reds_pipeline.demo.town.town import Town
from reds_pipeline.demo.wiretap import RequestRecord
from reds_pipeline.fediverse.collection import Collected, Known, collect_posts
from reds_pipeline.fediverse.hosts import HostProfile, Verdict, probe
from reds_pipeline.fediverse.sources import has_guest_feed, public_posts, tag_posts
from reds_pipeline.fediverse.timelines import Page, PagingRules
from reds_pipeline.fediverse.web.client import ApiClient
from reds_pipeline.fediverse.web.failures import AuthenticationRequired, HostError, HostRefused
from reds_pipeline.storage.journal import Journal
from reds_pipeline_tests.fediverse.makers import (
    IMPATIENT,
    MASTODON,
    PIXELFED,
    TOKEN,
    entity,
    reader,
)
from reds_pipeline_tests.fediverse.scripted_host import (
    NOT_FOUND,
    Asked,
    Reply,
    ScriptedHost,
    as_json,
)

RULES = PagingRules()
# Everything that a guest may have, but the timeline of the tag.
GUESTS = replace(
    MASTODON,
    tag_timeline="needs_token",
    tag_feed="anonymous",
    post_batch="anonymous",
    post="anonymous",
)


@pytest.fixture
def server() -> Iterator[ScriptedHost]:
    with ScriptedHost(lambda _asked: as_json([])) as running:
        yield running


@pytest.mark.parametrize(
    ("profile", "token"),
    [(PIXELFED, TOKEN), (MASTODON, ""), (GUESTS, TOKEN)],
    ids=["Pixelfed with a token", "open Mastodon", "closed Mastodon with a token"],
)
def test_the_timeline_is_the_first_choice(
    server: ScriptedHost, profile: HostProfile, token: str
) -> None:
    with ApiClient(server.url, token, pace=IMPATIENT) as client:
        list(public_posts(client, profile, start="9", rules=RULES))
        list(tag_posts(client, profile, "cat", start="9", rules=RULES))
    asked = [asked for asked in server.asked if asked.path.startswith("/api/")]
    assert asked[0].path == "/api/v1/timelines/public"
    assert asked[-1].path == "/api/v1/timelines/tag/cat"
    assert {one.query["max_id"] for one in (asked[0], asked[-1])} >= {"9"}
    assert ("Authorization" in asked[0].headers) is bool(token)


@pytest.mark.parametrize(
    ("profile", "why"),
    [
        (PIXELFED, "guest hashtags are off by default"),
        (replace(PIXELFED, tag_feed="needs_token"), "a feed that guests may not read"),
        (replace(GUESTS, post_batch="needs_token", post="needs_token"), "posts are for users"),
        (replace(GUESTS, tag_feed="unavailable"), "no feed"),
    ],
)
def test_without_a_way_in_the_operator_is_told_about_the_token_and_nothing_is_asked(
    server: ScriptedHost, profile: HostProfile, why: str
) -> None:
    with ApiClient(server.url, pace=IMPATIENT) as client:
        with pytest.raises(AuthenticationRequired, match="REDS_HOST_TOKEN"):
            list(tag_posts(client, profile, "cat", start=None, rules=RULES))
        if profile.public_timeline == "needs_token":
            with pytest.raises(AuthenticationRequired, match="REDS_HOST_TOKEN"):
                list(public_posts(client, profile, start=None, rules=RULES))
    assert server.asked == [], why


@pytest.mark.parametrize("token", ["", TOKEN])
def test_what_the_host_gives_to_nobody_is_not_gone_around(server: ScriptedHost, token: str) -> None:
    closed: Verdict = "unavailable"
    profile = replace(GUESTS, public_timeline=closed, tag_timeline=closed)
    with ApiClient(server.url, token, pace=IMPATIENT) as client:
        with pytest.raises(HostRefused, match="its operators"):
            public_posts(client, profile, start=None, rules=RULES)
        with pytest.raises(HostRefused, match="its operators"):
            tag_posts(client, profile, "cat", start=None, rules=RULES)
    assert server.asked == []


@pytest.mark.parametrize(
    ("profile", "usable"),
    [
        (GUESTS, True),
        (replace(GUESTS, post_batch="unavailable"), True),
        (replace(GUESTS, post="needs_token"), True),
        (replace(PIXELFED, tag_feed="anonymous"), True),
        (PIXELFED, False),
        (MASTODON, False),
    ],
)
def test_a_profile_tells_whether_guests_can_have_something(
    profile: HostProfile, usable: bool
) -> None:
    assert has_guest_feed(profile) is usable


def test_pixelfed_guests_read_the_discover_feed(server: ScriptedHost) -> None:
    def answer(asked: Asked) -> Reply:
        if asked.path != "/api/v2/discover/tag":
            return NOT_FOUND
        return as_json({"tags": [{"status": entity(asked.query["page"])}]})

    server.answer = answer
    profile = replace(PIXELFED, tag_feed="anonymous")
    with ApiClient(server.url, pace=IMPATIENT) as client:
        pages = list(tag_posts(client, profile, "cat", start=None, rules=PagingRules(max_pages=3)))
    assert [page.entities[0]["id"] for page in pages] == ["1", "2", "3"]
    assert server.paths()[1:] == ["/api/v2/discover/tag"] * 3


@pytest.fixture(scope="module")
def town() -> Town:
    return Town.build(images_per_class=120, flavour="mastodon")


def ids(pages: list[Page]) -> list[str]:
    return [post["id"] for page in pages for post in page.entities]


def walked(instance: EmbeddedInstance, start: str | None = None) -> list[Page]:
    with ApiClient(instance.url) as client:
        return list(tag_posts(client, probe(client), "cats", start=start, rules=RULES))


@pytest.mark.req("R-SCR-2")
@pytest.mark.parametrize("version", ["4.4.8", "4.2.0"], ids=["in batches", "one by one"])
def test_a_closed_mastodon_shows_guests_the_same_local_posts_through_its_feed(
    town: Town, version: str
) -> None:
    open_host = MastodonOptions(robots_txt=PERMISSIVE_ROBOTS_TXT)
    closed = FeedAccess.everywhere("authenticated")
    with EmbeddedInstance(town, open_host) as instance:
        truth = ids(walked(instance))
    with EmbeddedInstance(town, replace(open_host, version=version, access=closed)) as instance:
        pages = walked(instance)
        asked = [record.path for record in instance.requests]
        below = walked(instance, start=truth[4])
    assert len(truth) > 20
    assert ids(pages) == truth
    assert ids(below) == truth[5:]
    assert not any(page.exhausted for page in pages), "a feed says nothing about the end"
    assert [page.cursor for page in pages] == [page.entities[-1]["id"] for page in pages]
    batches = asked.count("/api/v1/statuses") - 1
    assert batches == (len(pages) if version == "4.4.8" else 0)


def test_pixelfed_shows_guests_a_part_of_what_its_timeline_shows() -> None:
    options = InstanceOptions(public_hashtags=True)
    with EmbeddedInstance(Town.build(images_per_class=120), options) as instance:
        shown = ids(walked(instance))
        closed = [record for record in instance.requests if record.has_authorization]
        with ApiClient(instance.url, instance.token) as client:
            pages = tag_posts(client, probe(client), "cats", start=None, rules=RULES)
            timeline = [post["id"] for page in pages for post in page.entities]
    assert len(shown) > 9
    assert set(shown) < set(timeline)
    assert not set(shown) & set(timeline[:9]), "the newest rows are never shown"
    assert closed == []


@pytest.mark.parametrize(
    "options",
    [
        MastodonOptions(access=FeedAccess.everywhere("authenticated")),
        MastodonOptions(access=FeedAccess.everywhere("disabled")),
        MastodonOptions(disallow_unauthenticated=True),
        MastodonOptions(limited_federation=True),
    ],
    ids=["authenticated", "disabled", "no guests in the API", "limited federation"],
)
def test_a_mastodon_that_says_no_to_guests_is_obeyed(town: Town, options: MastodonOptions) -> None:
    options = replace(options, robots_txt=PERMISSIVE_ROBOTS_TXT)
    with EmbeddedInstance(town, options) as instance:
        with pytest.raises(HostError, match=r"REDS_HOST_TOKEN|operators"):
            walked(instance)
        assert not any(_gave_posts(record) for record in instance.requests)


def _gave_posts(record: RequestRecord) -> bool:
    """Say whether an answer can have held posts; the probe's question about none does not."""
    asked_for_some = record.query != "id%5B%5D=1"
    return record.status == 200 and (
        record.path.startswith("/api/v1/timelines/")
        or (record.path.startswith("/api/v1/statuses") and asked_for_some)
    )


def test_a_collection_through_a_guest_feed_goes_on_where_it_was(town: Town, tmp_path: Path) -> None:
    options = MastodonOptions(
        version="4.4.8",
        access=FeedAccess.everywhere("authenticated"),
        robots_txt=PERMISSIVE_ROBOTS_TXT,
    )
    with EmbeddedInstance(town, options) as instance, ApiClient(instance.url) as client:
        profile = probe(client)

        def collected(known: Known | None) -> Collected:
            instance.reset_requests()
            return collect_posts(
                client,
                profile,
                tags=["cats"],
                reader=reader(client.host),
                wanted_images=10_000,
                journal=Journal(tmp_path / "journal.jsonl"),
                known=known,
            )

        first = collected(None)
        Journal(tmp_path / "journal.jsonl").delete()
        newest = max(instance.posts, key=lambda post: int(post.post_id))
        added = next(post for post in instance.posts if "cats" in post.tags and post.is_local)
        new_id = str(int(newest.post_id) + 1)
        instance.put_post(replace(added, post_id=new_id))
        second = collected(Known(first.rows, first.cursors))
        asked = [record.path for record in instance.requests]
    assert not any(cursor.exhausted for cursor in first.cursors)
    assert second.new_posts == 1
    assert len(second.cursors) == 1, "the new post and what was there are one stretch"
    assert second.cursors[0].oldest_id == first.cursors[0].oldest_id
    assert asked.count("/api/v1/statuses") <= 1 + asked.count("/tags/cats.rss")
