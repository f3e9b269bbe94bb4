"""Which images test, and which fold each of the others belongs to.

What belongs here: the two protocols and their guarantees. What does not: fitting anything.

* ``grouped``, which REDS quotes: images of one author or one near-duplicate cluster stay
  together, and classes are spread evenly (R-EXP-2, R-EXP-3; scikit-learn's
  ``StratifiedGroupKFold``). That greedy method may leave a small class out of a fold, so whole
  groups are moved afterwards, one at a time, until every class is everywhere or no move helps.
  Images that were held out before stay held out, with their groups (``held_out.py``).
* ``report``: the plain shuffle of the source report, kept beside it to show the leakage.

No test image is ever in a fold, and in ``grouped`` no group is on both sides of any line; both
are checked whenever a split is made.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from reds_pipeline.errors import RedsError
from reds_pipeline.modeling.held_out import grown_test_part

Protocol = Literal["grouped", "report"]

TEST = 0
REST = 1

_logger = logging.getLogger(__name__)

Integers = NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class Split:
    """One held-out test part and folds of the rest, in the order of the images given.

    Attributes:
        test: bool (n,), whether the image is held out.
        fold: int8 (n,), the fold in which the image is predicted, -1 for a test image.
        protocol: How it was made.
        seed: With which seed.

    Raises:
        ValueError: A test image has a fold or another image has none.
    """

    test: NDArray[np.bool_]
    fold: NDArray[np.int8]
    protocol: Protocol
    seed: int

    def __post_init__(self) -> None:
        """Check that no test image enters cross-validation (R-EXP-3)."""
        if self.test.shape != self.fold.shape or not np.array_equal(self.test, self.fold < 0):
            raise ValueError("an image must be either held out for the test or in one fold")

    @property
    def training(self) -> NDArray[np.bool_]:
        """The images of the folds, as bool (n,)."""
        return ~self.test

    @property
    def folds(self) -> int:
        """Number of folds."""
        return int(self.fold.max()) + 1


def make_split(
    labels: Sequence[str],
    groups: Sequence[str],
    *,
    protocol: Protocol,
    seed: int,
    test_fraction: float = 0.1,
    folds: int = 5,
    held_out: NDArray[np.bool_] | None = None,
    fresh: NDArray[np.bool_] | None = None,
) -> Split:
    """Split images into a test part and folds; the same input gives the same split.

    Args:
        labels: Class of each image.
        groups: Group of each image, whatever must not be on both sides; ``report`` ignores it.
        protocol: ``"grouped"`` or ``"report"``.
        seed: Seed of the shuffling.
        test_fraction: Wanted share of the test part; with few images in a class the grouped
            test part is larger, so that it holds every class.
        folds: Number of folds.
        held_out: bool (n,), images that tested before and must go on doing so; ``grouped`` keeps
            every group with such an image in the test part, which it draws anew only if there is
            none. ``report`` ignores it.
        fresh: bool (n,), images from which no model has learnt; whole groups of them are the
            first to join the test part of ``grouped`` where it is too small.

    Raises:
        RedsError: A class has fewer images, or fewer groups, than there are folds and a test
            part, or shares its groups with others so that it cannot be spread.
        ValueError: The protocol is unknown, or the lengths differ.
    """
    if len(labels) != len(groups) or (held_out is not None and len(held_out) != len(labels)):
        raise ValueError("one group an image, and one word on whether it is held out")
    classes, codes = np.unique(np.asarray(labels, dtype=str), return_inverse=True)
    if len(classes) < 2:
        raise RedsError(
            f"A classifier needs two classes at least, but the data set has {len(classes)}; "
            "collect images of another class."
        )
    if protocol == "grouped":
        units = np.unique(np.asarray(groups, dtype=str), return_inverse=True)[1]
        _require_enough(classes, codes, units, folds, "different authors or clusters")
        if held_out is None or not held_out.any():
            held_out = _first_test_part(codes, units, seed, test_fraction, folds)
        tested = grown_test_part(
            codes, units, held_out, seed=seed, test_fraction=test_fraction, folds=folds, fresh=fresh
        )
        _require_foldable(classes, codes, units, tested, folds)
        parts = _fold_parts(codes, units, tested, seed, folds)
        _require_together(units, parts)
    elif protocol == "report":
        _require_enough(classes, codes, np.arange(len(codes)), folds, "images")
        parts = _shuffled_parts(len(codes), seed, test_fraction, folds)
    else:
        raise ValueError(f"unknown protocol {protocol!r}")
    _require_trainable(classes, codes, parts, folds, protocol)
    return Split(test=parts == TEST, fold=(parts - 1).astype(np.int8), protocol=protocol, seed=seed)


def _shuffled_parts(images: int, seed: int, test_fraction: float, folds: int) -> Integers:
    """Return each image's part: 0 for test, else 1 + its fold."""
    from sklearn.model_selection import KFold, ShuffleSplit

    parts = np.zeros(images, np.int64)
    outer = ShuffleSplit(n_splits=1, test_size=test_fraction, random_state=seed)
    training, _ = next(outer.split(np.zeros(images)))
    inner = KFold(n_splits=folds, shuffle=True, random_state=seed)
    for number, (_, held_out) in enumerate(inner.split(training)):
        parts[training[held_out]] = 1 + number
    return parts


