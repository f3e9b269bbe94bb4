"""The posts that a running instance holds at the moment: a town's posts, plus and minus changes."""

from __future__ import annotations

import threading
from collections.abc import Iterable

from reds_pipeline.demo.posts import Attachment, Author, Post


class LivePosts:
    """A changeable, thread-safe collection of posts with look-up by id, author and file path."""

    def __init__(self, posts: Iterable[Post]) -> None:
        """Begin with these posts."""
        self._lock = threading.Lock()
        self._posts = {post.post_id: post for post in posts}
        self._files: dict[str, Attachment] = {}
        self._index_files()

    def _index_files(self) -> None:
        self._files = {
            attachment.path: attachment
            for post in self._posts.values()
            for attachment in post.attachments
        }

    def all(self) -> tuple[Post, ...]:
        """Return every post, in no particular order."""
        with self._lock:
            return tuple(self._posts.values())

    def put(self, post: Post) -> None:
        """Add a post, or edit the one that has its id."""
        with self._lock:
            self._posts[post.post_id] = post
            self._index_files()

    def remove(self, post_id: str) -> None:
        """Delete a post and its files; unknown ids are ignored."""
        with self._lock:
            self._posts.pop(post_id, None)
            self._index_files()

    def post(self, post_id: str) -> Post | None:
        """Return the post with this id, ``None`` if there is none."""
        with self._lock:
            return self._posts.get(post_id)

    def local_author(self, username: str) -> Author | None:
        """Return the local account with this name if it has posted, ``None`` otherwise."""
        for post in self.all():
            if post.is_local and post.author.username == username:
                return post.author
        return None

    def attachment(self, path: str) -> Attachment | None:
        """Return the attachment whose file has this path, ``None`` if there is none."""
        with self._lock:
            return self._files.get(path)
