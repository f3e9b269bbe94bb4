"""The whole package against the demo's instance, written by others from the same contract."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from reds_pipeline.demo.instance import EmbeddedInstance
from reds_pipeline.demo.mastodon.options import MastodonOptions
from reds_pipeline.demo.pixelfed.options import InstanceOptions
from reds_pipeline.demo.posts import Flavour
from reds_pipeline.demo.town.town import Town
from reds_pipeline.fediverse.collection import Collected, Known, collect_posts, sample_public
from reds_pipeline.fediverse.hosts import probe
from reds_pipeline.fediverse.media.download import download_images
from reds_pipeline.fediverse.media.fetcher import MediaFetcher
from reds_pipeline.fediverse.timelines import PagingRules
from reds_pipeline.fediverse.web.client import ApiClient
from reds_pipeline.fediverse.web.failures import AuthenticationRequired
from reds_pipeline.fediverse.web.transport import RequestPace
from reds_pipeline.imaging.examine import ExaminedImage, examine_image
from reds_pipeline.storage.images import ImageStore
from reds_pipeline.storage.journal import Journal
from reds_pipeline_tests.fediverse.makers import KEY, reader

CLASS = "cat"
BAD_FILES = ("truncated", "not_an_image", "animated", "too_many_pixels")
GATES = (
    "not_public",
    "sensitive",
    "spoiler",
    "reply",
    "repost",
    "account_locked",
    "account_opted_out",
    "remote_origin",
)


@pytest.fixture(scope="module")
def town() -> Town:
    return Town.build(images_per_class=20)


@pytest.fixture(scope="module")
def spellings(town: Town) -> tuple[str, ...]:
    """Every hashtag that posts of the class use for it."""
    class_posts = {truth.post_id for truth in town.truth if CLASS in truth.class_names}
    tags = {tag for post in town.posts if post.post_id in class_posts for tag in post.tags}
    return tuple(sorted(tag for tag in tags if CLASS in tag.casefold()))


class Collector:
    """One installation of REDS in a directory, pointed at an instance."""

    def __init__(
        self,
        instance: EmbeddedInstance,
        home: Path,
        tags: tuple[str, ...],
        pace: RequestPace | None = None,
    ) -> None:
        self.instance = instance
        self.home = home
        self.tags = tags
        self.journal = Journal(home / "posts.jsonl")
        self.images = Journal(home / "images.jsonl")
        self.client = ApiClient(instance.url, instance.token, pace=pace)
        self.profile = probe(self.client)
        self.reader = reader(self.client.host)

    def posts(self, known: Known | None = None, journal: Journal | None = None) -> Collected:
        return collect_posts(
            self.client,
            self.profile,
            tags=self.tags,
            reader=self.reader,
            wanted_images=2000,
            journal=journal or self.journal,
            known=known,
        )

    def pictures(
        self, posts: list[dict[str, Any]], known: list[dict[str, Any]], examine: Any = examine_image
    ) -> list[dict[str, Any]]:
        with MediaFetcher(self.instance.url, self.client.politeness) as fetch:
            return download_images(
                posts,
                known,
                fetch=fetch,
                examine=examine,
                store=ImageStore(self.home / "images"),
                journal=self.images,
                key=KEY,
                maximum=2000,
            )


@pytest.fixture(scope="module")
def instance(town: Town) -> Iterator[EmbeddedInstance]:
    with EmbeddedInstance(town) as running:
        yield running


@pytest.fixture
def collector(instance: EmbeddedInstance, tmp_path: Path, spellings: tuple[str, ...]) -> Collector:
    instance.heal()
    made = Collector(instance, tmp_path, spellings)
    instance.reset_requests()
    return made


@pytest.mark.req("R-SCR-3")
@pytest.mark.req("R-SCR-4")
def test_one_class_is_collected_as_the_truth_says(collector: Collector, town: Town) -> None:
    truth = town.expected_fates(CLASS)
    posts = collector.posts()
    assert posts.counts["dropped"] == {fate: truth[fate] for fate in sorted(GATES)}
    images = collector.pictures(posts.rows, [])
    reasons = Counter(row["reason"] for row in images)
    stored = sum(count for fate, count in truth.items() if fate not in (*GATES, *BAD_FILES))
    assert reasons == Counter({"": stored, **{fate: truth[fate] for fate in BAD_FILES}})
    asked = {record.path for record in collector.instance.requests}
    assert asked.isdisjoint(town.paths_with_fate(*GATES, "account_suspended"))
    for record in collector.instance.requests:
        assert record.has_authorization == record.path.startswith("/api/")
        assert record.status == 200


@pytest.mark.req("R-SCR-12")
def test_a_second_run_downloads_nothing_and_asks_once_a_tag(collector: Collector) -> None:
    first = collector.posts()
    images = collector.pictures(first.rows, [])
    collector.journal.delete()
    collector.images.delete()
    collector.instance.reset_requests()
    second = collector.posts(Known(first.rows, first.cursors))
    assert collector.pictures(second.rows, images) == images
    assert second.new_posts == 0
    assert [record.path.rpartition("/")[2] for record in collector.instance.requests] == list(
        collector.tags
    )


class Killed(Exception):
    """Stands for the power cut."""


def test_a_killed_run_is_taken_up_where_it_stopped(collector: Collector) -> None:
    class Fragile(Journal):
        def append(self, record: Any) -> None:
            if len(self.records()) == 2:
                raise Killed
            super().append(record)

    with pytest.raises(Killed):
        collector.posts(journal=Fragile(collector.home / "posts.jsonl"))
    posts = collector.posts()
    examined: list[int] = []

    def fragile(data: bytes) -> ExaminedImage:
        examined.append(len(data))
        if len(examined) > 10:
            raise Killed
        return examine_image(data)

    with pytest.raises(Killed):
        collector.pictures(posts.rows, [], fragile)
    done = {row["url"] for row in collector.images.records()}
    collector.instance.reset_requests()
    images = collector.pictures(posts.rows, [])
    again = {f"{collector.instance.url}{record.path}" for record in collector.instance.requests}
    assert done
    assert done.isdisjoint(again)
    whole = Collector(collector.instance, collector.home / "unbroken", collector.tags)
    unbroken = whole.posts()
    assert {row["post_key"] for row in posts.rows} == {row["post_key"] for row in unbroken.rows}
    expected = whole.pictures(unbroken.rows, [])
    assert {(row["media_key"], row["sha256"], row["reason"]) for row in images} == {
        (row["media_key"], row["sha256"], row["reason"]) for row in expected
    }


@pytest.mark.req("R-TAG-1")
def test_the_sample_is_the_newest_public_posts(collector: Collector) -> None:
    sample = sample_public(
        collector.client,
        collector.profile,
        reader=collector.reader,
        wanted_posts=60,
        journal=collector.journal,
        rules=PagingRules(limit=40),
    )
    assert sample.counts["kept"] == 60
    ids = [int(row["post_id"]) for row in sample.rows if row["status"] == "kept"]
    assert ids == sorted(ids, reverse=True)


@pytest.mark.parametrize("legacy", [True, False])
def test_a_wrong_token_is_a_sentence_and_one_request(town: Town, legacy: bool) -> None:
    with EmbeddedInstance(town, InstanceOptions(legacy_auth_errors=legacy)) as running:
        with pytest.raises(AuthenticationRequired, match="REDS_HOST_TOKEN"):
            probe(ApiClient(running.url, "not the token"))
        asked = [record.path for record in running.requests]
        assert asked.count("/api/v1/accounts/verify_credentials") == 1


def _kept_ids(collected: Collected) -> set[str]:
    return {row["post_id"] for row in collected.rows if row["status"] == "kept"}


def _options(flavour: Flavour, **habits: Any) -> InstanceOptions | MastodonOptions:
    # A stock Mastodon refuses training in its robots.txt; here its operator has agreed.
    if flavour == "mastodon":
        return MastodonOptions(robots_txt=None, **habits)
    return InstanceOptions(**habits)


@pytest.mark.parametrize("flavour", ["pixelfed", "mastodon"])
def test_of_a_post_that_breaks_its_page_nothing_else_is_lost_while_others_arrive(
    flavour: Flavour, tmp_path: Path, spellings: tuple[str, ...]
) -> None:
    town = Town.build(images_per_class=20, flavour=flavour)
    with EmbeddedInstance(town, _options(flavour)) as running:
        healthy = Collector(running, tmp_path / "healthy", spellings).posts()
    expected = sorted(_kept_ids(healthy), key=int)
    broken = expected[len(expected) // 2]
    with EmbeddedInstance(
        town, _options(flavour, unreadable_post_id=broken, drifting=3)
    ) as running:
        at_once = RequestPace(per_second=None, retries=0)
        collector = Collector(running, tmp_path / "broken", spellings, at_once)
        collected = collector.posts()
        collector.journal.delete()
        later = collector.posts(Known(collected.rows, collected.cursors))
    assert _kept_ids(later) >= set(expected) - {broken}
    assert broken not in _kept_ids(later)
    assert collected.unreadable > 0


def test_a_cached_feed_gives_what_it_holds(town: Town, tmp_path: Path) -> None:
    with EmbeddedInstance(town, InstanceOptions(feed_cap=30)) as running:
        collector = Collector(running, tmp_path, ())
        sample = sample_public(
            collector.client,
            collector.profile,
            reader=collector.reader,
            wanted_posts=1000,
            journal=collector.journal,
        )
    assert sample.counts["seen"] <= 30
    assert sample.counts["kept"] > 0
    assert sample.cursors[0].looked_at


def test_windows_in_which_all_rows_are_filtered_are_stepped_over(
    town: Town, tmp_path: Path, spellings: tuple[str, ...]
) -> None:
    with EmbeddedInstance(town) as running:
        whole = Collector(running, tmp_path / "whole", spellings).posts()
    with EmbeddedInstance(town, InstanceOptions(scan_rows=1)) as running:
        narrow = Collector(running, tmp_path / "narrow", spellings).posts()
    assert _kept_ids(narrow) == _kept_ids(whole)
