"""Every figure of the source report that can be computed again, computed by our own functions.

Ids are those of the catalogue of requirements: ``AUD-R`` for a figure that was found wrong or
unclear, ``R`` for one that holds. ``ELSEWHERE`` names the tests that check the others. Not here:
AUD-R10 (a misprinted word), which is a matter of reading, AUD-R16 (an image name that is none),
which ``test_documentation.py`` looks at, and AUD-R7, the ratio of two printed times, which nothing
of ours computes.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Callable
from itertools import product
from math import floor
from pathlib import Path

import numpy as np
import pytest

from reds_pipeline.imaging.resize import crop_box
from reds_pipeline.imaging.statistics import disk_sizes, shape_statistics
from reds_pipeline.modeling.comparison import compare_predictions
from reds_pipeline.modeling.fold_tests import compare_folds, fold_statistics
from reds_pipeline.modeling.intervals import wilson_interval
from reds_pipeline.modeling.splits import make_split

TESTS = Path(__file__).parent

VGG = [0.900, 0.912, 0.920, 0.921, 0.907]
VIT = [0.946, 0.956, 0.945, 0.940, 0.953]

ELSEWHERE = {
    "AUD-R9": ("imaging/test_statistics.py", "test_the_overall_share_weighs_each_image_alike"),
    "AUD-R14": (
        "embedding/test_architecture.py",
        "test_vit_has_twelve_blocks_and_sixteen_is_the_size_of_its_patches",
    ),
    "AUD-R17": ("lexicon/test_golden_tags.py", "test_the_arithmetic_of_the_tags"),
    "AUD-R18": ("lexicon/test_semantics.py", "test_everything_is_fully_similar_to_itself"),
    "AUD-R18 (senses)": (
        "lexicon/test_semantics.py",
        "test_warns_when_other_senses_are_much_closer",
    ),
    "R-TAG-8": ("lexicon/test_hashtags.py", "test_noun_lemmas"),
    "R-CLS-6": ("lexicon/test_semantics.py", "test_similarity_of_the_reports_classes"),
    "R-CLS-7": ("lexicon/test_semantics.py", "test_everything_is_fully_similar_to_itself"),
    "R-CLS-8": ("lexicon/test_semantics.py", "test_number_of_kinds"),
    "R-CLS-8 (overlap)": (
        "lexicon/test_semantics.py",
        "test_the_reports_classes_neither_contain_nor_overlap_one_another",
    ),
    "R-IMG-5": ("imaging/test_resize.py", "test_the_aspect_rule"),
    "R-EXP-8": ("modeling/test_fold_tests.py", "test_the_reports_mann_whitney"),
    "R-EXP-9": ("modeling/test_fold_tests.py", "test_the_paired_tests_on_the_reports_folds"),
    "R-EXP-11 (VGG16)": (
        "embedding/test_architecture.py",
        "test_vgg16_has_thirteen_convolutions_and_three_fully_connected_layers",
    ),
    "R-EXP-14": ("modeling/test_intervals.py", "test_interval_of_the_reports_test_accuracy"),
}

NEEDED = (
    *(f"R-EXP-{number}" for number in range(1, 16)),
    *(f"R-PRD-{number}" for number in range(1, 7)),
    *(f"R-IMP-{number}" for number in (1, 3, 6, 7, 8)),
)
"""What experiments and production have to have a test for."""


def _truncated(share: float) -> float:
    # A whole number of thousandths must not fall below itself in binary.
    return floor(share * 1000 + 1e-9) / 1000


def _rounded(share: float) -> float:
    return round(share, 3)


def _shares_that_print_as(
    printed: list[float], pictures: int, shorten: Callable[[float], float]
) -> list[list[float]]:
    """All accuracies on folds of so many pictures that print as each of the figures."""
    shares = [correct / pictures for correct in range(pictures + 1)]
    return [[share for share in shares if shorten(share) == figure] for figure in printed]


@pytest.mark.req("R-EXP-15")
@pytest.mark.req("AUD-R1")
@pytest.mark.req("AUD-R2")
@pytest.mark.req("AUD-R3")
@pytest.mark.parametrize(
    ("folds", "mean", "ddof0", "ddof1"),
    [
        pytest.param(VGG, 0.912, 6.28e-5, 7.85e-5, id="VGG16, printed .912 and 6.22e-5"),
        pytest.param(VIT, 0.948, 3.32e-5, 4.15e-5, id="ViT-B/16, printed .98 and 3.32e-5"),
    ],
)
def test_means_and_variances(folds: list[float], mean: float, ddof0: float, ddof1: float) -> None:
    statistics = fold_statistics(folds)
    assert statistics.mean == pytest.approx(mean, abs=1e-12)
    assert statistics.var_ddof0 == pytest.approx(ddof0, abs=1e-12)
    assert statistics.var_ddof1 == pytest.approx(ddof1, abs=1e-12)


@pytest.mark.req("AUD-R2")
@pytest.mark.parametrize("shorten", [_rounded, _truncated])
@pytest.mark.parametrize("pictures", [500, 800, 900, 1000])
def test_no_accuracies_give_the_printed_variance_of_vgg16(
    pictures: int, shorten: Callable[[float], float]
) -> None:
    """So 6.22e-5 is a misprint, whatever the size of the folds."""
    for folds in product(*_shares_that_print_as(VGG, pictures, shorten)):
        assert round(fold_statistics(folds).var_ddof0 * 1e5, 2) != 6.22


@pytest.mark.req("AUD-R5")
def test_the_printed_folds_are_not_those_of_nine_tenths_of_the_pictures() -> None:
    """No 900 pictures give .945 rounded, nor 3.32e-5 truncated; folds of 1,000 give both."""
    assert _shares_that_print_as([0.945], 900, _rounded) == [[]]
    for pictures in (800, 900):
        for folds in product(*_shares_that_print_as(VIT, pictures, _truncated)):
            assert round(fold_statistics(folds).var_ddof0 * 1e5, 2) != 3.32
    of_all = [shares[0] for shares in _shares_that_print_as(VIT, 1000, _rounded)]
    assert round(fold_statistics(of_all).var_ddof0 * 1e5, 2) == 3.32


@pytest.mark.req("AUD-R5")
@pytest.mark.req("R-EXP-3")
def test_our_folds_are_those_of_nine_tenths_of_the_pictures() -> None:
    """500 to test, five folds of 900, each predicted by a model of 3,600 and not of 4,000."""
    labels = [name for name in ("bird", "car", "cat", "dog", "flower") for _ in range(1000)]
    split = make_split(labels, labels, protocol="report", seed=42)
    assert int(split.test.sum()) == 500
    assert np.bincount(split.fold[split.training]).tolist() == [900] * 5
    assert {int((split.training & (split.fold != fold)).sum()) for fold in range(5)} == {3600}


@pytest.mark.req("AUD-R4")
def test_the_mann_whitney_p_is_the_smallest_that_five_folds_can_give() -> None:
    """Any other two backbones whose folds do not overlap have the same p."""
    result = compare_folds(VGG, VIT)
    assert result.u == 25
    assert result.mann_whitney_p == pytest.approx(2 / 252)
    assert result.mann_whitney_p / 2 == pytest.approx(0.00397, abs=5e-6)
    others = compare_folds([0.1, 0.2, 0.3, 0.4, 0.5], [0.91, 0.92, 0.93, 0.94, 0.95])
    assert others.mann_whitney_p == pytest.approx(result.mann_whitney_p)


@pytest.mark.req("AUD-R6")
def test_the_conclusion_survives_the_corrected_test_and_not_the_signed_ranks() -> None:
    result = compare_folds(VIT, VGG)
    assert result.wilcoxon_p == 0.0625
    assert result.corrected_t == pytest.approx(4.13, abs=5e-3)
    assert result.corrected_t_p == pytest.approx(0.0144, abs=5e-5)


@pytest.mark.req("AUD-R6")
def test_what_picture_by_picture_would_have_said_of_the_report_s_backbones() -> None:
    """Whether VGG16 errs wherever ViT does, or always on other pictures."""
    right = {"ViT-B/16": 4740, "VGG16": 4560}
    vit = np.arange(5000) < right["ViT-B/16"]
    nested = np.arange(5000) < right["VGG16"]
    apart = np.roll(nested, 5000 - right["VGG16"] + 200)
    for vgg in (nested, apart):
        found = compare_predictions("ViT-B/16", vit, "VGG16", vgg, list(range(5000)))
        assert found.difference == pytest.approx(0.036)
        assert found.better == "ViT-B/16"


@pytest.mark.req("AUD-R8")
def test_the_variances_differ_by_less_than_twice() -> None:
    ratio = fold_statistics(VGG).var_ddof0 / fold_statistics(VIT).var_ddof0
    assert ratio == pytest.approx(1.89, abs=5e-3)


@pytest.mark.req("AUD-R11")
def test_the_images_are_not_square_on_average() -> None:
    """Five equal classes with the printed means of width / height."""
    means = {"dog": 101, "cat": 104, "flower": 113, "bird": 128, "car": 137}
    overall = shape_statistics("all", [(width, 100) for width in means.values()])
    assert overall.aspect_mean == pytest.approx(1.166)


@pytest.mark.req("AUD-R12")
def test_a_picture_that_is_not_cropped_is_squeezed_by_up_to_eleven_per_cent() -> None:
    """Not by less than ten: at 0.9 the width is stretched by 1 / 0.9."""
    kept = [width for width in range(500, 2000) if not crop_box(width, 1000)[1]]
    assert (min(kept), max(kept)) == (900, 1100)
    assert max(max(width / 1000, 1000 / width) for width in kept) == pytest.approx(1.111, abs=5e-4)


@pytest.mark.req("AUD-R13")
def test_five_thousand_squares_take_three_quarters_of_a_gigabyte() -> None:
    rows = [{"class_name": "cat", "sha256": str(key), "kept": True} for key in range(5000)]
    *_, everything = disk_sizes(rows, {})
    sizes = (everything.uint8_bytes, everything.float32_bytes, everything.float64_bytes)
    assert [round(size / 1e9, 2) for size in sizes] == [0.75, 3.01, 6.02]


@pytest.mark.req("AUD-R15")
def test_the_interval_of_vits_test_accuracy() -> None:
    assert wilson_interval(485, 500) == pytest.approx((0.951, 0.982), abs=5e-4)


@pytest.mark.parametrize(("file", "test"), ELSEWHERE.values(), ids=list(ELSEWHERE))
def test_the_tests_of_the_other_figures_are_where_they_are_said_to_be(file: str, test: str) -> None:
    tree = ast.parse((TESTS / file).read_text(encoding="utf-8"))
    assert test in {node.name for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)}


@pytest.mark.parametrize("requirement", NEEDED)
def test_every_requirement_of_experiments_and_production_has_a_test(requirement: str) -> None:
    cited = {
        found
        for path in TESTS.rglob("test_*.py")
        for found in re.findall(r'mark\.req\("([\w-]+)"\)', path.read_text(encoding="utf-8"))
    }
    assert requirement in cited
