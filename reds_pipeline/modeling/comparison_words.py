"""The tests of one comparison as rows for people, each with what it is worth.

What belongs here: which test is valid here and why, in words (R-EXP-9). What does not: computing
any of them, or how a table is printed.
"""

from __future__ import annotations

from reds_pipeline.modeling.backbone_comparison import BackbonePair
from reds_pipeline.modeling.comparison import PairedComparison, p_in_words
from reds_pipeline.modeling.fold_tests import FoldTests

Row = dict[str, str]

_FEW_PICTURES = 500


def rows_for_people(pair: BackbonePair) -> list[Row]:
    """Return one row a test: ``test``, ``result``, ``p`` and ``valid``, what it is worth here.

    The most telling comes first. A test that could not be made has no row.
    """
    return [
        *(_rows_of_pictures(pair.unseen, "folds") if pair.unseen else []),
        *(_rows_of_pictures(pair.test, "test") if pair.test else []),
        *(_rows_of_folds(pair.folds) if pair.folds else []),
    ]


def _rows_of_pictures(found: PairedComparison, where: str) -> list[Row]:
    reservation = ""
    if where == "folds":
        reservation = "; says nothing of models that learn from other pictures"
    elif found.pictures < _FEW_PICTURES:
        reservation = f"; {found.pictures} pictures prove little"
    alone = "" if found.adjusted_p == found.mcnemar_p else f" ({_p(found.mcnemar_p)} alone)"
    return [
        {
            "test": f"Bootstrap over groups ({where})",
            "result": f"{100 * found.difference:+.1f} points "
            f"({100 * found.low:+.1f} to {100 * found.high:+.1f})",
            "p": "",
            "valid": f"yes: the same pictures, in {found.groups} whole groups{reservation}",
        },
        {
            "test": f"McNemar ({where})",
            "result": f"right alone {found.first_only} : {found.second_only}",
            "p": _p(found.adjusted_p) + alone,
            "valid": "nearly: pictures of one author are alike, which makes p too small",
        },
    ]


def _rows_of_folds(tests: FoldTests) -> list[Row]:
    least = 2 / 2**tests.folds
    return [
        {
            "test": "Corrected resampled t (fold accuracies)",
            "result": "" if tests.corrected_t is None else f"t = {tests.corrected_t:.2f}",
            "p": "" if tests.corrected_t_p is None else _p(tests.corrected_t_p),
            "valid": "yes, roughly: corrected for the training pictures that folds share"
            if tests.corrected_t is not None
            else "no: every fold differs by the same, so there is no spread to judge by",
        },
        {
            "test": "Wilcoxon's signed ranks (fold accuracies)",
            "result": "",
            "p": _p(tests.wilcoxon_p),
            "valid": f"no: folds share training pictures; with {tests.folds} p cannot fall below "
            f"{least:.4g}",
        },
        {
            "test": "Mann-Whitney (fold accuracies)",
            "result": f"U = {tests.u:g}",
            "p": _p(tests.mann_whitney_p),
            "valid": "no: it takes folds for independent; here because the report used it",
        },
    ]


def _p(value: float) -> str:
    return p_in_words(value).removeprefix("p").removeprefix(" =").strip()
