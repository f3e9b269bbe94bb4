"""Where the labels of a data set come from, so that models do not learn what models believe.

What belongs here: counting labels by origin. What does not: who may decide a label (``review``),
or what follows from the share (``modeling/promotion.py``).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from reds_pipeline.review.decisions import LABEL

Origin = Literal["author", "person", "unprompted", "suggested"]
AUTHOR: Origin = "author"
PERSON: Origin = "person"
UNPROMPTED: Origin = "unprompted"
SUGGESTED: Origin = "suggested"

IN_WORDS: Mapping[Origin, str] = {
    AUTHOR: "the author's own hashtag",
    PERSON: "a person who looked at the picture",
    UNPROMPTED: "whoever gave the photo, before any suggestion was shown",
    SUGGESTED: "a person, after a model had suggested it",
}


@dataclass(frozen=True)
class LabelOrigins:
    """How many labels come from where.

    Attributes:
        counts: Labels by origin; every origin is there.
    """

    counts: Mapping[Origin, int]

    @property
    def labels(self) -> int:
        """Number of labels."""
        return sum(self.counts.values())

    def share(self, origin: Origin) -> float:
        """Return the share of labels of one origin, 0 where there are none at all."""
        return self.counts[origin] / self.labels if self.labels else 0.0


def label_origins(
    rows: Iterable[Mapping[str, Any]],
    guesses: Mapping[str, str],
    *,
    also: Callable[[Mapping[str, Any]], Origin | None] = lambda _: None,
) -> LabelOrigins:
    """Count the labels of a data set by where they come from.

    The review shows a model's guess beside a doubtful picture, and does not record whether the
    person followed it. So every label that a person gave and that a model guesses too counts as
    suggested: rather a suggestion too many than one that is not seen. A label that a person
    only confirmed was the author's before any model looked.

    Args:
        rows: Of ``curated_dataset``, those that are learnt from.
        guesses: What a model that had not seen it takes a picture for, by SHA-256
            (``label_suspects``).
        also: Knows more origins, such as feedback; None leaves the row to the rule above.
    """
    counts = Counter(also(row) or _origin(row, guesses) for row in rows)
    return LabelOrigins({origin: counts[origin] for origin in IN_WORDS})


def contributed_origin(row: Mapping[str, Any]) -> Origin | None:
    """Return where the label of a contributed photo comes from; None for a post's picture.

    Its table says so: what a model suggested was recorded when it was shown.

    Args:
        row: Of ``contributed_dataset`` or of ``curated_dataset``.
    """
    origin: Origin | None = row.get("origin")
    return origin


def _origin(row: Mapping[str, Any], guesses: Mapping[str, str]) -> Origin:
    if not row["decision"]:
        return AUTHOR
    if row["decision"] == LABEL and guesses.get(row["sha256"]) == row["class_name"]:
        return SUGGESTED
    return PERSON
