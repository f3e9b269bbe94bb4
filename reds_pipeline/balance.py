"""How far the classes are from as many pictures each as were asked for, and what is missing.

What belongs here: the yield of a collection, the raw posts that a short class still needs
(R-SCR-10, R-SCR-13), and how many pictures a person has looked at. What does not: where the
pictures went (``funnel.py``).
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from reds_pipeline.fediverse.media.download import OUTDATED
from reds_pipeline.funnel import (
    NOT_CLEANED_YET,
    NOT_CURATED_YET,
    NOT_NEEDED,
    ClassFunnel,
)
from reds_pipeline.imaging.curation import BEYOND_TARGET, LABELLED_OTHERWISE

# What an old picture was found to be is forgotten with it.
_NOT_JUDGED = (NOT_NEEDED, NOT_CLEANED_YET, NOT_CURATED_YET, OUTDATED)


@dataclass(frozen=True)
class ClassBalance:
    """How full a class is, and what would fill it.

    Attributes:
        class_name: The class.
        kept: Pictures to learn from.
        target: How many are wanted.
        judged: Pictures that went all the way, kept or dropped; a gated post counts as one.
        fit: How many of those are fit to learn from, wanted or not.
        posts_needed: Raw posts that the present yield says are still needed; None when nothing
            was fit, so that no number can be told.
        fewest: The same at the upper end of the yield's 95 % interval.
        most: The same at its lower end; None like ``posts_needed``.
        not_asked_for: Pictures of posts at hand that nobody fetched.
    """

    class_name: str
    kept: int
    target: int
    judged: int
    fit: int
    posts_needed: int | None
    fewest: int
    most: int | None
    not_asked_for: int

    @property
    def missing(self) -> int:
        """How many pictures the class is short of its target."""
        return max(self.target - self.kept, 0)

    @property
    def sentence(self) -> str:
        """What it means, for people."""
        if not self.missing:
            return f"{self.class_name} has all of {self.target:,} pictures."
        short = f"{self.class_name} is {self.missing:,} short of {self.target:,} pictures"
        if not self.judged:
            return f"{short}, and nothing was judged yet that could say how many posts it needs."
        if self.posts_needed == 0:
            return f"{short}, which the next run has at hand."
        share = f"as {self.fit:,} of {self.judged:,} judged were fit"
        if self.posts_needed is None or self.most is None:
            return f"{short}: at least {self.fewest:,} more raw posts are needed, {share}."
        more = (
            f"{short}: about {self.posts_needed:,} more raw posts are needed ({self.fewest:,} to "
            f"{self.most:,}), {share}."
        )
        if not self.not_asked_for:
            return more
        return (
            f"{more} {self.not_asked_for:,} pictures of posts at hand were not asked for: raise "
            "REDS_RAW_PER_CLASS first."
        )


def raw_posts_needed(class_name: str, funnel: ClassFunnel, target: int) -> ClassBalance:
    """Say how many more raw posts a class needs at its present yield (R-SCR-10).

    The yield is the share of what was judged that is fit, times what a raw post brings. Its
    interval is Wilson's, which takes pictures for independent; those of one album are not quite,
    so the truth is a little less certain.

    Args:
        class_name: The class.
        funnel: Where its pictures went.
        target: How many it should keep.
    """
    collected = funnel.seen - funnel.received
    dropped = funnel.dropped
    judged = collected - sum(dropped.get(reason, 0) for reason in _NOT_JUDGED)
    fit = min(funnel.kept - funnel.received_kept + dropped.get(BEYOND_TARGET, 0), judged)
    # What was beyond a lower target is at hand and comes back with the next run.
    missing = max(target - funnel.kept - dropped.get(BEYOND_TARGET, 0), 0)
    fewest, needed, most = 0, None, None
    if missing and judged > 0:
        from reds_pipeline.modeling.intervals import wilson_interval

        low, high = wilson_interval(fit, judged)
        pictures_of_a_post = collected / max(funnel.posts, 1)
        fewest = math.ceil(missing / (high * pictures_of_a_post))
        if fit:
            needed = math.ceil(missing / (fit / judged * pictures_of_a_post))
            most = math.ceil(missing / (low * pictures_of_a_post))
    return ClassBalance(
        class_name=class_name,
        kept=funnel.kept,
        target=target,
        judged=max(judged, 0),
        fit=fit,
        posts_needed=needed if missing else 0,
        fewest=fewest,
        most=most if missing else 0,
        not_asked_for=dropped.get(NOT_NEEDED, 0),
    )


@dataclass(frozen=True)
class ReviewCounts:
    """What people have said about the pictures of one class.

    Attributes:
        class_name: The class.
        confirmed: Kept, and a person has said that the class is right.
        unreviewed: Kept on the word of its hashtag alone.
        discarded: Collected for the class, and a person has thrown it out.
        moved_away: Collected for the class, and a person has given it another label.
        moved_here: Collected for another class, and a person has given it this label.
    """

    class_name: str
    confirmed: int
    unreviewed: int
    discarded: int
    moved_away: int
    moved_here: int


def review_counts(
    curated: Iterable[Mapping[str, Any]], class_names: Iterable[str]
) -> list[ReviewCounts]:
    """Count the reviewed and the unreviewed pictures of each class.

    Args:
        curated: Rows of the curated data set; those of an older version carry no decisions.
        class_names: The classes, in the order wanted.
    """
    rows = list(curated)
    return [_review_counts(rows, name) for name in class_names]


def _review_counts(rows: list[Mapping[str, Any]], name: str) -> ReviewCounts:
    kept = [row for row in rows if row["class_name"] == name and row["kept"]]
    own = [row for row in rows if (row["collected_as"] or row["class_name"]) == name]
    moved = [
        row
        for row in rows
        if (row["collected_as"] or row["class_name"]) != row["class_name"]
        or row["drop_reason"] == LABELLED_OTHERWISE
    ]
    confirmed = sum(bool(row["decision"]) for row in kept)
    return ReviewCounts(
        class_name=name,
        confirmed=confirmed,
        unreviewed=len(kept) - confirmed,
        discarded=sum(row["decision"] == "discard" for row in own),
        moved_away=sum((row["collected_as"] or row["class_name"]) == name for row in moved),
        moved_here=sum(
            row["class_name"] == name and row["drop_reason"] != LABELLED_OTHERWISE for row in moved
        ),
    )
