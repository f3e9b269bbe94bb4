"""Whether a newly trained model should serve instead of the present one.

What belongs here: the rule, as a pure function. What does not: classes that only one of two models
knows (``changed_classes.py``), measuring (``shared_test.py``), registries and aliases
(``promotion.py``). Every decision comes with its reason in words, because
it is kept for ever.

The rule looks at both models on the same test pictures, which neither has learnt from. Two
accuracies measured on different pictures differ by chance and by how hard the pictures are, so
they decide only where no common test can be had, and the reason then says so.

Where the classes changed, both answer the pictures of the classes that both know, each over all
that it can say, as it serves. The new model need not be better then, for it answers what is asked
now, but not worse by more than the margin; and each new class must be told well enough. A class
that left is no loss. One that is missing though it is still learnt is: such a model never serves
by the rule.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from reds_pipeline.modeling.changed_classes import LEAST_RECALL
from reds_pipeline.modeling.promotion_evidence import (
    Challenger,
    Measured,
    PromotionRule,
    Rival,
    SharedTest,
)
from reds_pipeline.modeling.relabelled import MOST_RELABELLED

# Differences of shares carry rounding errors of this order.
_ROUNDING = 1e-9


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
    if never := _never_serves(challenger, rule):
        return Decision(False, never)
    if champion is None:
        return Decision(True, "There was no model before.")
    if champion.unusable:
        return Decision(
            True, f"{_sentence(champion.name)} can serve no longer: {champion.unusable}."
        )
    if unfit := _unfit(champion):
        return Decision(False, unfit)
    if champion.changed:
        return _with_other_classes(challenger, champion, rule, taken_back)
    return _against(challenger, champion, rule, taken_back)


def _unfit(champion: Rival) -> str:
    """Say what a person has to look at before a model may replace the champion, or ""."""
    if champion.changed.missing:
        return (
            f"It cannot name {', '.join(champion.changed.missing)}, which {champion.name} can and "
            "which is still to be learnt: its pictures could not be had this time. `reds status` "
            "says where they went; a person can let it serve by `reds promote`."
        )
    if champion.relabelled > MOST_RELABELLED:
        return (
            f"{champion.relabelled:.0%} of the pictures that {champion.name} was measured on carry "
            f"another label now, more than {MOST_RELABELLED:.0%}, so that a test says little. "
            "Whether those labels are right only a person can say: look at them in `reds review`, "
            "and let it serve by `reds promote`."
        )
    return ""


def _never_serves(challenger: Challenger, rule: PromotionRule) -> str:
    """Say what speaks against a challenger whatever it is compared with, or ""."""
    if challenger.set_aside:
        return (
            f"This very version was replaced by a person ({challenger.set_aside}); only a person "
            "can let it serve again, by `reds promote`."
        )
    if challenger.suggested_share > rule.suggested_labels_limit:
        return (
            f"A model suggested {challenger.suggested_share:.1%} of the labels it learnt from, "
            f"more than the {rule.suggested_labels_limit:.1%} that are allowed: it would learn "
            "what models believe, not what people say."
        )
    return ""


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
    if back := _would_undo(challenger, rule, taken_back):
        return Decision(False, f"{described}. {back}")
    return Decision(True, f"{described}; a change needs {_points(rule.margin)}.{_doubt(champion)}")


def _with_other_classes(
    challenger: Challenger, champion: Rival, rule: PromotionRule, taken_back: Sequence[Rival]
) -> Decision:
    """Let a model follow the classes unless that costs accuracy on those that both know."""
    changed = champion.changed.sentence
    comparison = _comparison(challenger, champion) if champion.changed.shared else None
    if champion.changed.shared and comparison is None:
        return Decision(
            False,
            f"{changed}. Nothing shows that it is no worse on the classes that both know, because "
            f"{champion.no_shared_test}. A person can let it serve by `reds promote`.",
        )
    difference, described = comparison or (0.0, f"No class is known to it and to {champion.name}")
    if comparison and champion.withdrawn_pictures and not challenger.withdrawn_pictures:
        return _without_withdrawn_pictures(champion, rule, difference, f"{changed}. {described}")
    against = (
        _untold(champion)
        or _worse(difference, champion, rule)
        or _lost(champion, rule)
        or _would_undo(challenger, rule, taken_back)
    )
    if against:
        return Decision(False, f"{changed}. {described}. {against}")
    return Decision(
        True,
        f"{changed}. {described}; with other classes it must not be worse by more than "
        f"{_points(rule.margin)}.",
    )


def _untold(champion: Rival) -> str:
    """Say which new classes are not told well enough, or ""."""
    names = champion.changed.untold
    return names and (
        f"It does not tell {names} well enough: the interval must begin at {LEAST_RECALL:.0%} or "
        "above."
    )


def _worse(difference: float, champion: Rival, rule: PromotionRule) -> str:
    """Say that a challenger is worse by more than it may be, or ""."""
    if difference >= -rule.margin - _ROUNDING:
        return ""
    return (
        f"That is worse by more than {_points(rule.margin)}.{_doubt(champion)} A person can let it "
        "serve by `reds promote`."
    )


def _lost(champion: Rival, rule: PromotionRule) -> str:
    """Say in which classes too much is lost, or ""."""
    losses = _losses(champion.shared_test, rule.class_loss)
    return losses and (
        f"It loses too much in {losses}; a class may lose {_points(rule.class_loss)}."
    )


def _would_undo(challenger: Challenger, rule: PromotionRule, taken_back: Sequence[Rival]) -> str:
    """Say what a person went back from that the challenger does not beat, or ""."""
    for rival in taken_back:
        against = _comparison(challenger, rival)
        if against is not None and not _is_better(against[0], rule.margin):
            return (
                f"{against[1]}, from which a person went back; a change needs "
                f"{_points(rule.margin)} more than that too."
            )
    return ""


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
        which = f" of {_many(rival.changed.shared)}" if rival.changed else ""
        return test.difference, (
            f"On {test.pictures} test pictures{which} that neither has learnt from {name} is right "
            f"on {test.challenger_accuracy:.1%}, {rival.name} on {test.rival_accuracy:.1%}: "
            f"{_signed(test.difference)} (95 % interval {_signed(test.low)} to "
            f"{_signed(test.high)}, McNemar p = {test.mcnemar_p:.2g})"
        )
    if rival.changed:
        if rival.cv_on_shared is None:
            return None
        ours, theirs = rival.cv_on_shared
        return ours - theirs, (
            f"There is no common test because {rival.no_shared_test}; in the grouped folds of each "
            f"one's own data, on pictures of {_many(rival.changed.shared)}, {name} is right on "
            f"{ours:.1%} and {rival.name} on {theirs:.1%}"
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


def _many(classes: Sequence[str]) -> str:
    return f"the {len(classes)} classes that both know" if len(classes) > 1 else classes[0]


def _points(share: float) -> str:
    return f"{100 * share:.3g} percentage points"


def _signed(share: float) -> str:
    return f"{100 * share:+.1f}"


def _sentence(name: str) -> str:
    return name[:1].upper() + name[1:]
