"""The tests of one comparison as rows for people, each with what it is worth.

What belongs here: which test is valid here and why, in words (R-EXP-9). What does not: computing
any of them, or how a table is printed.
"""

from __future__ import annotations

from reds_pipeline.modeling.backbone_comparison import BackbonePair
from reds_pipeline.modeling.comparison import PairedComparison
from reds_pipeline.modeling.fold_tests import FoldTests

Row = dict[str, str]


def rows_for_people(pair: BackbonePair) -> list[Row]:
    """Return one row a test: ``test``, ``result``, ``p`` and ``valid``, what it is worth here.

    The most telling comes first. A test that could not be made has no row.
    """
    return [
        *(_rows_of_pictures(pair.unseen, "the folds") if pair.unseen else []),
        *(_rows_of_pictures(pair.test, "the test") if pair.test else []),
        *(_rows_of_folds(pair.folds) if pair.folds else []),
    ]


def _rows_of_pictures(found: PairedComparison, where: str) -> list[Row]:
    spread = (
        "; the folds' models share training pictures, and how others would have done is not in it"
        if where == "the folds"
        else f"; {found.pictures} pictures prove little"
        if found.pictures < 500
        else ""
    )
    adjusted = (
        ""
        if found.adjusted_p == found.mcnemar_p
        else f", {_p(found.mcnemar_p)} before Holm's correction"
    )
    return [
        {
            "test": f"Bootstrap over groups, pictures of {where}",
            "result": f"{100 * found.difference:+.1f} points "
            f"({100 * found.low:+.1f} to {100 * found.high:+.1f})",
            "p": "",
            "valid": f"yes: the same pictures, in {found.groups} whole groups{spread}",
        },
        {
            "test": f"McNemar, pictures of {where}",
            "result": f"only the one right {found.first_only}, only the other {found.second_only}",
            "p": _p(found.adjusted_p) + adjusted,
            "valid": "nearly: pictures of one author are not independent, which makes p too small",
        },
    ]


def _rows_of_folds(tests: FoldTests) -> list[Row]:
    least = 2 / 2**tests.folds
    return [
        {
            "test": "Corrected resampled t, folds",
            "result": "" if tests.corrected_t is None else f"t = {tests.corrected_t:.2f}",
            "p": "" if tests.corrected_t_p is None else _p(tests.corrected_t_p),
            "valid": "yes, roughly: corrected for the training pictures that folds share"
            if tests.corrected_t is not None
            else "no: every fold differs by the same, so there is no spread to judge by",
        },
        {
            "test": "Wilcoxon's signed ranks, folds",
            "result": "",
            "p": _p(tests.wilcoxon_p),
            "valid": f"no: with {tests.folds} folds p cannot fall below {least:.4g}, whatever the "
            "difference",
        },
        {
            "test": "Mann-Whitney, folds",
            "result": f"U = {tests.u:g}",
            "p": _p(tests.mann_whitney_p),
            "valid": "no: it takes the folds for independent; kept because the report used it",
        },
    ]


def _p(value: float) -> str:
    return f"{value:.2g}" if value >= 0.0001 else "< 0.0001"
