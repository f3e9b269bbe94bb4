"""What the rule of promotion is told: what a challenger must reach, and what was measured.

What belongs here: the objects. What does not: what follows from them (``promotion.py``), or
measuring (``shared_test.py``).
"""

from __future__ import annotations

from dataclasses import dataclass

from reds_pipeline.modeling.changed_classes import UNCHANGED, ChangedClasses

LEAST_TEST_PICTURES = 20
"""On fewer a single picture is five percentage points or more."""


@dataclass(frozen=True)
class PromotionRule:
    """What a challenger must reach.

    Attributes:
        margin: How much more accurate than the champion it must be, 0 to 1.
        class_loss: Recall that it may lose in any one class, 0 to 1.
        suggested_labels_limit: Largest share of the labels it learnt from that a model suggested.
    """

    margin: float
    class_loss: float
    suggested_labels_limit: float


@dataclass(frozen=True)
class Measured:
    """A model as its own training measured it.

    Attributes:
        backbone: Name of its encoder.
        cv_mean: Mean accuracy of the grouped folds, 0 to 1.
        cv_variance: Variance of those accuracies.
        dataset_digest: The data set it was trained on.
    """

    backbone: str
    cv_mean: float
    cv_variance: float
    dataset_digest: str


@dataclass(frozen=True)
class ClassResult:
    """How often two models are right on the test pictures of one class."""

    class_name: str
    pictures: int
    challenger_right: int
    rival_right: int

    @property
    def loss(self) -> float:
        """Recall that the challenger loses, negative if it gains."""
        return (self.rival_right - self.challenger_right) / self.pictures


@dataclass(frozen=True)
class SharedTest:
    """Two models on the same pictures, which neither has learnt from.

    Attributes:
        by_class: Every class of which there are pictures.
        low: Lower end of the 95 % interval of the difference of accuracies.
        high: Its upper end.
        mcnemar_p: How often chance alone makes two equal models differ so clearly.
    """

    by_class: tuple[ClassResult, ...]
    low: float
    high: float
    mcnemar_p: float

    @property
    def pictures(self) -> int:
        """Number of test pictures."""
        return sum(each.pictures for each in self.by_class)

    @property
    def challenger_accuracy(self) -> float:
        """Share of them on which the challenger is right."""
        return sum(each.challenger_right for each in self.by_class) / self.pictures

    @property
    def rival_accuracy(self) -> float:
        """Share of them on which the other model is right."""
        return sum(each.rival_right for each in self.by_class) / self.pictures

    @property
    def difference(self) -> float:
        """What the challenger is more accurate, negative if it is less."""
        return self.challenger_accuracy - self.rival_accuracy


@dataclass(frozen=True)
class Challenger:
    """The best of the models just trained.

    Attributes:
        measured: What its training measured.
        suggested_share: Share of the labels it learnt from that a model suggested.
        withdrawn_pictures: How many pictures it learnt from were withdrawn since.
        set_aside: Why a person replaced this very version, empty if nobody did.
        knows_unfamiliar: Whether it can tell a photo unlike all that it learnt from.
    """

    measured: Measured
    suggested_share: float = 0.0
    withdrawn_pictures: int = 0
    set_aside: str = ""
    knows_unfamiliar: bool = True


@dataclass(frozen=True)
class Rival:
    """A model that a challenger is compared with.

    Attributes:
        name: What it is called in a reason, such as ``the champion tiny (version 3)``.
        measured: What its training measured; None where that can no longer be read.
        shared_test: Both on the same pictures; None where that cannot be had.
        no_shared_test: Why not, a clause.
        unusable: Why it could not serve any longer, a clause; empty if it could.
        withdrawn_pictures: How many pictures it learnt from were withdrawn since.
        knows_unfamiliar: Whether it can tell a photo unlike all that it learnt from; models of
            older versions of REDS cannot.
        changed: How the classes of the challenger differ from its own.
        cv_on_shared: Mean accuracy of the grouped folds of the challenger and of this model on
            pictures of the classes that both know, each on its own data; None where that is not
            known.
        relabelled: Share of the pictures that both were measured on whose label is another one
            now than it was for this model, 0 to 1.
    """

    name: str
    measured: Measured | None
    shared_test: SharedTest | None = None
    no_shared_test: str = ""
    unusable: str = ""
    withdrawn_pictures: int = 0
    knows_unfamiliar: bool = True
    changed: ChangedClasses = UNCHANGED
    cv_on_shared: tuple[float, float] | None = None
    relabelled: float = 0.0
