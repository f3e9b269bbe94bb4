"""How near a home's photographs are to what its backbones know, and whether they drift.

What belongs here: bringing predictions, embeddings, times of posting and the backbones' own heads
together (R-IMP-8). What does not: measuring (``modeling.domain_shift``,
``modeling.feature_drift``), the sentences (``modeling.domain_shift_words``) and Dagster.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from reds_pipeline.class_states import learnt_rows_of
from reds_pipeline.kept_reports import KeptReport, Made, kept_report
from reds_pipeline.predicted_pictures import (
    PredictedPictures,
    grouped_training,
    predicted_pictures,
)
from reds_pipeline.settings import Settings
from reds_pipeline.storage.home import Home
from reds_pipeline.storage.tables import CLASS_SELECTION, read_rows
from reds_pipeline.tracking import Tracking

if TYPE_CHECKING:
    from reds_pipeline.modeling.domain_shift import Share, ZeroShot
    from reds_pipeline.modeling.feature_drift import Period

REPORT = "domain_shift"
ANSWERS_FIGURE, DRIFT_FIGURE = "domain_shift_answers.png", "domain_shift_months.png"
SVM, NEIGHBOURS, ZERO_SHOT = (
    "linear SVM",
    "nearest neighbours, nothing fitted",
    "its ImageNet head, nothing learnt here",
)
# The accuracy of the SVM itself is logged by its training.
_METRICS = {NEIGHBOURS: "nearest_neighbours", ZERO_SHOT: "zero_shot"}
# Raised when other numbers come out of the same predictions.
_RULE = 1


def domain_shift_report(home: Home, settings: Settings, tracking: Tracking) -> KeptReport:
    """Measure every configured backbone that has been trained.

    Numbers are added to the grouped run of each backbone in MLflow too.

    Returns:
        A report whose content holds, under ``backbones``, for each: ``answers`` (right,
        pictures, accuracy, low, high, by way to answer), ``zero_shot`` (a sentence), ``drift``
        (periods), ``old_against_new`` (or None), ``sentence``.

    Raises:
        RedsError: WordNet is missing, or a picture has not been embedded.
    """
    rows = {name: row for name in settings.backbones if (row := grouped_training(home, name))}
    selection = read_rows(home.table("class_selection"), CLASS_SELECTION)
    inputs = {
        "rule": _RULE,
        "trainings": {name: row["training_key"] for name, row in rows.items()},
        "selection": [[row["lemma"], row["synset"]] for row in learnt_rows_of(selection)],
        # A file with a head may have come since.
        "weights": {name: row["weights"] for name, row in rows.items()},
    }
    synsets = {row["lemma"]: row["synset"] or "" for row in selection}

    def make() -> Made:
        made = _make(home, settings, list(rows), synsets)
        for name, found in made[0]["backbones"].items():
            tracking.add_metrics(rows[name]["run_id"], _metrics(found))
        return made

    return kept_report(home, REPORT, inputs, make)


def _make(
    home: Home, settings: Settings, backbones: Sequence[str], synsets: Mapping[str, str]
) -> Made:
    from reds_pipeline.modeling.domain_shift_figure import answers_figure, drift_figure

    content: dict[str, Any] = {}
    answers: dict[str, Mapping[str, Share]] = {}
    drifts: dict[str, Sequence[Period]] = {}
    for name in backbones:
        pictures = predicted_pictures(home, name)
        if pictures is None:
            continue
        content[name], answers[name], drifts[name] = _measure(
            name, pictures, settings, synsets, home.embeddings
        )
    if not content:
        return {"backbones": {}}, {}
    return {"backbones": content}, {
        ANSWERS_FIGURE: answers_figure(answers, "What each backbone answers rightly, out of fold"),
        DRIFT_FIGURE: drift_figure(drifts, "How far each month's pictures lie from all"),
    }


def _measure(
    backbone: str,
    pictures: PredictedPictures,
    settings: Settings,
    synsets: Mapping[str, str],
    notes_dir: Path,
) -> tuple[dict[str, Any], dict[str, Share], tuple[Period, ...]]:
    from reds_pipeline.modeling.domain_shift import nearest_neighbours, share_of
    from reds_pipeline.modeling.domain_shift_words import drift_in_words, nearness_in_words
    from reds_pipeline.modeling.feature_drift import monthly_drift, old_against_new

    seed = settings.seed
    right = np.asarray(pictures.labels) == np.asarray(pictures.predicted)
    answers = {
        SVM: share_of(right),
        NEIGHBOURS: nearest_neighbours(
            pictures.features, pictures.labels, pictures.fold, seed=seed
        ),
    }
    zero, why = _ask_head(backbone, pictures, settings, synsets, notes_dir)
    if zero is not None:
        answers[ZERO_SHOT] = zero.share
    dated = [number for number, moment in enumerate(pictures.created_at) if moment]
    over_time = (
        pictures.features[dated],
        [pictures.labels[number] for number in dated],
        [pictures.groups[number] for number in dated],
        [pictures.created_at[number] for number in dated],
    )
    drift = monthly_drift(*over_time, seed=seed)
    times = old_against_new(*over_time, seed=seed)
    content = {
        "embeddings_id": pictures.embeddings_id,
        "answers": {
            way: {**asdict(share), "accuracy": share.accuracy} for way, share in answers.items()
        },
        "zero_shot": why,
        "drift": [asdict(period) for period in drift],
        "old_against_new": asdict(times) if times else None,
        "sentence": " ".join(
            [
                nearness_in_words(answers[SVM], answers[NEIGHBOURS], answers.get(ZERO_SHOT)),
                drift_in_words(drift, times),
            ]
        ),
    }
    return content, answers, drift


def _metrics(found: Mapping[str, Any]) -> dict[str, float]:
    """Return what MLflow shows beside a training, under the same names for every backbone."""
    metrics = {
        f"domain/{_METRICS[way]}": float(share["accuracy"])
        for way, share in found["answers"].items()
        if way in _METRICS
    }
    if found["old_against_new"]:
        metrics["domain/old_against_new_auc"] = found["old_against_new"]["auc"]
    return metrics


def _ask_head(
    backbone: str,
    pictures: PredictedPictures,
    settings: Settings,
    synsets: Mapping[str, str],
    notes_dir: Path,
) -> tuple[ZeroShot | None, str]:
    """Return what the backbone's own head answers, and a sentence on how it was asked."""
    from reds_pipeline.embedding.imagenet_head import NoImagenetHead, read_imagenet_head
    from reds_pipeline.lexicon.imagenet_kinds import kinds_among
    from reds_pipeline.lexicon.wordnet import load_wordnet
    from reds_pipeline.modeling.domain_shift import zero_shot
    from reds_pipeline.modeling.domain_shift_words import zero_shot_in_words

    try:
        head = read_imagenet_head(backbone, settings.weights_dir, notes_dir)
    except NoImagenetHead as reason:
        return None, str(reason)
    classes = {name: synsets.get(name, "") for name in sorted(set(pictures.labels))}
    kinds = kinds_among(classes, head.names, load_wordnet())
    result = zero_shot(pictures.features, pictures.labels, (head.weights, head.bias), kinds)
    if result is None:
        return None, "ImageNet has kinds of fewer than two of the classes."
    return result, zero_shot_in_words(result, kinds)
