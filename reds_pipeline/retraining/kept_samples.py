"""The kept tag samples as files, and how long they are kept.

What belongs here: reading, writing and mending the partitions of ``tag_samples``. What does not:
making a sample (``tag_samples.py``) or comparing them (``tag_drift.py``).

A sample matters for a year: change is measured over the days between two of them, and what is
suggested is weeks or months. Of those older than two months one a week is enough.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from reds_pipeline.retraining.tag_samples import (
    FEWEST_POSTS,
    after_withdrawal,
    newer_posts,
    tag_sample,
)
from reds_pipeline.storage.home import Home
from reds_pipeline.storage.tables import LEMMAS, TAG_SAMPLES, read_rows, write_rows

TABLE = "tag_samples"
RANKS_FIGURE = "retraining_ranks.png"
"""Shows names of kept samples; drawn anew when it is not there."""

SHORTEST_STRETCH = timedelta(hours=20)
"""Between two samples; a little less than a day, so that a daily refresh keeps one each time."""

EVERY_ONE_FOR = timedelta(days=60)
ONE_A_WEEK_FOR = timedelta(days=366)

_NAME = "%Y%m%dT%H%M%SZ"

Row = dict[str, Any]


def kept_samples(home: Home) -> list[list[Row]]:
    """Return the rows of every kept sample, oldest sample first; one without names is left out."""
    return [rows for path in _files(home) if (rows := read_rows(path, TAG_SAMPLES))]


def keep_sample(
    home: Home,
    posts: Iterable[Mapping[str, Any]],
    lemmas_of: Mapping[str, Sequence[str]],
    now: str,
) -> str:
    """Keep what was tagged since the last kept sample, if that is long and much enough.

    Args:
        home: Where it is kept.
        posts: Rows of the sample of newest posts.
        lemmas_of: The lemmas in each of their hashtags.
        now: ISO 8601 in UTC.

    Returns:
        What was done, as a sentence.
    """
    moment = datetime.fromisoformat(now)
    samples = kept_samples(home)
    last = samples[-1][0] if samples else None
    if last and moment - datetime.fromisoformat(last["sampled_at"]) < SHORTEST_STRETCH:
        return f"none: the last one, of {last['sampled_at']}, is less than a day old"
    fresh = newer_posts(posts, last["newest_post"] if last else "")
    if len(fresh) < FEWEST_POSTS:
        return f"none: {len(fresh)} posts since the last one are fewer than {FEWEST_POSTS}"
    rows = tag_sample(fresh, lemmas_of, now)
    if not rows:
        return f"none: no hashtag of {len(fresh)} posts was used by enough authors"
    write_rows(home.table(TABLE, moment.strftime(_NAME)), rows, TAG_SAMPLES)
    return (
        f"{len(rows)} names of {len(fresh)} posts that no earlier sample holds, by "
        f"{rows[0]['sample_authors']} authors"
    )


def take_out_of_samples(
    home: Home,
    before: Sequence[Mapping[str, Any]],
    after: Sequence[Mapping[str, Any]],
    *,
    write: bool,
) -> int:
    """Take names out of the kept samples that too few authors use since some withdrew.

    To be called before the posts and the counts of lemmas themselves change.

    Args:
        home: Where they are.
        before: Rows of the sample of newest posts.
        after: The same rows as they are to be.
        write: Whether to change anything, or only to count.

    Returns:
        How many names went, or would go.
    """
    if all(old["status"] == new["status"] for old, new in zip(before, after, strict=True)):
        return 0
    tags_of = {
        row["lemma"]: {source["tag"] for source in row["sources"]}
        for row in read_rows(home.table("lemmas"), LEMMAS)
    }
    removed = 0
    for path in _files(home):
        rows = read_rows(path, TAG_SAMPLES)
        left = after_withdrawal(rows, before, after, tags_of)
        removed += len(rows) - len(left)
        if write and left != rows:
            write_rows(path, left, TAG_SAMPLES)
    if write and removed:
        (home.figures / RANKS_FIGURE).unlink(missing_ok=True)
    return removed


def outdated_samples(home: Home, now: str) -> list[Path]:
    """Return the files of samples that matter no more, for housekeeping to remove.

    Args:
        home: Where they are.
        now: ISO 8601 in UTC.
    """
    moment = datetime.fromisoformat(now)
    weeks: set[tuple[int, int]] = set()
    outdated = []
    # The newest first, so that the last one of each week stays.
    for path in reversed(_files(home)):
        sampled = datetime.strptime(path.stem, _NAME).replace(tzinfo=UTC)
        week = sampled.isocalendar()[:2]
        age = moment - sampled
        if age > ONE_A_WEEK_FOR or (age > EVERY_ONE_FOR and week in weeks):
            outdated.append(path)
        weeks.add(week)
    return sorted(outdated)


def _files(home: Home) -> list[Path]:
    return sorted(_dated(home.table(TABLE, "any").parent.glob("[!.]*.parquet")))


def _dated(paths: Iterable[Path]) -> Iterator[Path]:
    """Yield the files whose name says when; others are not ours."""
    for path in paths:
        try:
            datetime.strptime(path.stem, _NAME)
        except ValueError:
            continue
        yield path
