"""Mastodon's trending hashtags, counted over the town (fediverse.md 3.1).

Belongs here: a pure function to the entities. Real trends are approved by moderators one by one;
here every hashtag that several people use is.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from reds_pipeline.demo.mastodon.feeds import normalised
from reds_pipeline.demo.posts import Post

_DAYS = 7
_FEWEST_AUTHORS = 2


def trending_tags(posts: Sequence[Post], base_url: str) -> list[dict[str, Any]]:
    """Return all trending hashtags, most authors first, with a week of history.

    The week ends with the newest post, so that a town of any date has trends. Days and counts are
    strings, as on real servers; names keep the case in which most people write them.
    """
    public = [post for post in posts if post.visibility == "public" and not post.author.suspended]
    if not public:
        return []
    last_day = max(post.created_at for post in public).replace(
        hour=0, minute=0, second=0, microsecond=0, tzinfo=UTC
    )
    spellings: dict[str, Counter[str]] = defaultdict(Counter)
    days: dict[str, dict[int, list[str]]] = defaultdict(lambda: defaultdict(list))
    for post in public:
        age = (last_day + timedelta(days=1) - post.created_at) // timedelta(days=1)
        for tag in post.tags:
            spellings[normalised(tag)][tag] += 1
            if age < _DAYS:
                days[normalised(tag)][age].append(post.author.account_id)
    ranked = sorted(
        (
            (len({author for who in week.values() for author in who}), tag)
            for tag, week in days.items()
        ),
        key=lambda entry: (-entry[0], entry[1]),
    )
    return [
        {
            "id": str(position + 1),
            "name": spellings[tag].most_common(1)[0][0],
            "url": f"{base_url}/tags/{tag}",
            "history": [
                _day(last_day - timedelta(days=age), days[tag][age]) for age in range(_DAYS)
            ],
        }
        for position, (authors, tag) in enumerate(ranked)
        if authors >= _FEWEST_AUTHORS
    ]


def _day(day: datetime, authors: Sequence[str]) -> dict[str, str]:
    return {
        "day": str(int(day.timestamp())),
        "uses": str(len(authors)),
        "accounts": str(len(set(authors))),
    }
