"""A small town and a running instance of it, shared by the tests that only look at them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
import requests

from reds_pipeline.demo.instance import EmbeddedInstance
from reds_pipeline.demo.town.town import Town


class Visitor:
    """A plain client of an instance, without the care that REDS's own client takes."""

    def __init__(self, instance: EmbeddedInstance) -> None:
        self.instance = instance
        self.session = requests.Session()
        self.session.headers["Accept"] = "application/json"
        self.session.headers["Authorization"] = f"Bearer {instance.token}"

    def get(self, path: str, **parameters: Any) -> requests.Response:
        return self.session.get(
            self.instance.url + path, params=parameters, allow_redirects=False, timeout=10
        )

    def walk(self, path: str, **parameters: Any) -> tuple[list[dict[str, Any]], list[int]]:
        """Return every post of a timeline and the lengths of its pages."""
        posts: list[dict[str, Any]] = []
        lengths: list[int] = []
        cursor: dict[str, str] = {}
        while True:
            page = self.get(path, limit=40, _pe=1, **parameters, **cursor).json()
            if not page:
                return posts, lengths
            lengths.append(len(page))
            posts += page
            cursor = {"max_id": page[-1]["id"]}


@pytest.fixture(scope="session")
def small_town() -> Town:
    return Town.build(images_per_class=12)


@pytest.fixture(scope="session")
def running(small_town: Town) -> Iterator[EmbeddedInstance]:
    with EmbeddedInstance(small_town) as instance:
        yield instance


@pytest.fixture
def visitor(running: EmbeddedInstance) -> Visitor:
    return Visitor(running)
