from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reds_pipeline.modeling.promotion import Decision, best, decide
from reds_pipeline.modeling.promotion_evidence import (
    Challenger,
    ClassResult,
    Measured,
    PromotionRule,
    Rival,
    SharedTest,
)

MEASURED = Measured("vit", 0.90, 1e-4, "digest-1")
RULE = PromotionRule(margin=0.01, class_loss=0.1, suggested_labels_limit=0.3)
CHALLENGER = Challenger(MEASURED)


def shared(*classes: tuple[int, int, int], low: float = -0.5, high: float = 0.5) -> SharedTest:
    """Make a test of classes given as (pictures, right: challenger, right: champion)."""
    return SharedTest(
        tuple(
            ClassResult(name, pictures, ours, theirs)
            for name, (pictures, ours, theirs) in zip(("cat", "dog"), classes, strict=True)
        ),
        low=low,
        high=high,
        mcnemar_p=0.5,
    )


def champion(test: SharedTest | None = None, **other: object) -> Rival:
    return replace(
        Rival("the champion tiny (version 1)", MEASURED, test, "" if test else "there is none"),
        **other,  # type: ignore[arg-type]
    )


@pytest.mark.req("R-EXP-12")
@pytest.mark.parametrize(
    ("models", "winner"),
    [
        ([(0.90, 1e-4), (0.95, 1e-2)], 1),
        ([(0.95, 1e-3), (0.95, 1e-4)], 1),
        ([(0.95, 1e-4), (0.95, 1e-4)], 0),
    ],
    ids=["the more accurate", "of equals the steadier", "of twins the first"],
)
def test_the_best_of_several(models: list[tuple[float, float]], winner: int) -> None:
    measured = [replace(MEASURED, cv_mean=mean, cv_variance=variance) for mean, variance in models]
    assert best(measured) == winner


@pytest.mark.req("R-EXP-12")
@pytest.mark.parametrize(
    ("test", "promoted", "said"),
    [
        (shared((50, 45, 44), (50, 45, 45)), True, "a change needs 1 percentage points"),
        (shared((50, 45, 45), (50, 45, 45)), False, "needs 1 percentage points more"),
        (shared((200, 181, 180), (200, 180, 180)), False, "needs 1 percentage points more"),
        (shared((50, 40, 45), (50, 45, 45)), False, "needs 1 percentage points more"),
        (shared((50, 50, 30), (50, 30, 40)), False, "dog (30 instead of 40 of 50)"),
        (shared((50, 50, 30), (50, 35, 40)), True, ""),
        (shared((50, 50, 30), (5, 3, 4)), True, ""),
        (shared((50, 50, 30), (50, 45, 45), low=0.1, high=0.4), True, "+20.0"),
    ],
    ids=[
        "better by the margin exactly",
        "equal",
        "better by less than the margin",
        "worse",
        "better, but a class lost too much",
        "better, and a class lost just what it may",
        "better, and one picture of a small class is chance",
        "better beyond doubt",
    ],
)
def test_on_the_same_pictures(test: SharedTest, promoted: bool, said: str) -> None:
    decision = decide(CHALLENGER, champion(test), RULE)
    assert decision.promote is promoted, decision.reason
    assert said in decision.reason
    assert f"On {test.pictures} test pictures that neither has learnt from" in decision.reason


@pytest.mark.parametrize(("low", "doubtful"), [(-0.1, True), (0.05, False)])
def test_a_small_test_is_said_to_prove_little(low: float, doubtful: bool) -> None:
    decision = decide(CHALLENGER, champion(shared((10, 9, 7), (10, 9, 8), low=low)), RULE)
    assert decision.promote
    assert ("cannot show which of the two is better" in decision.reason) is doubtful


def test_with_no_margin_an_equal_model_changes_nothing() -> None:
    rule = replace(RULE, margin=0.0)
    assert not decide(CHALLENGER, champion(shared((50, 45, 45), (50, 45, 45))), rule).promote
    assert decide(CHALLENGER, champion(shared((50, 46, 45), (50, 45, 45))), rule).promote


@pytest.mark.parametrize(
    ("accuracy", "digest", "promoted", "data"),
    [
        (0.91, "digest-1", True, "the same data set"),
        (0.905, "digest-1", False, "the same data set"),
        (0.92, "digest-2", True, "different data sets"),
        (0.90, "digest-2", False, "different data sets"),
    ],
)
def test_without_a_common_test_the_folds_decide_and_the_reason_says_so(
    accuracy: float, digest: str, promoted: bool, data: str
) -> None:
    challenger = Challenger(replace(MEASURED, cv_mean=accuracy, dataset_digest=digest))
    rival = champion(no_shared_test="only 12 frozen test pictures are new to both")
    decision = decide(challenger, rival, RULE)
    assert decision.promote is promoted
    assert "no common test because only 12 frozen test pictures" in decision.reason
    assert f"cross-validation on {data}" in decision.reason


def test_the_first_model_serves() -> None:
    assert decide(CHALLENGER, None, RULE) == Decision(True, "There was no model before.")


