"""The client within the throttles of a Mastodon instance, written by others from the contract."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Any, Literal

import pytest

from reds_pipeline.demo.instance import EmbeddedInstance
from reds_pipeline.demo.mastodon.options import (
    PERMISSIVE_ROBOTS_TXT,
    FeedAccess,
    MastodonOptions,
)
from reds_pipeline.demo.mastodon.rate_limits import RateLimits
from reds_pipeline.demo.town.town import Town
from reds_pipeline.fediverse.web.client import ApiClient
from reds_pipeline.fediverse.web.failures import AuthenticationRequired, HostRefused
from reds_pipeline.fediverse.web.transport import RequestPace

PUBLIC = "/api/v1/timelines/public"
WINDOW_SECONDS = 30.0
PACE = RequestPace(per_second=None, longest_wait_seconds=960.0)


class Time:
    """The time of server and client alike, which passes where the client waits."""

    def __init__(self) -> None:
        self.slept = 0.0

    def sleep(self, seconds: float) -> None:
        self.slept += seconds

    def __call__(self) -> float:
        return time.time() + self.slept


@pytest.fixture(scope="module")
def town() -> Town:
    return Town.build(images_per_class=4, flavour="mastodon")


@pytest.fixture
def passing() -> Iterator[Time]:
    yield Time()


def instance(town: Town, **options: Any) -> EmbeddedInstance:
    return EmbeddedInstance(
        town, MastodonOptions(**{"robots_txt": PERMISSIVE_ROBOTS_TXT, **options})
    )


@pytest.mark.req("R-SCR-12")
@pytest.mark.parametrize(
    ("style", "foresees", "why"),
    [
        ("iso8601", True, "Mastodon's headers tell it in time"),
        ("epoch", True, "so do GoToSocial's"),
        ("retry_after", False, "told only when it was too much"),
        ("none", False, "never told: our own backoff has to do"),
    ],
)
def test_throttles_cost_time_and_no_answer(
    town: Town,
    passing: Time,
    style: Literal["iso8601", "epoch", "retry_after", "none"],
    foresees: bool,
    why: str,
) -> None:
    limits = RateLimits(requests=8, window_seconds=WINDOW_SECONDS, reset_style=style, clock=passing)
    with (
        instance(town, rate_limits=limits) as running,
        ApiClient(running.url, pace=PACE, sleep=passing.sleep) as client,
    ):
        for _ in range(20):
            assert client.get(PUBLIC, {"limit": 1})
        refused = [record for record in running.requests if record.status == 429]
    assert bool(refused) is not foresees, why
    assert passing.slept > 0


def test_stock_mastodon_says_no_to_training(town: Town) -> None:
    with EmbeddedInstance(town, MastodonOptions()) as running, ApiClient(running.url) as client:
        with pytest.raises(HostRefused, match="gptbot"):
            client.get(PUBLIC)
        assert [record.path for record in running.requests] == ["/robots.txt"]


@pytest.mark.parametrize(
    "options",
    [
        {"access": FeedAccess.everywhere("authenticated")},
        {"disallow_unauthenticated": True},
        {"token_may_read": False},
    ],
    ids=["422", "401", "403"],
)
def test_every_refusal_of_mastodon_asks_for_a_token_once(
    town: Town, options: dict[str, Any]
) -> None:
    with instance(town, **options) as running:
        token = running.token if "token_may_read" in options else ""
        with pytest.raises(AuthenticationRequired, match="REDS_HOST_TOKEN"):
            ApiClient(running.url, token).get(PUBLIC)
        assert len(running.requests) == 2, "robots.txt and one attempt"


def test_posts_are_had_in_batches_and_pages_as_text(town: Town) -> None:
    with instance(town) as running, ApiClient(running.url) as client:
        some = [post["id"] for post in client.get(PUBLIC, {"limit": 3})]
        batch = client.get("/api/v1/statuses", {"id[]": [*some, "1"]})
        assert sorted(post["id"] for post in batch) == sorted(some)
        tag = client.get(PUBLIC, {"limit": 1})[0]["tags"][0]["name"]
        feed = client.document(f"/tags/{tag}.rss", accept="application/rss+xml")
    assert feed.lstrip().startswith("<?xml")
