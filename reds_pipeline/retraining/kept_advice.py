"""What was measured each time, as the home keeps it.

What belongs here: the table ``retraining_advice``, one row a measurement, newest last. What does
not: measuring, and what follows from it. It holds counts and names of classes, nothing about a
picture or a post.
"""

from __future__ import annotations

from typing import Any

from reds_pipeline.retraining.advice import Advice, Evidence
from reds_pipeline.storage.home import Home
from reds_pipeline.storage.tables import RETRAINING_ADVICE, read_rows, write_rows

TABLE = "retraining_advice"


def append(home: Home, advice: Advice, *, model_version: str, training_key: str) -> None:
    """Keep one more measurement.

    Args:
        home: Where it is kept.
        advice: What was found.
        model_version: Of the standing model; empty if none serves.
        training_key: Of the training it came from; empty if none serves.
    """
    row = {
        **advice.evidence,
        "at": advice.at,
        "interval_days": advice.interval_days,
        "due": advice.due,
        "reasons": list(advice.reasons),
        "classes_entered": list(advice.classes_entered),
        "classes_left": list(advice.classes_left),
        "model_version": model_version,
        "training_key": training_key,
    }
    write_rows(home.table(TABLE), [*measurements(home), row], RETRAINING_ADVICE)


def measurements(home: Home) -> list[dict[str, Any]]:
    """Return every row, oldest first; none before the first measurement."""
    return read_rows(home.table(TABLE), RETRAINING_ADVICE)


def latest_advice(home: Home) -> Advice | None:
    """Return the newest advice; None before the first measurement."""
    rows = measurements(home)
    if not rows:
        return None
    row = rows[-1]
    return Advice(
        at=row["at"],
        interval_days=row["interval_days"],
        due=row["due"],
        reasons=tuple(row["reasons"]),
        evidence={name: row[name] for name in Evidence("").numbers()},
        classes_entered=tuple(row["classes_entered"] or ()),
        classes_left=tuple(row["classes_left"] or ()),
    )