@pytest.mark.parametrize(
    ("rival", "said"),
    [
        (champion(unusable="its bundle is damaged"), "can serve no longer: its bundle is damaged"),
        (champion(measured=None, no_shared_test="its split is gone"), "Nothing that was measured"),
    ],
    ids=["cannot be read", "nothing is known of it"],
)
def test_a_champion_that_cannot_go_on_is_replaced(rival: Rival, said: str) -> None:
    worse = Challenger(replace(MEASURED, cv_mean=0.1))
    decision = decide(worse, rival, RULE)
    assert decision.promote
    assert said in decision.reason


@pytest.mark.parametrize("there", [None, champion(shared((50, 50, 30), (50, 50, 30)))])
@pytest.mark.parametrize(("share", "promoted"), [(0.3, True), (0.31, False)])
def test_a_model_that_learnt_from_models_does_not_serve(
    there: Rival | None, share: float, promoted: bool
) -> None:
    decision = decide(replace(CHALLENGER, suggested_share=share), there, RULE)
    assert decision.promote is promoted
    assert ("A model suggested 31.0%" in decision.reason) is not promoted


@pytest.mark.req("R-SCR-11")
@pytest.mark.parametrize(
    ("test", "own", "promoted"),
    [
        (shared((50, 45, 45), (50, 45, 45)), 0, True),
        (shared((50, 44, 45), (50, 45, 45)), 0, True),
        (shared((50, 40, 45), (50, 45, 45), low=-0.1, high=0.01), 0, True),
        (shared((50, 20, 45), (50, 45, 45), low=-0.4, high=-0.1), 0, False),
        (shared((50, 45, 45), (50, 45, 45)), 1, False),
        (None, 0, True),
    ],
    ids=[
        "as good",
        "worse by the margin",
        "worse by more, but not beyond chance",
        "worse beyond chance",
        "it has learnt from a withdrawn picture itself",
        "no common test, as good in the folds",
    ],
)
def test_a_withdrawal_travels_into_the_model_that_serves(
    test: SharedTest | None, own: int, promoted: bool
) -> None:
    challenger = replace(CHALLENGER, withdrawn_pictures=own)
    decision = decide(challenger, champion(test, withdrawn_pictures=3), RULE)
    assert decision.promote is promoted
    assert ("learnt from 3 pictures that were withdrawn" in decision.reason) is (own == 0)


def test_the_version_that_a_person_replaced_is_not_promoted_again() -> None:
    aside = replace(CHALLENGER, set_aside="on 2026-11-21: it calls every fox a cat")
    for there in (None, champion(shared((50, 50, 10), (50, 50, 10)))):
        decision = decide(aside, there, RULE)
        assert not decision.promote
        assert "it calls every fox a cat" in decision.reason


@pytest.mark.parametrize(("theirs", "promoted"), [(40, True), (49, False)])
def test_what_a_person_took_back_has_to_be_beaten_too(theirs: int, promoted: bool) -> None:
    taken_back = replace(
        champion(shared((50, 45, theirs), (50, 45, 45))), name="the version taken back (version 2)"
    )
    better = champion(shared((50, 45, 30), (50, 45, 45)))
    decision = decide(CHALLENGER, better, RULE, taken_back=[taken_back])
    assert decision.promote is promoted
    assert ("from which a person went back" in decision.reason) is not promoted


@given(
    sizes=st.lists(st.integers(1, 60), min_size=2, max_size=2),
    shares=st.lists(st.floats(0, 1), min_size=4, max_size=4),
    margin=st.floats(0, 0.2),
)
def test_two_models_are_never_promoted_over_each_other(
    sizes: list[int], shares: list[float], margin: float
) -> None:
    """Otherwise two backbones would take turns on unchanged data."""
    right = [round(share * size) for share, size in zip(shares, sizes * 2, strict=True)]
    one = shared((sizes[0], right[0], right[2]), (sizes[1], right[1], right[3]))
    other = shared((sizes[0], right[2], right[0]), (sizes[1], right[3], right[1]))
    rule = replace(RULE, margin=margin)
    promoted = [decide(CHALLENGER, champion(test), rule) for test in (one, other)]
    assert not all(decision.promote for decision in promoted)
    assert all(decision.reason.endswith(".") for decision in promoted)


@pytest.mark.parametrize(
    ("test", "promote"),
    [
        (shared((50, 45, 45), (50, 45, 45)), True),
        (shared((50, 45, 45), (50, 44, 45)), True),
        (shared((50, 40, 45), (50, 45, 45)), False),
        (shared((50, 45, 38), (50, 38, 45)), False),
    ],
    ids=["as good", "a point less", "worse", "much worse in one class"],
)
def test_a_model_that_knows_what_it_never_saw_need_not_be_better(
    test: SharedTest, promote: bool
) -> None:
    """Else the first training after an update, a tie, would leave people the older answers."""
    old = champion(test, knows_unfamiliar=False)
    decision = decide(CHALLENGER, old, RULE)
    assert decision.promote is promote
    assert decision.promote is ("not worse by more than the margin" in decision.reason)
    assert not decide(replace(CHALLENGER, knows_unfamiliar=False), old, RULE).promote
    assert not decide(CHALLENGER, replace(old, knows_unfamiliar=True), RULE).promote


def test_the_word_of_a_person_who_went_back_stands_also_then() -> None:
    old = champion(shared((50, 45, 45), (50, 45, 45)), knows_unfamiliar=False)
    assert not decide(CHALLENGER, old, RULE, taken_back=[champion()]).promote
