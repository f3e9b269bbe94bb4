"""Instances of the small town for the tests of the Pixelfed flavour."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from typing import Any

import pytest
import requests

from reds_pipeline.demo.instance import EmbeddedInstance
from reds_pipeline.demo.pixelfed.application import InstanceOptions
from reds_pipeline.demo.posts import Post
from reds_pipeline.demo.town.town import Town

ANYTHING = "*/*"
JSON = "application/json"


class Guest:
    """Somebody without a token, who says at each request what they want to get."""

    def __init__(self, instance: EmbeddedInstance) -> None:
        self.instance = instance
        self.session = requests.Session()

    def get(self, path: str, accept: str = JSON, **parameters: Any) -> requests.Response:
        return self.session.get(
            self.instance.url + path,
            params=parameters,
            headers={"Accept": accept},
            allow_redirects=False,
            timeout=10,
        )


@pytest.fixture(scope="session")
def open_house(small_town: Town) -> Iterator[EmbeddedInstance]:
    """An instance that shows guests all an operator can show; not to be changed."""
    options = InstanceOptions(
        public_hashtags=True, public_discover=True, banned_hashtags=frozenset({"SALE"})
    )
    with EmbeddedInstance(small_town, options) as instance:
        yield instance


@pytest.fixture
def guest(open_house: EmbeddedInstance) -> Guest:
    return Guest(open_house)


@pytest.fixture
def host(small_town: Town) -> Iterator[Callable[..., EmbeddedInstance]]:
    """Start instances of one's own: ``host(drifting=2)``."""
    with ExitStack() as running:

        def start(**options: Any) -> EmbeddedInstance:
            return running.enter_context(EmbeddedInstance(small_town, InstanceOptions(**options)))

        yield start


def find_post(town: Town, wanted: Callable[[Post], bool]) -> Post:
    """Return the newest local post of a town by an open account that a test wants."""
    return next(
        post
        for post in reversed(town.posts)
        if post.is_local
        and not post.author.suspended
        and not post.author.locked
        and post.reblog_of is None
        and wanted(post)
    )


def is_ordinary(post: Post) -> bool:
    """Whether a post is one that anybody may see."""
    return post.visibility == "public" and not post.sensitive and not post.spoiler_text


def permalink(post: Post) -> str:
    """Return the path of a post's page."""
    return f"/p/{post.author.username}/{post.post_id}"
