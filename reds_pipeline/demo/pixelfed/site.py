"""What every part of the Pixelfed flavour needs to answer: the town, its posts, the options.

Belongs here: look-ups and forms of answers that several parts share.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from starlette.exceptions import HTTPException
from starlette.responses import JSONResponse, Response

from reds_pipeline.demo.live_posts import LivePosts
from reds_pipeline.demo.pixelfed.entities import post_entity
from reds_pipeline.demo.pixelfed.options import InstanceOptions
from reds_pipeline.demo.posts import Post
from reds_pipeline.demo.town.town import Town


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

    def require_readable(self, posts: Sequence[Post]) -> None:
        """Fail as the server fails when one of the posts cannot be read (500)."""
        if any(post.post_id == self.options.unreadable_post_id for post in posts):
            raise HTTPException(500, "Server Error")

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
