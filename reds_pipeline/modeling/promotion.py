"""Whether a newly trained model should serve instead of the present one.

What belongs here: the rule, as a pure function. What does not: measuring (``shared_test.py``),
registries and aliases (``promotion.py``). Every decision comes with its reason in words, because
it is kept for ever.

The rule looks at both models on the same test pictures, which neither has learnt from. Two
accuracies measured on different pictures differ by chance and by how hard the pictures are, so
they decide only where no common test can be had, and the reason then says so.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

LEAST_TEST_PICTURES = 20
"""On fewer a single picture is five percentage points or more."""

# Differences of shares carry rounding errors of this order.
_ROUNDING = 1e-9


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
        classes: What it can say.
    """

    backbone: str
    cv_mean: float
    cv_variance: float
    dataset_digest: str
    classes: tuple[str, ...]


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
    """

    name: str
    measured: Measured | None
    shared_test: SharedTest | None = None
    no_shared_test: str = ""
    unusable: str = ""
    withdrawn_pictures: int = 0
    knows_unfamiliar: bool = True


@dataclass(frozen=True)
class Decision:
    """What is to be done with a candidate.

    Attributes:
        promote: Whether it shall serve.
        reason: Why, in words.
    """

    promote: bool
    reason: str


def best(models: Sequence[Measured]) -> int:
    """Return the position of the best of several models on one data set (R-EXP-12).

    Accuracy decides; of equally accurate ones the steadier wins, then the first.
    """
    return min(
        range(len(models)), key=lambda index: (-models[index].cv_mean, models[index].cv_variance)
    )


def chosen_among(measured: Mapping[str, float], by: str, best_one: str) -> str:
    """Return a sentence that says why one of several models was considered, or nothing for one.

    Args:
        measured: Of each backbone, what they were ranked by, 0 to 1.
        by: What that is, in words.
        best_one: The backbone that was chosen.
    """
    if len(measured) < 2:
        return ""
    ranked = sorted(measured, key=lambda name: (name != best_one, -measured[name]))
    numbers = ", ".join(f"{name} {measured[name]:.4f}" for name in ranked)
    return f" Of the {len(measured)} backbones {best_one} was considered, by {by}: {numbers}."


def decide(
    challenger: Challenger,
    champion: Rival | None,
    rule: PromotionRule,
    *,
    taken_back: Sequence[Rival] = (),
) -> Decision:
    """Say whether a challenger shall serve instead of the champion (R-EXP-12).

    Args:
        challenger: The best of the models just trained.
        champion: The model that serves now, if any.
        rule: What the challenger must reach.
        taken_back: Versions from which a person went back to the champion. They looked better by
            the numbers, so a challenger that does not beat them too would undo what the person
            did.
    """
    if challenger.set_aside:
        return Decision(
            False,
            f"This very version was replaced by a person ({challenger.set_aside}); only a person "
            "can let it serve again, by `reds promote`.",
        )
    if challenger.suggested_share > rule.suggested_labels_limit:
        return Decision(
            False,
            f"A model suggested {challenger.suggested_share:.1%} of the labels it learnt from, "
            f"more than the {rule.suggested_labels_limit:.1%} that are allowed: it would learn "
            "what models believe, not what people say.",
        )
    if champion is None:
        return Decision(True, "There was no model before.")
    if champion.unusable:
        return Decision(
            True, f"{_sentence(champion.name)} can serve no longer: {champion.unusable}."
        )
    if champion.measured and set(champion.measured.classes) != set(challenger.measured.classes):
        return Decision(
            True,
            f"The classes changed from {', '.join(champion.measured.classes)} to "
            f"{', '.join(challenger.measured.classes)}, and the champion cannot name the new "
            f"ones; grouped cross-validation {challenger.measured.cv_mean:.4f}.",
        )
    return _against(challenger, champion, rule, taken_back)


def _against(
    challenger: Challenger, champion: Rival, rule: PromotionRule, taken_back: Sequence[Rival]
) -> Decision:
    comparison = _comparison(challenger, champion)
    if comparison is None:
        return Decision(
            True,
            f"Nothing that was measured of {champion.name} can be read any more, and "
            f"{champion.no_shared_test}.",
        )
    difference, described = comparison
    if champion.withdrawn_pictures and not challenger.withdrawn_pictures:
        return _without_withdrawn_pictures(champion, rule, difference, described)
    losses = _losses(champion.shared_test, rule.class_loss)
    if not _is_better(difference, rule.margin):
        is_honester = _is_more_honest(challenger, champion, taken_back) and not losses
        refused = f"{described}; a change needs {_points(rule.margin)} more.{_doubt(champion)}"
        return (
            _although_no_better(rule, difference, described)
            if is_honester
            else Decision(False, refused)
        )
    if losses:
        return Decision(
            False,
            f"{described}, but it loses too much in {losses}; a class may lose "
            f"{_points(rule.class_loss)}.",
        )
    for rival in taken_back:
        against = _comparison(challenger, rival)
        if against is not None and not _is_better(against[0], rule.margin):
            return Decision(
                False,
                f"{described}. {against[1]}, from which a person went back; a change needs "
                f"{_points(rule.margin)} more than that too.",
            )
    return Decision(True, f"{described}; a change needs {_points(rule.margin)}.{_doubt(champion)}")


def _without_withdrawn_pictures(
    champion: Rival, rule: PromotionRule, difference: float, described: str
) -> Decision:
    """Let a deletion travel into the model unless that costs accuracy beyond doubt."""
    gone = (
        f"The champion learnt from {champion.withdrawn_pictures} pictures that were withdrawn "
        "since, the new model from none"
    )
    if difference >= -rule.margin - _ROUNDING:
        return Decision(True, f"{gone}, and it is not worse by more than the margin. {described}.")
    if champion.shared_test is not None and champion.shared_test.high >= 0:
        return Decision(True, f"{gone}, and that it is worse is not beyond chance. {described}.")
    return Decision(
        False,
        f"{gone}, but it is worse by more than {_points(rule.margin)}. {described}. A person can "
        "let it serve by `reds promote`.",
    )


def _comparison(challenger: Challenger, rival: Rival) -> tuple[float, str] | None:
    """Return what the challenger is more accurate, and how that was found, in words."""
    test, name = rival.shared_test, challenger.measured.backbone
    if test is not None:
        return test.difference, (
            f"On {test.pictures} test pictures that neither has learnt from {name} is right on "
            f"{test.challenger_accuracy:.1%}, {rival.name} on {test.rival_accuracy:.1%}: "
            f"{_signed(test.difference)} (95 % interval {_signed(test.low)} to "
            f"{_signed(test.high)}, McNemar p = {test.mcnemar_p:.2g})"
        )
    if rival.measured is None:
        return None
    data = (
        "the same data set"
        if rival.measured.dataset_digest == challenger.measured.dataset_digest
        else "different data sets"
    )
    return challenger.measured.cv_mean - rival.measured.cv_mean, (
        f"There is no common test because {rival.no_shared_test}; grouped cross-validation on "
        f"{data} gives {name} {challenger.measured.cv_mean:.4f} and {rival.name} "
        f"{rival.measured.cv_mean:.4f}"
    )


def _is_better(difference: float, margin: float) -> bool:
    return difference > 0 and difference >= margin - _ROUNDING


def _is_more_honest(challenger: Challenger, champion: Rival, taken_back: Sequence[Rival]) -> bool:
    """Return whether only the challenger can tell what is unlike anything it has learnt from.

    Where a person went back to the champion, that person's word stands.
    """
    return challenger.knows_unfamiliar and not champion.knows_unfamiliar and not taken_back


def _although_no_better(rule: PromotionRule, difference: float, described: str) -> Decision:
    """Let a model that admits what it has never seen serve unless that costs accuracy."""
    told = (
        "Unlike the champion, the new model can tell photos that are unlike anything it has "
        "learnt from"
    )
    if difference >= -rule.margin - _ROUNDING:
        return Decision(True, f"{told}, and it is not worse by more than the margin. {described}.")
    return Decision(
        False,
        f"{told}, but it is worse by more than {_points(rule.margin)}. {described}. A person can "
        "let it serve by `reds promote`.",
    )


def _losses(test: SharedTest | None, allowed: float) -> str:
    """Name the classes in which too much is lost; one picture less is chance."""
    lost = [
        f"{each.class_name} ({each.challenger_right} instead of {each.rival_right} of "
        f"{each.pictures})"
        for each in (test.by_class if test else ())
        if each.loss > allowed + _ROUNDING and each.rival_right - each.challenger_right > 1
    ]
    return ", ".join(lost)


def _doubt(champion: Rival) -> str:
    test = champion.shared_test
    if test is None or not test.low <= 0 <= test.high:
        return ""
    return " So few pictures cannot show which of the two is better; the numbers are all there is."


def _points(share: float) -> str:
    return f"{100 * share:.3g} percentage points"


def _signed(share: float) -> str:
    return f"{100 * share:+.1f}"


def _sentence(name: str) -> str:
    return name[:1].upper() + name[1:]