def _fold_parts(
    codes: Integers, units: Integers, tested: NDArray[np.bool_], seed: int, folds: int
) -> Integers:
    """Return each image's part, one part a group: 0 for test, else 1 + its fold."""
    parts = np.zeros(len(codes), np.int64)
    training = np.flatnonzero(~tested)
    fold = _stratified_group_folds(codes[training], units[training], folds, seed)
    every_class_once = dict.fromkeys(range(folds), 1)
    parts[training] = 1 + _spread(codes[training], units[training], fold, every_class_once)
    return parts


def _first_test_part(
    codes: Integers, units: Integers, seed: int, test_fraction: float, folds: int
) -> NDArray[np.bool_]:
    """Return which images test, as bool (n,)."""
    # A class with fewer images than slices would be missing from some slice for certain.
    most = min(int(np.bincount(codes).min()), len(np.unique(units)))
    slices = max(2, min(round(1 / test_fraction), most))
    slice_of = _stratified_group_folds(codes, units, slices, seed)

    def unsuitability(number: int) -> tuple[int, float]:
        inside = slice_of == number
        absent = len(np.unique(codes)) - len(np.unique(codes[inside]))
        return absent, abs(inside.mean() - test_fraction)

    chosen = min(range(slices), key=unsuitability)
    parts = np.where(slice_of == chosen, TEST, REST)
    return np.asarray(_spread(codes, units, parts, {TEST: 1, REST: folds}) == TEST)


def _stratified_group_folds(codes: Integers, units: Integers, folds: int, seed: int) -> Integers:
    from sklearn.model_selection import StratifiedGroupKFold

    splitter = StratifiedGroupKFold(n_splits=folds, shuffle=True, random_state=seed)
    fold = np.zeros(len(codes), np.int64)
    for number, (_, held_out) in enumerate(splitter.split(codes, codes, units)):
        fold[held_out] = number
    return fold


def _spread(
    codes: Integers, units: Integers, parts: Integers, minimum: Mapping[int, int]
) -> Integers:
    """Move whole groups until each part holds enough groups of every class.

    Args:
        codes: Class of each image.
        units: Group of each image.
        parts: Part of each image, the same throughout a group.
        minimum: For each part, how many groups of every class it should hold.

    Returns:
        The parts after the moves. A wish that no single move can fulfil without breaking
        another stays unfulfilled; with one class a group and enough groups none does.
    """
    sizes = np.bincount(units)
    holds = np.zeros((len(sizes), codes.max() + 1), bool)
    holds[units, codes] = True
    part_of = np.zeros(len(sizes), np.int64)
    part_of[units] = parts

    def counts(part: int) -> Integers:
        return np.asarray(holds[part_of == part].sum(axis=0))

    def can_leave(group: int) -> bool:
        part = int(part_of[group])
        left = counts(part) - holds[group]
        return bool((left[holds[group]] >= minimum[part]).all())

    def fulfil_one_wish() -> bool:
        for part, wanted in minimum.items():
            for code in np.flatnonzero(counts(part) < wanted):
                elsewhere = np.flatnonzero(holds[:, code] & (part_of != part))
                # The smallest group disturbs the sizes of the parts least.
                for group in elsewhere[np.argsort(sizes[elsewhere], kind="stable")]:
                    if can_leave(int(group)):
                        part_of[group] = part
                        return True
        return False

    # Each move fulfils part of a wish and breaks none, so this ends.
    while fulfil_one_wish():
        pass
    return np.asarray(part_of[units])


def _require_enough(
    classes: NDArray[np.str_], codes: Integers, units: Integers, folds: int, what: str
) -> None:
    needed = folds + 1
    for code, name in enumerate(classes):
        available = len(np.unique(units[codes == code]))
        if available < needed:
            raise RedsError(
                f"The class {name} has {available} {what}, but {folds} folds and a test part "
                f"need {needed}; collect more posts of it or leave the class out."
            )


def _require_foldable(
    classes: NDArray[np.str_],
    codes: Integers,
    units: Integers,
    tested: NDArray[np.bool_],
    folds: int,
) -> None:
    """Refuse what is left beside the test part when it cannot make the folds."""
    training = ~tested
    images = np.bincount(codes[training], minlength=len(classes))
    if images.min() < folds or len(np.unique(units[training])) < folds:
        raise _cannot_spread(classes[images.argmin()], folds)


def _require_together(units: Integers, parts: Integers) -> None:
    pairs = np.unique(np.stack([units, parts]), axis=1)
    if pairs.shape[1] != len(np.unique(units)):
        raise AssertionError("a group of images is on both sides of a split")


def _require_trainable(
    classes: NDArray[np.str_], codes: Integers, parts: Integers, folds: int, protocol: Protocol
) -> None:
    """Refuse a split in which some fold would train without a class.

    The grouped test must hold every class too, for its accuracy is what REDS quotes. A plain
    shuffle may pass over a small class by chance; that is its nature and is only logged.
    """
    for code, name in enumerate(classes):
        present = set(np.unique(parts[codes == code]).tolist())
        if len(present - {TEST}) < 2 or (protocol == "grouped" and TEST not in present):
            raise _cannot_spread(name, folds)
        absent = folds + 1 - len(present)
        if absent:
            _logger.warning(
                "%d of the test part and the %d folds hold no image of the class %s",
                absent,
                folds,
                name,
            )


def _cannot_spread(name: str, folds: int) -> RedsError:
    return RedsError(
        f"The images of the class {name} cannot be spread over a test part and {folds} folds, "
        "because too few of them stand apart from the others; collect more posts of it, from "
        "more authors, or leave the class out."
    )
