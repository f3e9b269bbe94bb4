"""What was tagged in one stretch of time, kept so that other stretches can be compared with it.

What belongs here: making the rows of one kept sample out of posts, and which names it must lose.
What does not: files (``kept_samples.py``), comparing samples (``tag_drift.py``).

No post is in two samples: a sample begins where the one before ended. Two samples that shared posts
would look alike however fast the trends change.

A sample is compared with another by halves of their authors. Two halves of one sample agree less
than wholly, by chance alone; what halves of two samples agree less than that is change. An author
is always in the same half, so that two halves that are compared never share one, within a sample
as between samples.
"""

from __future__ import annotations

import hashlib
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Literal, get_args

from reds_pipeline.fediverse.posts import posted_at

Row = dict[str, Any]
Kind = Literal["lemma", "tag"]
KINDS: tuple[Kind, ...] = get_args(Kind)

TOP_NAMES = 100
"""Names of each kind that are kept (R-IMP-5: weekly top-100s)."""

FEWEST_AUTHORS = 3
"""Who uses a hashtag alone may be named by it; of two, each may know the other's."""

FEWEST_POSTS = 50
"""Posts without which a stretch is not kept yet: its top would be chance."""

SPLITS = 10
"""Ways to split the authors into halves; the mean over them hardly depends on luck."""


def newer_posts(posts: Iterable[Mapping[str, Any]], than: str) -> list[Mapping[str, Any]]:
    """Return the kept posts written after a moment; all of them if it is empty.

    Args:
        posts: Rows of the posts table.
        than: ISO 8601 in UTC.
    """
    return [row for row in posts if row["status"] == "kept" and posted_at(row) > than]


def tag_sample(
    posts: Sequence[Mapping[str, Any]],
    lemmas_of: Mapping[str, Sequence[str]],
    sampled_at: str,
) -> list[Row]:
    """Return the rows of the table ``tag_samples`` for one stretch.

    Args:
        posts: Kept ones, written in that stretch.
        lemmas_of: The lemmas in each hashtag.
        sampled_at: Now, ISO 8601 in UTC.

    Returns:
        First the lemmas, then the hashtags; within each the most used first. Names of fewer than
        ``FEWEST_AUTHORS`` authors are not among them.
    """
    times = list(filter(None, map(posted_at, posts)))
    about = {
        "sampled_at": sampled_at,
        "oldest_post": min(times, default=""),
        "newest_post": max(times, default=""),
        "sample_posts": len(posts),
        "sample_authors": len({row["author_key"] for row in posts}),
    }
    rows: list[Row] = []
    for kind in KINDS:
        rows += [about | {"kind": kind} | name for name in _names(posts, lemmas_of, kind)]
    return rows


def after_withdrawal(
    sample: Sequence[Row],
    before: Sequence[Mapping[str, Any]],
    after: Sequence[Mapping[str, Any]],
    tags_of: Mapping[str, set[str]],
) -> list[Row]:
    """Return a kept sample without the names that too few authors use since some withdrew.

    What stays is a count over others; it names nobody.

    Args:
        sample: Its rows.
        before: Posts that may have been counted in it.
        after: The same posts, as they are to be.
        tags_of: The hashtags that hold each lemma.
    """
    if not sample:
        return []
    oldest, newest = sample[0]["oldest_post"], sample[0]["newest_post"]
    pairs = [
        (old, new)
        for old, new in zip(before, after, strict=True)
        if old["status"] == "kept" and oldest <= posted_at(old) <= newest
    ]
    used = _authors_of_tags(old for old, _ in pairs)
    left = _authors_of_tags(new for _, new in pairs if new["status"] == "kept")
    rows = []
    for row in sample:
        tags = {row["name"]} if row["kind"] == "tag" else tags_of.get(row["name"], set())
        lost = _union(used, tags) - _union(left, tags)
        if row["authors"] - len(lost) >= FEWEST_AUTHORS:
            rows.append(row | {"authors": row["authors"] - len(lost)})
    return rows


def _authors_of_tags(posts: Iterable[Mapping[str, Any]]) -> Mapping[str, set[str]]:
    authors: defaultdict[str, set[str]] = defaultdict(set)
    for row in posts:
        for tag in row["tags"] or ():
            authors[tag].add(row["author_key"])
    return authors


def _union(authors: Mapping[str, set[str]], tags: set[str]) -> set[str]:
    return set().union(*(authors.get(tag, set()) for tag in tags))


def _names(
    posts: Sequence[Mapping[str, Any]], lemmas_of: Mapping[str, Sequence[str]], kind: Kind
) -> list[Row]:
    halves = {row["author_key"]: _halves(row["author_key"]) for row in posts}
    counts: Counter[str] = Counter()
    authors: defaultdict[str, set[str]] = defaultdict(set)
    of_halves: defaultdict[str, list[int]] = defaultdict(lambda: [0] * (2 * SPLITS))
    for row in posts:
        tags = row["tags"] or ()
        names = set(tags) if kind == "tag" else {name for tag in tags for name in lemmas_of[tag]}
        for name in names:
            counts[name] += 1
            authors[name].add(row["author_key"])
            for place in halves[row["author_key"]]:
                of_halves[name][place] += 1
    common = [name for name in counts if len(authors[name]) >= FEWEST_AUTHORS]
    ordered = sorted(common, key=lambda name: (-counts[name], -len(authors[name]), name))
    more = Counter(counts[name] for name in common)
    return [
        {
            "rank": 1 + sum(times for count, times in more.items() if count > counts[name]),
            "name": name,
            "posts": counts[name],
            "authors": len(authors[name]),
            "posts_of_halves": of_halves[name],
        }
        for name in ordered[:TOP_NAMES]
    ]


def _halves(author_key: str) -> list[int]:
    """Return the place of an author's half in ``posts_of_halves`` for each way to split."""
    digest = hashlib.sha256(author_key.encode()).digest()
    return [2 * split + (digest[split] & 1) for split in range(SPLITS)]
