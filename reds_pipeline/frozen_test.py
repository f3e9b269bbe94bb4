"""The pictures held out of every training, for good.

What belongs here: remembering them between trainings. What does not: which pictures they are
(``modeling.splits`` and ``modeling.held_out``).

A model is only as good as it does on pictures that it has never seen, and two models can only be
compared on the same such pictures. So what was held out once stays held out while it is in the
data set, and again when it comes back to it; a withdrawn picture is forgotten here too. Where the
data set keeps the newest pictures, old test pictures leave it too, and new arrivals that no model
has learnt from take their places.
"""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from reds_pipeline.errors import RedsError
from reds_pipeline.storage.clock import utc_now
from reds_pipeline.storage.home import Home
from reds_pipeline.storage.tables import PREDICTIONS, TEST_PICTURES, read_rows, write_rows

Row = dict[str, Any]

TABLE = "test_pictures"
# A test that takes more of a class than this, and half as much again as one drawn now, is worth a
# word: what tests is lost to learning.
_LARGE_SHARE = 0.25
_OUTGROWN = 1.5

_logger = logging.getLogger(__name__)


def remembered_test(home: Home) -> set[str]:
    """Return the SHA-256 of all pictures that were held out, in the data set now or not."""
    return {row["sha256"] for row in read_rows(home.table(TABLE), TEST_PICTURES)}


def frozen_test(home: Home, rows: Sequence[Mapping[str, Any]], seed: int) -> set[str]:
    """Return the SHA-256 of the pictures to test with, and remember them.

    The first time, and in a home of an older version of REDS, it is the test part that the
    grouped split draws. Later it is what was held out then, what has joined its groups since, and
    more of classes that are new, have grown or lost test pictures (R-EXP-2, R-EXP-3): new arrivals
    if possible. Asked again about the same rows it answers the same and writes nothing.

    Args:
        home: Where it is remembered.
        rows: Of the curated data set, kept ones only, as ``stage_inputs.curated_rows`` orders them.
        seed: Of this installation's splits.

    Raises:
        RedsError: A class is too small to be split, or would not be if the test were drawn anew;
            nothing is remembered then.
    """
    remembered = read_rows(home.table(TABLE), TEST_PICTURES)
    before = {row["sha256"] for row in remembered}
    try:
        tested = _tested(rows, seed, before, _trained_with(home))
    except RedsError as refusal:
        if before and _can_be_split(rows, seed):
            raise RedsError(
                "The pictures held out for the test, with all that have joined their authors and "
                f"copies since, leave too few of some class to learn from; delete "
                f"{home.table(TABLE)} to draw a new test, with which older models cannot be "
                "compared, or collect more posts."
            ) from refusal
        raise
    now = utc_now()
    joining = [
        {"sha256": row["sha256"], "class_name": row["class_name"], "held_out_at": now}
        for row in tested
        if row["sha256"] not in before
    ]
    if joining:
        write_rows(home.table(TABLE), [*remembered, *joining], TEST_PICTURES)
    _logger.info(
        "%d pictures are held out for the test, %.0f %% of all; %d of them joined now",
        len(tested),
        100 * len(tested) / len(rows),
        len(joining),
    )
    if outgrown := _outgrown(rows, tested, seed):
        _logger.warning(
            "The test takes %s, because authors or copies of pictures held out earlier have "
            "become so many; delete %s to draw a smaller test, with which older models cannot be "
            "compared.",
            ", ".join(f"{share:.0%} of the class {name}" for name, share in outgrown.items()),
            home.table(TABLE),
        )
    return {row["sha256"] for row in tested}


def _can_be_split(rows: Sequence[Mapping[str, Any]], seed: int) -> bool:
    """Whether a test could be drawn if none had been drawn before."""
    try:
        _tested(rows, seed, set())
    except RedsError:
        return False
    return True


def _outgrown(
    rows: Sequence[Mapping[str, Any]], tested: Sequence[Row], seed: int
) -> dict[str, float]:
    """Return the classes of which far more test than a test drawn now would take, and how much."""
    large = {name: share for name, share in _shares(rows, tested).items() if share > _LARGE_SHARE}
    if not large:
        return {}
    now = _shares(rows, _tested(rows, seed, set()))
    return {name: share for name, share in large.items() if share > _OUTGROWN * now[name]}


def _shares(rows: Sequence[Mapping[str, Any]], tested: Sequence[Row]) -> dict[str, float]:
    """Return the share of each class's pictures that test."""
    pictures = Counter(row["class_name"] for row in rows)
    held_out = Counter(row["class_name"] for row in tested)
    return {name: held_out[name] / count for name, count in sorted(pictures.items())}


def _trained_with(home: Home) -> set[str] | None:
    """Return the pictures of the latest trainings; None where there was none.

    One that an earlier training learnt, and that left the data set and came back, is not among
    them: it may come to test the next model, and is not asked of the earlier one (``fair_rows``).
    """
    tables = [
        read_rows(path, PREDICTIONS)
        for path in sorted(home.root.glob("tables/predictions/[!.]*.parquet"))
    ]
    return {row["sha256"] for rows in tables for row in rows} or None


def _tested(
    rows: Sequence[Mapping[str, Any]],
    seed: int,
    before: set[str],
    trained_with: set[str] | None = None,
) -> list[Row]:
    """Return the rows of the test part, given which pictures were held out or trained with."""
    from reds_pipeline.modeling.splits import make_split

    split = make_split(
        [row["class_name"] for row in rows],
        [row["group"] for row in rows],
        protocol="grouped",
        seed=seed,
        held_out=np.array([row["sha256"] in before for row in rows], bool),
        fresh=None
        if trained_with is None
        else np.array([row["sha256"] not in trained_with for row in rows], bool),
    )
    return [dict(row) for row, tested in zip(rows, split.test, strict=True) if tested]
