"""What a running instance holds at the moment: a town's posts and authors, plus and minus changes.

Belongs here: looking up and changing. What a change means to a client is the flavour's.
"""

from __future__ import annotations

import threading
from collections.abc import Iterable
from dataclasses import replace
from typing import Any

from reds_pipeline.demo.posts import Attachment, Author, Post


class LivePosts:
    """A changeable, thread-safe collection with look-up by id, author and file.

    Authors stay known when their last post goes, as on a real server.
    """

    def __init__(self, posts: Iterable[Post]) -> None:
        """Begin with these posts."""
        self._lock = threading.Lock()
        self._posts = {post.post_id: post for post in posts}
        self._authors: dict[str, Author] = {}
        self._index()

    def _index(self) -> None:
        """Note what follows from the posts; to be called after each change, under the lock."""
        posts = self._posts.values()
        attachments = [attachment for post in posts for attachment in post.attachments]
        self._files = {attachment.path: attachment for attachment in attachments}
        self._media = {attachment.media_id: attachment for attachment in attachments}
        self._authors |= {post.author.account_id: post.author for post in posts}
        self._usernames = {
            author.username: author.account_id
            for author in self._authors.values()
            if not author.host
        }
        self._newest_first = tuple(sorted(posts, key=lambda post: int(post.post_id), reverse=True))

    def all(self) -> tuple[Post, ...]:
        """Return every post, in no particular order."""
        with self._lock:
            return tuple(self._posts.values())

    def newest_first(self) -> tuple[Post, ...]:
        """Return every post, the highest id first."""
        with self._lock:
            return self._newest_first

    def put(self, post: Post) -> None:
        """Add a post, or edit the one that has its id."""
        with self._lock:
            self._posts[post.post_id] = post
            self._index()

    def remove(self, post_id: str) -> None:
        """Delete a post and its files; unknown ids are ignored."""
        with self._lock:
            self._posts.pop(post_id, None)
            self._index()

    def edit_author(self, account_id: str, **changes: Any) -> Author:
        """Change an author and with it the author of all posts; return the author as it is now.

        Args:
            account_id: Whom to change.
            **changes: Fields of ``Author``. With ``deleted=True`` the posts go as well and the
                account counts as suspended, which is how Pixelfed's actor tells of a deletion.

        Raises:
            KeyError: No such author has posted.
        """
        with self._lock:
            author = replace(self._authors[account_id], **changes)
            if author.deleted:
                author = replace(author, suspended=True)
            self._authors[account_id] = author
            self._posts = {
                post_id: _with_author(post, author)
                for post_id, post in self._posts.items()
                if not (author.deleted and post.author.account_id == account_id)
            }
            self._index()
            return author

    def post(self, post_id: str) -> Post | None:
        """Return the post with this id, ``None`` if there is none."""
        with self._lock:
            return self._posts.get(post_id)

    def author(self, account_id: str) -> Author | None:
        """Return the account with this id if it has ever posted, ``None`` otherwise."""
        with self._lock:
            return self._authors.get(account_id)

    def local_author(self, username: str) -> Author | None:
        """Return the local account with this name if it has ever posted, ``None`` otherwise."""
        with self._lock:
            account_id = self._usernames.get(username)
            return None if account_id is None else self._authors[account_id]

    def author_by_handle(self, handle: str) -> Author | None:
        """Return the account called ``user`` or ``user@host``, ``None`` if there is none."""
        username, _, host = handle.lstrip("@").partition("@")
        with self._lock:
            return next(
                (
                    author
                    for author in self._authors.values()
                    if (author.username, author.host) == (username, host)
                ),
                None,
            )

    def attachment(self, path: str) -> Attachment | None:
        """Return the attachment whose file has this path, ``None`` if there is none."""
        with self._lock:
            return self._files.get(path)

    def media(self, media_id: str) -> Attachment | None:
        """Return the attachment with this id, ``None`` if there is none."""
        with self._lock:
            return self._media.get(media_id)


def _with_author(post: Post, author: Author) -> Post:
    if post.author.account_id == author.account_id:
        post = replace(post, author=author)
    if post.reblog_of is not None and post.reblog_of.author.account_id == author.account_id:
        post = replace(post, reblog_of=replace(post.reblog_of, author=author))
    return post
