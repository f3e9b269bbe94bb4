from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reds_pipeline.modeling.changed_classes import (
    UNCHANGED,
    ChangedClasses,
    NewClass,
    changed_classes,
    fold_accuracy,
)
from reds_pipeline.modeling.promotion import decide
from reds_pipeline.modeling.promotion_evidence import (
    Challenger,
    ClassResult,
    Measured,
    PromotionRule,
    Rival,
    SharedTest,
)

MEASURED = Measured("tiny", 0.9, 1e-4, "digest")
RULE = PromotionRule(margin=0.01, class_loss=0.1, suggested_labels_limit=0.3)
CHALLENGER = Challenger(MEASURED)
FOX = NewClass("fox", 30, 25)
ENTERED = ChangedClasses(("cat", "dog"), new=(FOX,))


def shared(*classes: tuple[int, int, int], low: float = -0.2, high: float = 0.2) -> SharedTest:
    """Make a test of classes given as (pictures, right: challenger, right: champion)."""
    results = (
        ClassResult(name, *numbers) for name, numbers in zip(("cat", "dog"), classes, strict=True)
    )
    return SharedTest(tuple(results), low=low, high=high, mcnemar_p=0.5)


EVEN = shared((50, 45, 45), (50, 45, 45))


def champion(
    test: SharedTest | None = EVEN, changed: ChangedClasses = ENTERED, **other: object
) -> Rival:
    rival = Rival("the champion tiny (version 1)", MEASURED, test, changed=changed)
    return replace(rival, **other)  # type: ignore[arg-type]


def answers(name: str, fold: int, right: int, pictures: int) -> list[dict[str, object]]:
    return [
        {"fold": fold, "class_name": name, "predicted": name if number < right else "cat"}
        for number in range(pictures)
    ]


def test_what_is_new_gone_and_missing() -> None:
    said = [*answers("fox", -1, 4, 5), *answers("fox", 2, 30, 40), *answers("cat", 0, 9, 9)]
    changed = changed_classes(
        ("cat", "dog", "fox"), ("cat", "dog", "owl", "bee"), ("cat", "dog", "fox", "owl"), said
    )
    assert changed == ChangedClasses(
        shared=("cat", "dog"),
        new=(NewClass("fox", 5, 4, 40, 30),),
        left=("bee",),
        missing=("owl",),
    )
    assert changed
    assert not changed_classes(("cat", "dog"), ("dog", "cat"), ("cat",), said)
    assert not UNCHANGED


def test_the_folds_are_counted_for_some_classes_only_and_without_the_test() -> None:
    said = [*answers("fox", -1, 0, 5), *answers("fox", 2, 30, 40), *answers("owl", 0, 0, 9)]
    assert fold_accuracy(said, ("fox",)) == 0.75
    assert fold_accuracy(said, ("dog",)) is None


@pytest.mark.parametrize(
    ("new", "told"),
    [
        (NewClass("fox", 20, 15), True),
        (NewClass("fox", 20, 14), False),
        (NewClass("fox", 20, 14, 80, 80), False),
        (NewClass("fox", 5, 3, 45, 35), True),
        (NewClass("fox", 5, 5, 45, 25), False),
        (NewClass("fox", 3, 3), False),
        (NewClass("fox", 0, 0), False),
    ],
    ids=[
        "half, beyond chance",
        "not beyond chance",
        "a test that is large enough decides alone",
        "a small test counts together with the folds",
        "and is not saved by being right itself",
        "three pictures show nothing",
        "nothing was measured",
    ],
)
def test_a_new_class_must_be_told_well_enough(new: NewClass, told: bool) -> None:
    decision = decide(CHALLENGER, champion(changed=ChangedClasses(("cat", "dog"), (new,))), RULE)
    assert decision.promote is told, decision.reason
    assert ("does not tell fox well enough" in decision.reason) is not told
    assert f"fox is told on {new.right} of {new.pictures} pictures" in decision.reason


@pytest.mark.parametrize(
    ("test", "promoted", "said"),
    [
        (EVEN, True, "must not be worse by more than"),
        (shared((50, 45, 45), (50, 44, 45)), True, ""),
        (shared((50, 45, 45), (50, 43, 45)), False, "That is worse by more than 1 percentage"),
        (shared((50, 50, 40), (50, 39, 45)), False, "loses too much in dog (39 instead of 45"),
    ],
    ids=["as good", "worse by the margin", "worse by more", "much worse in one class"],
)
def test_on_what_both_know_it_must_not_be_worse_by_more_than_the_margin(
    test: SharedTest, promoted: bool, said: str
) -> None:
    decision = decide(CHALLENGER, champion(test), RULE)
    assert decision.promote is promoted, decision.reason
    assert said in decision.reason


def test_a_class_that_left_is_no_loss() -> None:
    """An equal model would not serve otherwise: it names nothing that nobody learns."""
    changed = ChangedClasses(("cat", "dog"), left=("owl",))
    decision = decide(CHALLENGER, champion(changed=changed), RULE)
    assert decision.promote
    assert "no longer names owl, which left" in decision.reason
    assert not decide(CHALLENGER, champion(changed=UNCHANGED), RULE).promote


