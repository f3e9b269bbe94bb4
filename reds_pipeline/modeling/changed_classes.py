"""What it means for a promotion that two models do not know the same classes.

What belongs here: which classes are new, gone or missing, whether the new ones are told well
enough, and how all that is put into words. What does not: the rule as a whole
(``promotion.py``), or measuring.

A new class has no predecessor to be compared with, so it has to be told well enough by itself: the
95 % interval of its recall (Wilson) must begin at ``LEAST_RECALL`` or above. Its own frozen test
pictures decide; where they are fewer than ``ENOUGH_TEST_PICTURES``, what heads of the grouped folds
said of its other pictures, which they had not seen, counts too.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

LEAST_RECALL = 0.5
"""A tag that is not given to half of the photos that show it would rather be missing."""
ENOUGH_TEST_PICTURES = 20
"""From so many on a class is judged by its test alone."""


@dataclass(frozen=True)
class NewClass:
    """How often a class is recognised that the other model does not know.

    Attributes:
        class_name: The class.
        test_pictures: Its frozen test pictures.
        test_right: How many of those it is told of.
        fold_pictures: Its other pictures.
        fold_right: How many of those heads of the folds told that had not seen them.
    """

    class_name: str
    test_pictures: int
    test_right: int
    fold_pictures: int = 0
    fold_right: int = 0

    @property
    def test_decides(self) -> bool:
        """Whether the test alone is enough to judge it."""
        return self.test_pictures >= ENOUGH_TEST_PICTURES

    @property
    def pictures(self) -> int:
        """By how many pictures it is judged."""
        return self.test_pictures + (0 if self.test_decides else self.fold_pictures)

    @property
    def right(self) -> int:
        """How many of those are told."""
        return self.test_right + (0 if self.test_decides else self.fold_right)

    @property
    def low(self) -> float:
        """Lower end of the 95 % interval of its recall; 0 if nothing was measured."""
        from reds_pipeline.modeling.intervals import wilson_interval

        return wilson_interval(self.right, self.pictures)[0] if self.pictures else 0.0

    @property
    def is_told(self) -> bool:
        """Whether it is recognised well enough to be answered with."""
        return self.low >= LEAST_RECALL

    @property
    def sentence(self) -> str:
        """What was measured, as a clause."""
        where = (
            "of its test"
            if self.test_decides
            else f"of its test and its folds, as the test holds {self.test_pictures} alone"
        )
        return (
            f"{self.class_name} is told on {self.right} of {self.pictures} pictures {where} "
            f"(95 % interval from {self.low:.0%})"
        )


@dataclass(frozen=True)
class ChangedClasses:
    """How the classes of a challenger differ from those of another model.

    Attributes:
        shared: What both can say.
        new: What only the challenger can say.
        left: What only the other model can say and nobody learns any more.
        missing: What only the other model can say and is still to be learnt: its pictures could
            not be had.
    """

    shared: tuple[str, ...] = ()
    new: tuple[NewClass, ...] = ()
    left: tuple[str, ...] = ()
    missing: tuple[str, ...] = ()

    def __bool__(self) -> bool:
        """Return whether they differ at all."""
        return bool(self.new or self.left or self.missing)

    @property
    def sentence(self) -> str:
        """What changed, without its end."""
        parts = []
        if self.new:
            parts.append(f"now also names {_listed([each.class_name for each in self.new])}")
        if self.left:
            parts.append(f"no longer names {_listed(self.left)}, which left")
        told = "".join(f"; {each.sentence}" for each in self.new)
        return f"The new model {' and '.join(parts)}{told}"

    @property
    def untold(self) -> str:
        """Name the new classes that are not told well enough, or ""."""
        return _listed([each.class_name for each in self.new if not each.is_told])


UNCHANGED = ChangedClasses()
"""Two models that know the same."""


def changed_classes(
    ours: Sequence[str],
    theirs: Sequence[str],
    learnt: Sequence[str],
    answers: Sequence[Mapping[str, Any]],
) -> ChangedClasses:
    """Return how the classes of a challenger differ from another model's.

    Args:
        ours: What the challenger can say.
        theirs: What the other model can say.
        learnt: What is to be learnt now.
        answers: Rows of the table ``PREDICTIONS`` of the challenger's grouped training.
    """
    lost = [name for name in theirs if name not in ours]
    return ChangedClasses(
        shared=tuple(name for name in ours if name in theirs),
        new=tuple(_new_class(name, answers) for name in ours if name not in theirs),
        left=tuple(name for name in lost if name not in learnt),
        missing=tuple(name for name in lost if name in learnt),
    )


def fold_accuracy(answers: Sequence[Mapping[str, Any]], classes: Sequence[str]) -> float | None:
    """Return how often heads of the folds were right on pictures of some classes, 0 to 1.

    Args:
        answers: Rows of the table ``PREDICTIONS`` of a grouped training.
        classes: The classes whose pictures count.

    Returns:
        None if there is no such picture.
    """
    right = [
        row["predicted"] == row["class_name"]
        for row in answers
        if row["fold"] >= 0 and row["class_name"] in classes
    ]
    return sum(right) / len(right) if right else None


def _new_class(name: str, answers: Sequence[Mapping[str, Any]]) -> NewClass:
    own = [row for row in answers if row["class_name"] == name]
    tested = [row["predicted"] == name for row in own if row["fold"] < 0]
    folds = [row["predicted"] == name for row in own if row["fold"] >= 0]
    return NewClass(name, len(tested), sum(tested), len(folds), sum(folds))


def _listed(names: Sequence[str]) -> str:
    *first, last = names or [""]
    return f"{', '.join(first)} and {last}" if first else last
