from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from reds_pipeline.drawing import PALETTE
from reds_pipeline.modeling.backbone_comparison import (
    Prediction,
    Results,
    compare_pair,
    compare_to_best,
    leakage,
)
from reds_pipeline.modeling.comparison_figure import difference_figure
from reds_pipeline.modeling.comparison_words import rows_for_people
from reds_pipeline.modeling.fold_tests import compare_folds
from reds_pipeline_tests.figure_checks import assert_readable, coloured

PICTURES, FOLDS = 300, 5


def results(
    backbone: str, accuracy: float, *, seed: int = 0, digest: str = "data", turned: int = 0
) -> Results:
    """Results on 300 pictures, of which every tenth tests; ``turned`` moves the folds round."""
    random = np.random.default_rng(seed)
    predictions = {
        f"picture {number:03}": Prediction(
            fold=-1 if number % 10 == 0 else (number + turned) % FOLDS,
            class_name="cat" if number % 2 else "dog",
            correct=bool(random.random() < accuracy),
            group=f"author {number // 3}",
        )
        for number in range(PICTURES)
    }
    folds = [
        [found.correct for found in predictions.values() if found.fold == fold]
        for fold in range(FOLDS)
    ]
    return Results(backbone, tuple(float(np.mean(fold)) for fold in folds), digest, predictions)


GOOD, POOR = results("good", 0.95, seed=1), results("poor", 0.6, seed=2)
OLDER = replace(POOR, predictions={})


@pytest.mark.req("R-EXP-9")
def test_pictures_of_the_folds_and_of_the_test_are_kept_apart() -> None:
    pair = compare_pair(POOR, GOOD)
    assert (pair.first, pair.second) == ("good", "poor")
    assert pair.unseen is not None
    assert pair.test is not None
    assert (pair.unseen.pictures, pair.test.pictures) == (270, 30)
    unseen = [key for key, one in GOOD.predictions.items() if one.fold >= 0]
    right = [sum(r.predictions[key].correct for key in unseen) for r in (GOOD, POOR)]
    assert pair.unseen.difference == pytest.approx((right[0] - right[1]) / 270)
    assert pair.folds == compare_folds(GOOD.fold_accuracy, POOR.fold_accuracy)
    assert pair.sentence.startswith("good is better than poor: ")


def test_only_what_both_judged_under_the_same_label_is_compared() -> None:
    predictions = dict(POOR.predictions)
    predictions["picture 001"] = replace(predictions["picture 001"], class_name="bird")
    predictions["picture 002"] = replace(predictions["picture 002"], fold=-1)
    del predictions["picture 003"]
    pair = compare_pair(GOOD, replace(POOR, predictions=predictions))
    assert pair.unseen is not None
    assert pair.test is not None
    assert (pair.unseen.pictures, pair.test.pictures) == (267, 30)


@pytest.mark.parametrize(
    "other",
    [
        pytest.param(replace(POOR, dataset_digest="other"), id="other data"),
        pytest.param(results("poor", 0.6, seed=2, turned=1), id="other folds"),
        pytest.param(replace(POOR, fold_accuracy=POOR.fold_accuracy[:3]), id="fewer folds"),
    ],
)
def test_tests_on_folds_are_left_out_when_the_folds_are_not_the_same(other: Results) -> None:
    """Paired tests on folds of other pictures would be nonsense, so there is none."""
    pair = compare_pair(GOOD, other)
    assert pair.folds is None
    assert "training pictures were not the same" in pair.sentence
    assert not any("fold accuracies" in row["test"] for row in rows_for_people(pair))


def test_a_home_of_an_older_version_is_compared_by_folds_and_says_so() -> None:
    pair = compare_pair(GOOD, OLDER)
    assert pair.unseen is pair.test is None
    assert pair.folds is not None
    assert "cannot be compared picture by picture" in pair.sentence
    assert len(rows_for_people(pair)) == 3


def test_the_best_is_set_against_each_other_one_and_p_accounts_for_it() -> None:
    pairs = compare_to_best([POOR, results("middling", 0.8, seed=3), GOOD])
    assert [(pair.first, pair.second) for pair in pairs] == [
        ("good", "middling"),
        ("good", "poor"),
    ]
    for pair in pairs:
        assert pair.unseen is not None
        assert pair.unseen.adjusted_p >= pair.unseen.mcnemar_p
    middling = pairs[0].unseen
    assert middling is not None
    alone = compare_to_best([GOOD, results("middling", 0.8, seed=3)])[0].unseen
    assert alone is not None
    assert alone.adjusted_p == alone.mcnemar_p == middling.mcnemar_p
    assert middling.adjusted_p == pytest.approx(2 * middling.mcnemar_p), "second of three pairs"


def test_one_backbone_is_compared_with_nothing() -> None:
    assert compare_to_best([GOOD]) == []


def test_backbones_without_predictions_stay_in_their_place_among_others() -> None:
    pairs = compare_to_best([GOOD, results("middling", 0.8, seed=3), OLDER])
    assert [pair.unseen is None for pair in pairs] == [False, True]


@pytest.mark.req("R-EXP-9")
def test_the_rows_say_which_tests_are_valid_and_why() -> None:
    valid = {row["test"]: row["valid"] for row in rows_for_people(compare_pair(GOOD, POOR))}
    assert {name: text.split(":")[0].split(",")[0] for name, text in valid.items()} == {
        "Bootstrap over groups (folds)": "yes",
        "McNemar (folds)": "nearly",
        "Bootstrap over groups (test)": "yes",
        "McNemar (test)": "nearly",
        "Corrected resampled t (fold accuracies)": "yes",
        "Wilcoxon's signed ranks (fold accuracies)": "no",
        "Mann-Whitney (fold accuracies)": "no",
    }
    assert "0.0625" in valid["Wilcoxon's signed ranks (fold accuracies)"]
    assert "30 pictures prove little" in valid["Bootstrap over groups (test)"]


def test_folds_without_spread_are_called_invalid() -> None:
    same = [replace(one, fold_accuracy=(0.9,) * 5) for one in (GOOD, POOR)]
    row = next(row for row in rows_for_people(compare_pair(*same)) if "resampled" in row["test"])
    assert row["p"] == ""
    assert row["valid"].startswith("no")


@pytest.mark.parametrize(
    ("report", "sentence"),
    [
        pytest.param(results("good", 0.99, seed=7), "flatters good by", id="leaks"),
        pytest.param(GOOD, "cannot be seen to flatter good", id="does not"),
        pytest.param(results("good", 0.4, seed=7), "disfavours good by", id="the other way"),
    ],
)
@pytest.mark.req("R-EXP-2")
def test_leakage_is_report_less_grouped(report: Results, sentence: str) -> None:
    grouped = results("good", 0.9, seed=9) if "flatters good by" in sentence else GOOD
    found = leakage(report, grouped)
    assert found is not None
    assert sentence in found.sentence
    assert "95 % interval" in found.sentence
    assert leakage(OLDER, POOR) is None


def test_the_figure_draws_both_parts_and_follows_the_numbers() -> None:
    pairs = compare_to_best([POOR, GOOD, results("middling", 0.8, seed=3)])
    drawn = difference_figure(pairs, "Difference")
    assert_readable(drawn)
    assert coloured(drawn, PALETTE[0]) > 50
    assert coloured(drawn, PALETTE[1]) > 50
    assert drawn == difference_figure(pairs, "Difference")
    assert drawn != difference_figure(pairs[:1], "Difference")
    assert_readable(difference_figure([compare_pair(GOOD, OLDER)], "Nothing to draw"))
