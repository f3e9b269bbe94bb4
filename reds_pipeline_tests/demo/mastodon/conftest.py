"""A small Mastodon town and a running instance of it, shared by the tests that only look."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from reds_pipeline.demo.instance import EmbeddedInstance
from reds_pipeline.demo.mastodon.options import MastodonOptions
from reds_pipeline.demo.mastodon.rate_limits import RateLimits
from reds_pipeline.demo.town.plan import TownPlan
from reds_pipeline.demo.town.town import Town
from reds_pipeline_tests.demo.conftest import Visitor

PUBLIC = "/api/v1/timelines/public"
TAG = "/api/v1/timelines/tag/"
BOUNDLESS = RateLimits(requests=100_000, paging_requests=100_000)
"""For instances that several tests ask, who must not use up each other's allowance."""

ODD_KINDS = TownPlan(
    flood_posts=5,
    videos=1,
    unknown_media=1,
    unicode_spellings=1,
    relayed_copies=1,
    gifvs=1,
    proxied_media=1,
    unfinished_media=1,
    undiscoverable_authors=1,
    noindex_authors=1,
    moved_authors=1,
    memorial_authors=1,
    limited_authors=1,
    text_posts=2,
)


class Guest(Visitor):
    """A visitor without a token."""

    def __init__(self, instance: EmbeddedInstance) -> None:
        super().__init__(instance)
        del self.session.headers["Authorization"]


@pytest.fixture(scope="session")
def mastodon_town() -> Town:
    return Town.build(images_per_class=12, plan=ODD_KINDS, flavour="mastodon")


@pytest.fixture(scope="session")
def mastodon(mastodon_town: Town) -> Iterator[EmbeddedInstance]:
    with EmbeddedInstance(mastodon_town, MastodonOptions(rate_limits=BOUNDLESS)) as instance:
        yield instance


@pytest.fixture
def guest(mastodon: EmbeddedInstance) -> Guest:
    return Guest(mastodon)


@pytest.fixture
def user(mastodon: EmbeddedInstance) -> Visitor:
    return Visitor(mastodon)
