"""How much a contributed label counts, and how many a class may have.

What belongs here: the two numbers that keep feedback from outweighing what authors say (R-IMP-6).
What does not: where a label comes from (``labels.py``), and fitting with weights (``modeling``).
"""

from __future__ import annotations

import math

from reds_pipeline.feedback.labels import SUGGESTED

AUTHORS_WEIGHT = 1.0
"""Of a label that an author's own hashtag gave; what all others are measured by."""

# What the rounding of a share may take off a count that comes out whole.
_ROUNDING = 1e-9


def sample_weight(origin: str, suggested_weight: float) -> float:
    """Return how much a label counts in training against an author's.

    A label that a model had suggested counts less, for it agrees with models more often than it
    should. One that a person typed counts like an author's hashtag, which nobody checks either.

    Args:
        origin: ``unprompted``, ``person`` or ``suggested``.
        suggested_weight: Of the last, above 0 and at most 1.
    """
    return suggested_weight if origin == SUGGESTED else AUTHORS_WEIGHT


def most_contributed(authors_pictures: int, share: float) -> int:
    """Return how many contributed pictures a class may have.

    So many that they are no more than the share of all its pictures.

    Args:
        authors_pictures: Those of posts, which are learnt from.
        share: At least 0 and below 1.
    """
    return math.floor(authors_pictures * share / (1 - share) + _ROUNDING)
