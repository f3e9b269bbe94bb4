"""What every part of the Pixelfed flavour needs to answer: the town, its posts, the options.

Belongs here: look-ups that several parts share, and posts that arrive while somebody pages.
"""

from __future__ import annotations

import threading
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from starlette.responses import JSONResponse, Response

from reds_pipeline.demo.live_posts import LivePosts
from reds_pipeline.demo.pixelfed.answers import refuse
from reds_pipeline.demo.pixelfed.entities import post_entity
from reds_pipeline.demo.pixelfed.options import InstanceOptions
from reds_pipeline.demo.posts import Author, Post
from reds_pipeline.demo.town import Town

_FIRST_ARRIVAL = 1000


@dataclass(frozen=True)
class Site:
    """The instance as its parts see it.

    Attributes:
        town: Gives the bytes of the files.
        posts: What the instance holds now.
        options: Behaviour.
        base_url: The instance's own address, without a slash at the end.
    """

    town: Town
    posts: LivePosts
    options: InstanceOptions
    base_url: str

    def post(self, post_id: str) -> Post | None:
        """Return a post that is still there, ``None`` otherwise."""
        found = self.posts.post(post_id)
        return None if found is None or found.author.deleted else found

    def account(self, account_id: str) -> Author | None:
        """Return the account with this id if it has posted, ``None`` otherwise."""
        for post in self.posts.all():
            if post.author.account_id == account_id:
                return post.author
        return None

    def require_readable(self, posts: Sequence[Post]) -> None:
        """Fail as the server fails when one of the posts cannot be read (500)."""
        if any(post.post_id == self.options.unreadable_post_id for post in posts):
            refuse(500)

    def entities(self, posts: Sequence[Post], *, pixelfed_shape: bool) -> list[dict[str, Any]]:
        """Return posts as JSON for the owner of the token."""
        self.require_readable(posts)
        return [post_entity(post, self.base_url, pixelfed_shape=pixelfed_shape) for post in posts]

    def guest_entities(self, posts: Sequence[Post]) -> list[dict[str, Any]]:
        """Return posts as JSON for somebody without an account: always in full."""
        self.require_readable(posts)
        return [
            post_entity(post, self.base_url, pixelfed_shape=True, to_guest=True) for post in posts
        ]

    def page(self, entities: Sequence[Any], link: str | None = None) -> Response:
        """Return a page of a feed."""
        return JSONResponse(list(entities), headers={"Link": link} if link else None)


class Arrivals:
    """Publishes a new post at every so many timeline requests."""

    def __init__(self, site: Site) -> None:
        """Count from zero; ``InstanceOptions.drifting`` says how often."""
        self._site = site
        self._lock = threading.Lock()
        self._requests = 0

    def note_request(self) -> None:
        """Count a timeline request, and publish a post before it is answered when it is time."""
        every = self._site.options.drifting
        if every is None:
            return
        with self._lock:
            self._requests += 1
            count, remainder = divmod(self._requests, every)
        if remainder == 0:
            class_names = self._site.town.class_names
            class_name = class_names[count % len(class_names)]
            self._site.posts.put(self._site.town.new_post(class_name, _FIRST_ARRIVAL + count))
