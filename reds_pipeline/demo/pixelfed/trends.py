"""What is popular on the instance: hashtags and posts.

Belongs here: pure functions over the list of posts (fediverse.md 2.2). The real server keeps its
answers for minutes or hours; these are always fresh. "Now" is the newest post, so that a town of
any date has trends.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterable, Sequence
from datetime import timedelta
from typing import Any

from reds_pipeline.demo.pixelfed.entities import favourites
from reds_pipeline.demo.pixelfed.feeds import is_gone
from reds_pipeline.demo.pixelfed.hashtag_rows import is_banned
from reds_pipeline.demo.posts import Post, snowflake_time

RANGES: dict[str, timedelta] = {
    "daily": timedelta(days=1),
    "monthly": timedelta(days=31),
    "yearly": timedelta(days=365),
}
"""How far back the popular posts reach, by the word of the request."""

_HASHTAG_WINDOW = timedelta(days=14)
_HASHTAGS = 20
_POSTS = 30


def _recent(posts: Sequence[Post], window: timedelta) -> list[Post]:
    if not posts:
        return []
    newest = snowflake_time(max(posts, key=lambda post: int(post.post_id)).post_id)
    return [post for post in posts if newest - snowflake_time(post.post_id) <= window]


def trending_hashtags(
    posts: Sequence[Post], base_url: str, banned: Iterable[str]
) -> list[dict[str, Any]]:
    """Return the hashtags used most in two weeks, over all visibilities and hosts."""
    uses: Counter[str] = Counter()
    spellings: dict[str, str] = {}
    for post in sorted(_recent(posts, _HASHTAG_WINDOW), key=lambda post: int(post.post_id)):
        for name in post.tags:
            spellings.setdefault(name.casefold(), name)
            uses[name.casefold()] += 1
    allowed = [(key, total) for key, total in uses.most_common() if not is_banned(key, banned)]
    return [
        {
            "id": int.from_bytes(hashlib.sha256(key.encode()).digest()[:4]),
            "total": total,
            "name": f"#{spellings[key]}",
            "hashtag": spellings[key],
            "url": f"{base_url}/discover/tags/{key}",
        }
        for key, total in allowed[:_HASHTAGS]
    ]


def trending_posts(posts: Sequence[Post], window: timedelta) -> list[Post]:
    """Return the local public posts that were liked most and are not sensitive."""
    candidates = [
        post
        for post in _recent(posts, window)
        if post.is_local
        and post.visibility == "public"
        and not post.sensitive
        and post.in_reply_to is None
        and post.reblog_of is None
        and post.attachments
        and not is_gone(post.author)
    ]
    return sorted(candidates, key=lambda post: (-favourites(post), post.post_id))[:_POSTS]