@pytest.mark.parametrize("withdrawn", [0, 3])
def test_a_class_that_was_lost_by_a_failure_is_one(withdrawn: int) -> None:
    changed = ChangedClasses(("cat", "dog"), missing=("owl",))
    better = shared((50, 50, 40), (50, 50, 40), low=0.1)
    rival = champion(better, changed, withdrawn_pictures=withdrawn)
    decision = decide(CHALLENGER, rival, RULE)
    assert not decision.promote
    assert "It cannot name owl" in decision.reason


def test_nothing_in_common_leaves_it_to_the_new_classes() -> None:
    none = "they have no class in common"
    for right, promoted in ((25, True), (9, False)):
        changed = ChangedClasses((), (replace(FOX, test_right=right),), left=("owl",))
        rival = champion(None, changed, no_shared_test=none)
        assert decide(CHALLENGER, rival, RULE).promote is promoted


@pytest.mark.parametrize(
    ("folds", "promoted"), [(None, False), ((0.9, 0.905), True), ((0.85, 0.9), False)]
)
def test_without_a_common_test_the_folds_must_show_it(
    folds: tuple[float, float] | None, promoted: bool
) -> None:
    """Two data sets of different classes are not equally hard, so their means say nothing."""
    few = "only 4 frozen test pictures are new to both"
    rival = champion(None, no_shared_test=few, cv_on_shared=folds)
    decision = decide(CHALLENGER, rival, RULE)
    assert decision.promote is promoted
    assert few in decision.reason


@pytest.mark.req("R-SCR-11")
@pytest.mark.parametrize(
    ("test", "promoted"),
    [
        (shared((50, 40, 45), (50, 45, 45), low=-0.1, high=0.01), True),
        (shared((50, 20, 45), (50, 45, 45), low=-0.4, high=-0.1), False),
    ],
)
def test_a_withdrawal_travels_also_into_a_model_of_other_classes(
    test: SharedTest, promoted: bool
) -> None:
    """Even where a new class is told badly: a person's word is worth more than a tag."""
    badly = ChangedClasses(("cat", "dog"), (replace(FOX, test_right=3),))
    decision = decide(CHALLENGER, champion(test, badly, withdrawn_pictures=2), RULE)
    assert decision.promote is promoted
    assert "learnt from 2 pictures that were withdrawn" in decision.reason


def test_what_a_person_decided_stands_also_when_classes_change() -> None:
    aside = replace(CHALLENGER, set_aside="on 2026-11-21: it calls every fox a cat")
    assert not decide(aside, champion(), RULE).promote
    taken_back = replace(champion(), name="the version taken back, tiny (version 2)")
    decision = decide(CHALLENGER, champion(), RULE, taken_back=[taken_back])
    assert not decision.promote
    assert "from which a person went back" in decision.reason
    beaten = champion(shared((50, 45, 40), (50, 45, 40)))
    assert decide(CHALLENGER, champion(), RULE, taken_back=[beaten]).promote


_CHANGES = st.sampled_from(
    [
        UNCHANGED,
        ENTERED,
        ChangedClasses(("cat", "dog"), left=("owl",)),
        ChangedClasses(("cat", "dog"), (FOX,), ("owl",)),
        ChangedClasses(("cat", "dog"), (replace(FOX, test_right=9),)),
        ChangedClasses(("cat", "dog"), missing=("owl",)),
    ]
)
_COUNTS = st.tuples(st.integers(1, 60), st.floats(0, 1), st.floats(0, 1)).map(
    lambda drawn: (drawn[0], round(drawn[0] * drawn[1]), round(drawn[0] * drawn[2]))
)


@given(
    cat=_COUNTS,
    dog=_COUNTS,
    changed=_CHANGES,
    margin=st.floats(0, 0.2),
    ours=st.integers(0, 2),
    knows=st.booleans(),
)
def test_it_never_serves_when_it_is_worse_by_more_than_the_margin(
    *,
    cat: tuple[int, int, int],
    dog: tuple[int, int, int],
    changed: ChangedClasses,
    margin: float,
    ours: int,
    knows: bool,
) -> None:
    """Unless the champion has learnt from what was withdrawn and chance may be the reason."""
    test = shared(cat, dog)
    rival = champion(test, changed, knows_unfamiliar=knows, withdrawn_pictures=ours)
    decision = decide(
        replace(CHALLENGER, withdrawn_pictures=ours), rival, replace(RULE, margin=margin)
    )
    if decision.promote:
        assert test.difference >= -margin - 1e-9
        assert not changed.missing
        assert not changed.untold
    assert decision.reason.endswith(".")


@given(
    cat=_COUNTS,
    dog=_COUNTS,
    changed=_CHANGES,
    more=st.tuples(st.integers(0, 60), st.integers(0, 60)),
    withdrawn=st.integers(0, 1),
    knows=st.booleans(),
)
def test_being_right_more_often_never_hurts(
    *,
    cat: tuple[int, int, int],
    dog: tuple[int, int, int],
    changed: ChangedClasses,
    more: tuple[int, int],
    withdrawn: int,
    knows: bool,
) -> None:
    def promoted(*gains: int) -> bool:
        counts = [
            (pictures, min(ours + gain, pictures), theirs)
            for (pictures, ours, theirs), gain in zip((cat, dog), gains, strict=True)
        ]
        rival = champion(
            shared(*counts), changed, withdrawn_pictures=withdrawn, knows_unfamiliar=knows
        )
        return decide(CHALLENGER, rival, RULE).promote

    assert promoted(*more) >= promoted(0, 0)
