"""The test part of a data set that grows, while what was held out stays held out.

What belongs here: which further groups join a test part that exists. What does not: drawing the
first one, or the folds (``splits.py``), or remembering it (``frozen_test.py``).

Two models can only be compared on pictures that neither has learnt from, so a test picture stays
one for as long as it is in the data set. Whatever belongs to its group, a new picture of the same
author say, follows it. A class whose share of test pictures is too small, because it is new, has
grown, or because old pictures left the data set, gets further groups. First those from which no
model has learnt yet: they are fair to every model, so a test that is renewed with them stays
common to a model and the next, however fast pictures come and go. Other groups join only when
the share is far too small: rarely and then many at once, so that the models made in between are
all tested on the same pictures.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Integers = NDArray[np.int64]

LEAST_PART_OF_WANTED = 0.5
"""With what models have learnt from a class is topped up once its share is below this part."""


def grown_test_part(
    codes: Integers,
    units: Integers,
    held_out: NDArray[np.bool_],
    *,
    seed: int,
    test_fraction: float,
    folds: int,
    fresh: NDArray[np.bool_] | None = None,
) -> NDArray[np.bool_]:
    """Return which images test, given those that already did; bool (n,).

    Applied to its own result it changes nothing.

    Args:
        codes: int (n,), class of each image, 0 to k - 1.
        units: int (n,), group of each image, 0 to g - 1.
        held_out: bool (n,), the images that test already.
        seed: Decides which groups join.
        test_fraction: Wanted share of the test part in every class.
        folds: How many groups of each class must stay for the folds, for one to be taken.
        fresh: bool (n,), the images from which no model has learnt; by default none.
    """
    sizes = np.zeros((int(units.max()) + 1, int(codes.max()) + 1), np.int64)
    np.add.at(sizes, (units, codes), 1)
    tests = np.zeros(len(sizes), bool)
    tests[units[held_out]] = True
    order = np.random.default_rng(seed).permutation(len(sizes))
    wanted = test_fraction * sizes.sum(axis=0)
    if fresh is not None:
        unlearnt = np.ones(len(sizes), bool)
        unlearnt[units[~fresh]] = False
        for unit in order[unlearnt[order]]:
            if _can_join(unit, sizes, tests, wanted, folds):
                tests[unit] = True
    for code in np.argsort(sizes.sum(axis=0), kind="stable"):
        if sizes[tests, code].sum() >= LEAST_PART_OF_WANTED * wanted[code]:
            continue
        for unit in order:
            if sizes[unit, code] and _can_join(unit, sizes, tests, wanted, folds):
                tests[unit] = True
        if not sizes[tests, code].any():
            _take_smallest(int(code), sizes, tests, folds)
    return np.asarray(tests[units])


def _can_join(
    unit: int, sizes: Integers, tests: NDArray[np.bool_], wanted: NDArray[np.float64], folds: int
) -> bool:
    """Whether a group may test without any of its classes testing more than is wanted."""
    held = sizes[unit] > 0
    fits = sizes[tests].sum(axis=0) + sizes[unit] <= wanted
    return not tests[unit] and bool(fits[held].all()) and _can_be_spared(unit, sizes, tests, folds)


def _can_be_spared(unit: int, sizes: Integers, tests: NDArray[np.bool_], folds: int) -> bool:
    """Whether each class of a group has enough other groups left for the folds."""
    left = (sizes[~tests] > 0).sum(axis=0)
    return bool((left[sizes[unit] > 0] > folds).all())


def _take_smallest(code: int, sizes: Integers, tests: NDArray[np.bool_], folds: int) -> None:
    """Let the smallest group of a class test, if one can be spared: a class needs a test."""
    candidates = np.flatnonzero((sizes[:, code] > 0) & ~tests)
    for unit in candidates[np.argsort(sizes[candidates].sum(axis=1), kind="stable")]:
        if _can_be_spared(int(unit), sizes, tests, folds):
            tests[unit] = True
            return
