"""Which labels are probably wrong, so that a person looks at those first.

What belongs here: the table of suspects of a data set. What does not: deleting anything (a
suspect stays in until a person decides), or measuring a model.

Out-of-fold chances (``out_of_fold``) are ranked by cleanlab: label quality is the chance of the
given label ("self-confidence"), and suspects are found by confident learning, which counts per
pair of classes how many labels are wrong and takes the likeliest that many (Northcutt, Jiang and
Chuang, "Confident learning: estimating uncertainty in dataset labels", JAIR 70, 2021; its "prune
by noise rate"). What was compared, and what it finds at which effort, is in
``benchmarks/README.md``.
"""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from reds_pipeline.modeling.out_of_fold import OutOfFold, out_of_fold_chances
from reds_pipeline.modeling.outliers import outlier_scores, unusual
from reds_pipeline.modeling.review_order import LABEL, NEAR_CLASS, reasons, review_ranks

METHOD = "svm, 5 grouped folds, cleanlab self-confidence, prune by noise rate, class means; 2"
"""Changes whenever the same pictures would get another table."""


@dataclass(frozen=True, eq=False)
class LabelIssues:
    """What was found in the labels of a data set.

    Attributes:
        rows: One for each picture, columns of ``storage.tables.LABEL_SUSPECTS``, in the order
            of review. Where a label could not be judged, its chances, guess and quality are None.
        unjudged: For each class whose labels could not be judged, in how many groups its
            pictures are.
        sentence: What was found, for people.
    """

    rows: list[dict[str, Any]]
    unjudged: dict[str, int]
    sentence: str


@dataclass(frozen=True)
class Confusion:
    """Two classes that are taken for one another.

    Attributes:
        class_name: The given label.
        guess: The class that the pictures look like instead.
        pictures: How many.
    """

    class_name: str
    guess: str
    pictures: int


def find_label_issues(
    features: NDArray[np.floating[Any]],
    labels: Sequence[str],
    groups: Sequence[str],
    keys: Sequence[str],
    *,
    seed: int,
) -> LabelIssues:
    """Judge the label of each picture without having learnt from it.

    The same pictures give the same table in whatever order they come.

    Args:
        features: (n, d), finite.
        labels: Class of each picture.
        groups: Group of each picture: authors and duplicates, which must not vouch for it.
        keys: SHA-256 of each picture, all different.
        seed: Of the folds.

    Raises:
        ValueError: The lengths differ, or a key is there twice.
    """
    if not len(features) == len(labels) == len(groups) == len(keys):
        raise ValueError("one label, one group and one key for each row of features")
    if len(set(keys)) != len(keys):
        raise ValueError("a picture is there twice")
    order = np.argsort(np.asarray(keys, dtype=str))
    features = features[order]
    names, units, pictures = (
        [str(values[number]) for number in order] for values in (labels, groups, keys)
    )
    judged = out_of_fold_chances(features, names, units, seed=seed)
    rows = _rows(features, names, units, pictures, judged)
    return LabelIssues(rows, judged.unjudged, _sentence(rows, judged.unjudged))


def confusions(rows: Iterable[Mapping[str, Any]]) -> list[Confusion]:
    """Return the classes that are taken for one another, most pictures first.

    Args:
        rows: Of ``LabelIssues``, or as read from the table.
    """
    counts = Counter(
        (row["class_name"], row["guess"]) for row in rows if row["reason"] in (LABEL, NEAR_CLASS)
    )
    ordered = sorted(counts.items(), key=lambda item: (-item[1], item[0]))
    return [Confusion(given, guess, pictures) for (given, guess), pictures in ordered]


def label_issues_key(
    keys: Sequence[str], labels: Sequence[str], groups: Sequence[str], encoder_id: str, seed: int
) -> str:
    """Return 64 hexadecimal digits, equal only if ``find_label_issues`` would find the same.

    Args:
        keys: SHA-256 of each picture, in any order.
        labels: Class of each picture.
        groups: Group of each picture.
        encoder_id: Which encoder made the features.
        seed: Of the folds.
    """
    pictures = sorted(zip(keys, labels, groups, strict=True))
    return hashlib.sha256(json.dumps([METHOD, encoder_id, seed, pictures]).encode()).hexdigest()


def _rows(
    features: NDArray[np.floating[Any]],
    names: list[str],
    units: list[str],
    pictures: list[str],
    judged: OutOfFold,
) -> list[dict[str, Any]]:
    suspect, quality = _judge(names, judged)
    unlike = outlier_scores(features, names, units)
    outlier = unusual(unlike)
    known = judged.judged
    guess = np.full(len(names), None, dtype=object)
    own, highest = np.full((2, len(names)), np.nan)
    if known.any():
        chances = judged.chances[known]
        classes = np.asarray(judged.classes)
        own[known] = chances[np.arange(len(chances)), _codes(names, judged)]
        highest[known] = chances.max(axis=1)
        guess[known] = classes[chances.argmax(axis=1)].tolist()
    otherwise = known & (guess != np.asarray(names, dtype=object))
    why = reasons(suspect, otherwise, outlier)
    ranks = review_ranks(why, quality, unlike, pictures)
    rows = [
        {
            "sha256": pictures[number],
            "class_name": names[number],
            "class_probability": _known(own[number]),
            "guess": guess[number],
            "guess_probability": _known(highest[number]),
            "label_quality": _known(quality[number]),
            "is_suspect": bool(suspect[number]),
            "outlier_score": float(unlike[number]),
            "is_outlier": bool(outlier[number]),
            "reason": why[number],
            "review_rank": int(ranks[number]),
        }
        for number in range(len(names))
    ]
    return sorted(rows, key=lambda row: row["review_rank"])


def _judge(names: list[str], judged: OutOfFold) -> tuple[NDArray[np.bool_], NDArray[np.float64]]:
    """Return whether each label is a suspect, and its quality, NaN where not judged."""
    suspect = np.zeros(len(names), bool)
    quality = np.full(len(names), np.nan)
    if not judged.judged.any():
        return suspect, quality
    from cleanlab.filter import find_label_issues as confident_learning
    from cleanlab.rank import get_label_quality_scores

    codes = _codes(names, judged)
    chances = judged.chances[judged.judged]
    # One process: more of them copy the chances, and take longer to start than the work takes.
    suspect[judged.judged] = confident_learning(
        codes, chances, filter_by="prune_by_noise_rate", n_jobs=1
    )
    quality[judged.judged] = get_label_quality_scores(codes, chances, method="self_confidence")
    return suspect, quality


def _codes(names: list[str], judged: OutOfFold) -> NDArray[np.int64]:
    """Return int64 (judged pictures,), the column of each picture's class."""
    column = {name: number for number, name in enumerate(judged.classes)}
    known = np.flatnonzero(judged.judged)
    return np.array([column[names[number]] for number in known], np.int64)


def _known(value: float) -> float | None:
    return None if np.isnan(value) else float(value)


def _sentence(rows: Sequence[Mapping[str, Any]], unjudged: Mapping[str, int]) -> str:
    suspects = sum(row["is_suspect"] for row in rows)
    up_for_review = sum(row["reason"] != "" for row in rows)
    found = (
        f"{up_for_review} of {len(rows)} pictures are up for review first, {suspects} of them "
        "because their label is probably wrong"
    )
    if not unjudged:
        return f"{found}."
    left_out = ", ".join(f"{name} ({groups})" for name, groups in sorted(unjudged.items()))
    return (
        f"{found}; the labels of these classes could not be judged, because too few different "
        f"authors or clusters stand behind them: {left_out}."
    )
