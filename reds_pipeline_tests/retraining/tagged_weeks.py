"""Posts of made-up weeks in which a planned share of the hashtags is replaced by new ones."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np

from reds_pipeline.retraining.tag_samples import tag_sample
from reds_pipeline.storage.clock import as_text

START = datetime(2026, 1, 5, tzinfo=UTC)
NAMES, FAVOURITES = 200, 2

Row = dict[str, Any]


def posts_of_weeks(
    weeks: int, half_life_days: float | None, *, posts: int = 250, authors: int = 120, seed: int = 0
) -> list[list[Row]]:
    """Return the posts of each week; people come back, and have favourite hashtags."""
    generator = np.random.default_rng(seed)
    weights = 1 / np.arange(1, NAMES + 1) ** 1.1
    weights /= weights.sum()
    favourites = generator.choice(NAMES, (authors, FAVOURITES), p=weights)
    labels = np.array([f"n{number}" for number in range(NAMES)], dtype=object)
    found = []
    for week in range(weeks):
        if week and half_life_days:
            replaced = np.flatnonzero(generator.random(NAMES) > 0.5 ** (7 / half_life_days))
            labels[replaced] = [f"n{week}-{number}" for number in replaced]
        writers = generator.integers(authors, size=posts)
        drawn = generator.choice(NAMES, (posts, 2), p=weights)
        found.append(
            [
                {
                    "status": "kept",
                    "author_key": f"author {writer}",
                    "created_at": as_text(START + timedelta(days=7 * week, minutes=number)),
                    "collected_at": as_text(START + timedelta(days=7 * week + 1)),
                    "tags": list(labels[[*picked, favourites[writer, 0]]]),
                }
                for number, (writer, picked) in enumerate(zip(writers, drawn, strict=True))
            ]
        )
    return found


def samples_of_weeks(weeks: int, half_life_days: float | None, **plan: int) -> list[list[Row]]:
    """Return the kept sample of each week."""
    return [
        tag_sample(posts, own_lemmas(posts), posts[0]["collected_at"])
        for posts in posts_of_weeks(weeks, half_life_days, **plan)
    ]


def own_lemmas(posts: list[Row]) -> dict[str, list[str]]:
    """Return every hashtag as its own lemma."""
    return {tag: [tag] for post in posts for tag in post["tags"]}
