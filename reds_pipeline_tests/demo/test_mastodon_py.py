"""Both flavours must satisfy Mastodon.py, a client that we did not write."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from typing import Literal

import pytest
from mastodon import Mastodon
from mastodon.errors import (
    MastodonAPIError,
    MastodonNotFoundError,
    MastodonRatelimitError,
    MastodonUnauthorizedError,
    MastodonWarning,
)

from reds_pipeline.demo.instance import EmbeddedInstance
from reds_pipeline.demo.mastodon.options import FeedAccess, MastodonOptions
from reds_pipeline.demo.mastodon.rate_limits import RateLimits
from reds_pipeline.demo.posts import Flavour
from reds_pipeline.demo.town.town import Town


def client_of(instance: EmbeddedInstance, token: str | None = None) -> Mastodon:
    return Mastodon(
        api_base_url=instance.url,
        access_token=token,
        version_check_mode="none",
        ratelimit_method="throw",
    )


@pytest.fixture(scope="module", params=["pixelfed", "mastodon"])
def flavour(request: pytest.FixtureRequest) -> Flavour:
    chosen: Flavour = request.param
    return chosen


@pytest.fixture(scope="module")
def town(flavour: Flavour) -> Town:
    return Town.build(images_per_class=6, flavour=flavour)


@pytest.fixture(scope="module")
def instance(town: Town) -> Iterator[EmbeddedInstance]:
    with EmbeddedInstance(town) as running:
        yield running


@pytest.fixture
def client(instance: EmbeddedInstance) -> Mastodon:
    return client_of(instance, instance.token)


def test_it_reads_the_instance(client: Mastodon, instance: EmbeddedInstance) -> None:
    assert instance.url.endswith(client.instance_v1()["uri"])
    assert instance.url.endswith(client.instance_v2()["domain"])
    assert client.account_verify_credentials()["username"] == "collector"


def test_it_pages_through_the_public_timeline_by_its_links(
    client: Mastodon, town: Town, flavour: Flavour
) -> None:
    ids: list[str] = []
    page = client.timeline_public(limit=40)
    # Pixelfed announces a next page on the last one, so that the end is an empty page.
    while page:
        ids += [str(post["id"]) for post in page]
        page = client.fetch_next(page)
    assert len(ids) == len(set(ids))
    public = {
        post.post_id
        for post in town.posts
        if post.visibility == "public" and not post.author.suspended
    }
    assert set(ids) <= public
    assert len(ids) > 0.8 * len(public)


def test_it_pages_through_a_hashtag(client: Mastodon, town: Town, flavour: Flavour) -> None:
    ids: list[str] = []
    page = client.timeline_hashtag("cat", limit=5)
    while page:
        ids += [str(post["id"]) for post in page]
        page = client.timeline_hashtag("cat", limit=5, max_id=page[-1]["id"])
    served = {truth.post_id for truth in town.truth if truth.served and "cat" in truth.class_names}
    spelt = {post.post_id for post in town.posts if "cat" in {tag.casefold() for tag in post.tags}}
    assert set(ids) == served & spelt
    assert len(ids) == len(set(ids))


def test_it_reads_a_post(client: Mastodon, town: Town) -> None:
    path = sorted(town.paths_with_fate("kept"))[0]
    expected = next(post for post in town.posts if path in {file.path for file in post.attachments})
    status = client.status(expected.post_id)
    assert status["created_at"] == expected.created_at
    assert status["account"]["username"] == expected.author.username
    assert status["media_attachments"][0]["url"].endswith(path)


def test_it_is_told_that_a_post_is_missing(client: Mastodon) -> None:
    with pytest.raises(MastodonNotFoundError):
        client.status("1")


@pytest.fixture(scope="module")
def open_town() -> Town:
    return Town.build(images_per_class=6, flavour="mastodon")


def test_it_sweeps_posts_in_batches_as_a_guest(open_town: Town) -> None:
    with EmbeddedInstance(open_town) as running:
        guest = client_of(running)
        known = [post["id"] for post in guest.timeline_public(limit=5)]
        running.remove_post(str(known[2]))
        found = [post["id"] for post in guest.statuses(known)]
        assert found == known[:2] + known[3:]


def test_it_reads_the_trends_of_a_mastodon_only(client: Mastodon, flavour: Flavour) -> None:
    if flavour == "pixelfed":
        with pytest.raises(MastodonNotFoundError):
            client.trending_tags()
        return
    trends = client.trending_tags(limit=3)
    assert len(trends) == 3
    assert len(trends[0]["history"]) == 7


def test_it_foresees_from_the_instance_document_that_a_timeline_is_closed(open_town: Town) -> None:
    options = MastodonOptions(access=FeedAccess.everywhere("authenticated"))
    with EmbeddedInstance(open_town, options) as running:
        foreseen = pytest.warns(MastodonWarning, match="appears to be unavailable")
        with foreseen, pytest.raises(MastodonAPIError, match="422"):
            client_of(running).timeline_public()
        with pytest.raises(MastodonUnauthorizedError):
            client_of(running, "wrong").timeline_public()
        assert client_of(running, running.token).timeline_public()


def test_it_sees_the_rate_limit_coming_and_stops_at_it(open_town: Town) -> None:
    # It reads the instance document on its own account, so that only differences are known.
    limits = RateLimits(requests=6, window_seconds=10**9)
    with EmbeddedInstance(open_town, MastodonOptions(rate_limits=limits)) as running:
        client = client_of(running)
        client.trending_tags(limit=1)
        before = client.ratelimit_remaining
        client.trending_tags(limit=1)
        assert (client.ratelimit_limit, client.ratelimit_remaining) == (6, before - 1)
        with pytest.raises(MastodonRatelimitError):
            for _ in range(6):
                client.trending_tags(limit=1)


@pytest.mark.parametrize("reset_style", ["iso8601", "epoch"])
def test_it_waits_for_the_end_of_a_window_as_it_is_told(
    reset_style: Literal["iso8601", "epoch"], open_town: Town
) -> None:
    limits = RateLimits(requests=2, window_seconds=1, reset_style=reset_style)
    with EmbeddedInstance(open_town, MastodonOptions(rate_limits=limits)) as running:
        client = client_of(running)
        client.ratelimit_method = "wait"
        answers = [client.trending_tags(limit=1) for _ in range(4)]
        assert all(len(answer) == 1 for answer in answers)
        statuses = Counter(record.status for record in running.requests if "trends" in record.path)
        assert statuses[200] == 4
        assert statuses[429], "four requests do not fit into a window of two"
