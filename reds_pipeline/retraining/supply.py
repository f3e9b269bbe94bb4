"""How much each class is posted, and what of it can be used (R-IMP-5).

What belongs here: rates with intervals, from rows of posts and pictures and the ends of walks. What
does not: reading tables, drawing.

Only time that was really walked is counted: from the oldest post that every walk of the class has
come down to, until the moment at which its newest post was last looked for. A class on which more
was spent would otherwise seem to be posted more.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from reds_pipeline.fediverse.posts import posted_at
from reds_pipeline.fediverse.timelines import id_order

WEEK = timedelta(days=7)

MOST_WEEKS = 12
"""What was posted longer ago says little about what will be."""

RECENT_WEEKS = 4
"""Of which a rate is that of the present: enough for posts that come once a week."""

SHORTEST_WINDOW = timedelta(days=1)
"""Posts come by day and night; of less than a day no rate per day is known."""

_SECONDS_A_DAY = 86_400.0

Row = Mapping[str, Any]


@dataclass(frozen=True)
class Window:
    """A time of which every post was seen.

    Attributes:
        start: Its beginning.
        end: Its end.
    """

    start: datetime
    end: datetime

    @property
    def days(self) -> float:
        """Its length."""
        return (self.end - self.start).total_seconds() / _SECONDS_A_DAY


@dataclass(frozen=True)
class Rate:
    """Events per day.

    Attributes:
        events: How many there were.
        days: In how many days.
        low: Lower end of the 95 % interval of the rate a day.
        high: Its upper end.
    """

    events: int
    days: float
    low: float
    high: float

    @property
    def per_day(self) -> float:
        """Events over days."""
        return self.events / self.days


@dataclass(frozen=True)
class ClassSupply:
    """What one class brings.

    Attributes:
        class_name: The class.
        posts: Kept posts a day, lately (``RECENT_WEEKS``).
        pictures: Pictures that survived cleaning, a day, lately.
        trend: Posts lately over those in the equally long time before, or in the later half of a
            shorter window over the earlier one; None without any before.
        trend_low: Lower end of its 95 % interval.
        trend_high: Its upper end; infinite without any before.
        weeks: End of each whole week of the window, oldest first, with the posts a day in it.
    """

    class_name: str
    posts: Rate
    pictures: Rate
    trend: float | None
    trend_low: float
    trend_high: float
    weeks: tuple[tuple[datetime, Rate], ...]

    @property
    def pictures_a_week(self) -> float:
        """New usable pictures in a week."""
        return 7 * self.pictures.per_day


def class_supply(
    class_name: str,
    posts: Sequence[Row],
    pictures: Iterable[Row],
    cursors: Iterable[Row],
) -> ClassSupply | None:
    """Measure what one class brings.

    Args:
        class_name: The class.
        posts: Rows of its posts.
        pictures: Rows of its cleaned pictures.
        cursors: Rows of its ends of walks.

    Returns:
        None where less than a day was walked, or nobody noted when.
    """
    window = walked_window(posts, cursors)
    if window is None:
        return None
    moments = _moments((row for row in posts if row["status"] == "kept"), window)
    shown = _moments((row for row in pictures if row["kept"]), window)
    length = window.end - window.start
    recently = Window(max(window.start, window.end - RECENT_WEEKS * WEEK), window.end)
    middle = window.end - min(RECENT_WEEKS * WEEK, length / 2)
    late = sum(moment > middle for moment in moments)
    early = sum(middle - (window.end - middle) < moment <= middle for moment in moments)
    ratio, low, high = rate_ratio(late, early)
    return ClassSupply(
        class_name=class_name,
        posts=rate(_inside(moments, recently), recently.days),
        pictures=rate(_inside(shown, recently), recently.days),
        trend=ratio,
        trend_low=low,
        trend_high=high,
        weeks=tuple(_weeks(moments, window)),
    )


def walked_window(posts: Sequence[Row], cursors: Iterable[Row]) -> Window | None:
    """Return the time of which every post of every tag begun was seen.

    Args:
        posts: Rows of a class's posts.
        cursors: Rows of its ends of walks.

    Returns:
        None where it is shorter than ``SHORTEST_WINDOW``, or an end is not known.
    """
    by_tag: defaultdict[str, list[Row]] = defaultdict(list)
    for cursor in cursors:
        by_tag[cursor["tag"]].append(cursor)
    # Below the newest stretch there may be a gap.
    newest = [max(tag, key=lambda row: id_order(row["newest_id"])) for tag in by_tag.values()]
    kept = [row for row in posts if row["status"] == "kept" and posted_at(row)]
    if not newest or not kept or not all(cursor.get("walked_at") for cursor in newest):
        return None
    end = min(_moment(cursor["walked_at"]) for cursor in newest)
    times = {row["post_id"]: _moment(posted_at(row)) for row in kept}
    # A walk that came to the end of a timeline has seen all there was, however long ago.
    starts = [
        _oldest(cursor, times)
        for cursor in newest
        if not cursor["exhausted"] and cursor["oldest_id"]
    ]
    start = max(starts or [min(times.values())], default=end)
    start = max(start, end - MOST_WEEKS * WEEK)
    return Window(start, end) if end - start >= SHORTEST_WINDOW else None


def rate(events: int, days: float) -> Rate:
    """Return a rate with Garwood's exact interval of a Poisson count (Biometrika 28, 1936)."""
    from scipy.stats import chi2

    low = float(chi2.ppf(0.025, 2 * events)) / 2 if events else 0.0
    high = float(chi2.ppf(0.975, 2 * events + 2)) / 2
    return Rate(events, days, low / days, high / days)


def rate_ratio(late: int, early: int) -> tuple[float | None, float, float]:
    """Return the ratio of two counts of equally long times, with its exact 95 % interval.

    Given their sum, the late ones are binomial (Przyborowski & Wilenski, Biometrika 31, 1940);
    the interval is that of Clopper and Pearson.
    """
    from scipy.stats import binomtest

    if not late + early:
        return None, 0.0, math.inf
    ends = binomtest(late, late + early).proportion_ci(0.95, method="exact")
    low, high = (math.inf if share >= 1 else float(share / (1 - share)) for share in ends)
    return (late / early if early else None), low, high


def _oldest(cursor: Row, times: Mapping[str, datetime]) -> datetime:
    """Return when the oldest post of a stretch was written; it may be gone by now."""
    oldest, newest = id_order(cursor["oldest_id"]), id_order(cursor["newest_id"])
    inside = [moment for post, moment in times.items() if oldest <= id_order(post) <= newest]
    return min(inside, default=_moment(cursor["walked_at"]))


def _moments(rows: Iterable[Row], window: Window) -> list[datetime]:
    moments = [_moment(moment) for row in rows if (moment := posted_at(row))]
    return [moment for moment in moments if window.start < moment <= window.end]


def _inside(moments: Iterable[datetime], window: Window) -> int:
    return sum(window.start < moment <= window.end for moment in moments)


def _weeks(moments: Sequence[datetime], window: Window) -> list[tuple[datetime, Rate]]:
    weeks = []
    end = window.end
    while end - WEEK >= window.start:
        weeks.append((end, rate(_inside(moments, Window(end - WEEK, end)), 7)))
        end -= WEEK
    return weeks[::-1]


def _moment(text: str) -> datetime:
    """Return a time of a table; one without a zone is UTC."""
    moment = datetime.fromisoformat(text)
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)
