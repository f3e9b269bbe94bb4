from __future__ import annotations

import math
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from reds_pipeline.retraining.supply import (
    MOST_WEEKS,
    class_supply,
    rate,
    rate_ratio,
    walked_window,
)
from reds_pipeline.storage.clock import as_text

END = datetime(2026, 3, 1, tzinfo=UTC)

Row = dict[str, Any]


def post(days_ago: float, *, kept: bool = True) -> Row:
    moment = END - timedelta(days=days_ago)
    return {
        "status": "kept" if kept else "gated",
        "created_at": as_text(moment),
        "collected_at": as_text(END),
        "post_id": str(int(moment.timestamp())),
        "kept": kept,
    }


def cursor(posts: list[Row], tag: str = "cat", **changes: Any) -> Row:
    ids = sorted((row["post_id"] for row in posts), key=int)
    return {
        "tag": tag,
        "newest_id": ids[-1],
        "oldest_id": ids[0],
        "exhausted": False,
        "walked_at": as_text(END),
        **changes,
    }


@pytest.mark.req("R-IMP-5")
def test_posts_and_usable_pictures_a_day_are_counted_over_what_was_walked() -> None:
    posts = [post(day) for day in range(21)]
    pictures = [*posts[:7], *(post(day, kept=False) for day in range(5))]
    supply = class_supply("cat", posts, pictures, [cursor(posts)])
    assert supply is not None
    # The oldest post is where the walk ended, and counts as its beginning.
    assert (supply.posts.events, supply.posts.days) == (20, 20)
    assert supply.posts.low < 1 < supply.posts.high
    assert supply.pictures_a_week == pytest.approx(7 * 7 / 20)
    assert [week.events for _, week in supply.weeks] == [7, 7]
    assert supply.trend == 1
    assert supply.trend_low < 1 < supply.trend_high


def test_a_class_that_dries_up_is_seen_to_fall() -> None:
    posts = [post(day) for day in range(14, 28)]
    supply = class_supply("cat", posts, posts, [cursor(posts)])
    assert supply is not None
    assert supply.trend == 0
    assert supply.trend_high < 1
    assert supply.weeks[-1][1].events == 0


def test_the_rate_is_that_of_the_last_weeks() -> None:
    posts = [post(day / 4) for day in range(4 * 28)] + [post(day) for day in range(28, 80)]
    supply = class_supply("cat", posts, posts, [cursor(posts)])
    assert supply is not None
    assert supply.posts.per_day == pytest.approx(4)
    assert supply.trend == pytest.approx(4)
    assert len(supply.weeks) == 11


def test_only_time_that_every_tag_was_walked_through_counts() -> None:
    long, short = [post(day) for day in range(30)], [post(day + 0.5) for day in range(10)]
    both = [*long, *short]
    window = walked_window(both, [cursor(long), cursor(short, "kitten")])
    assert window is not None
    assert window.days == pytest.approx(9.5)
    to_the_end = cursor(short, "kitten", exhausted=True)
    window = walked_window(both, [cursor(long), to_the_end])
    assert window is not None
    assert window.days == pytest.approx(29)


def test_a_gap_below_the_newest_stretch_is_not_walked() -> None:
    new, old = [post(day) for day in range(5)], [post(day) for day in range(20, 30)]
    window = walked_window([*new, *old], [cursor(old), cursor(new)])
    assert window is not None
    assert window.days == pytest.approx(4)


@pytest.mark.parametrize(
    "changes",
    [{"walked_at": ""}, {"walked_at": None}, {"walked_at": as_text(END - 99 * timedelta(1))}],
)
def test_without_knowing_when_it_was_walked_there_is_no_rate(changes: Row) -> None:
    posts = [post(day) for day in range(10)]
    assert class_supply("cat", posts, [], [cursor(posts, **changes)]) is None
    assert class_supply("cat", posts, [], []) is None
    assert class_supply("cat", [], [], [cursor(posts)]) is None


def test_what_was_posted_long_ago_does_not_count() -> None:
    posts = [post(day) for day in range(0, 400, 10)]
    window = walked_window(posts, [cursor(posts)])
    assert window is not None
    assert window.days == 7 * MOST_WEEKS


@pytest.mark.parametrize(
    ("events", "low", "high"),
    [(0, 0, 3.689), (1, 0.0253, 5.572), (10, 4.795, 18.39), (100, 81.36, 121.6)],
)
def test_intervals_of_counts_are_those_of_garwood(events: int, low: float, high: float) -> None:
    found = rate(events, 1)
    assert [found.low, found.high] == pytest.approx([low, high], rel=1e-3)


def test_a_ratio_of_counts_has_an_exact_interval() -> None:
    ratio, low, high = rate_ratio(20, 10)
    assert ratio == 2
    # Clopper-Pearson of 20 in 30: 0.4719 to 0.8271.
    assert [low, high] == pytest.approx([0.8936, 4.783], rel=2e-3)
    assert rate_ratio(0, 0) == (None, 0.0, math.inf)
    assert rate_ratio(3, 0)[0] is None
    assert rate_ratio(3, 0)[2] == math.inf
