"""How many labels have changed between the trainings of two models.

What belongs here: that share, and how large it may be. What does not: what follows from it
(``promotion.py``), or finding wrong labels (``label_issues.py``).

A test tells which of two models is better only as far as its labels are right. A file read askew
can exchange the labels of whole classes, of the test pictures too; then the model that has learnt
the mistake looks better than the one that has not.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

MOST_RELABELLED = 0.1
"""A reviewer who corrects hashtags changes some labels in a hundred (R-SCR-8); a mistake, many."""

LEAST_COMPARED = 20
"""Of fewer pictures two corrections are a tenth."""


def relabelled_share(
    ours: Sequence[Mapping[str, Any]], theirs: Sequence[Mapping[str, Any]]
) -> float:
    """Return the share of common pictures whose label differs, 0 to 1.

    Args:
        ours: Rows with ``sha256`` and ``class_name`` of the pictures one model was measured on.
        theirs: Likewise of the other model.

    Returns:
        0 where fewer than ``LEAST_COMPARED`` pictures are common.
    """
    label = {row["sha256"]: row["class_name"] for row in ours}
    common = [row for row in theirs if row["sha256"] in label]
    if len(common) < LEAST_COMPARED:
        return 0.0
    changed = sum(label[row["sha256"]] != row["class_name"] for row in common)
    return changed / len(common)
