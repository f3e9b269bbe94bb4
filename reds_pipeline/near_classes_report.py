"""Which classes a release would confuse, and what adding a class would risk.

What belongs here: bringing WordNet, predictions and embeddings of a home together (R-CLS-13,
R-EXP-12, R-IMP-7). What does not: measuring (``modeling.near_classes``) and Dagster.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from itertools import islice
from typing import TYPE_CHECKING, Any

from reds_pipeline.class_states import state_of
from reds_pipeline.errors import RedsError
from reds_pipeline.kept_reports import KeptReport, Made, kept_report
from reds_pipeline.lexicon.class_memory import LEARNING
from reds_pipeline.predicted_pictures import grouped_training, predicted_pictures
from reds_pipeline.storage.home import Home
from reds_pipeline.storage.tables import CLASS_SELECTION, read_rows
from reds_pipeline.tracking import Tracking

if TYPE_CHECKING:
    from nltk.corpus.reader.wordnet import WordNetCorpusReader

    from reds_pipeline.modeling.near_classes import CandidateRisk, NearClasses

REPORT = "near_classes"
FIGURE = "near_classes.png"
# Raised when other numbers come out of the same predictions.
_RULE = 2
_MOST_PAIRS = 50
_MOST_CANDIDATES = 10


def near_classes_report(
    home: Home, backbones: Sequence[str], tracking: Tracking, candidates: Sequence[str] = ()
) -> KeptReport:
    """Measure the pairs of classes of every backbone and the candidates' risk.

    The shares confused of the most confused pair and of the nearest in meaning are added to the
    grouped run of each backbone in MLflow too.

    Args:
        home: The installation's home.
        backbones: Those configured.
        tracking: Where the runs are.
        candidates: Words that might become classes; by default the most frequent lemmas of the
            sample that did not become one, though their meaning would allow it.

    Returns:
        A report whose content holds ``of`` (the backbone with the highest mean of folds, for
        whom ``sentence`` speaks), ``backbones`` and ``candidates``.

    Raises:
        RedsError: WordNet is missing, or does not know a candidate that was asked for.
    """
    rows = {name: row for name in backbones if (row := grouped_training(home, name))}
    selection = read_rows(home.table("class_selection"), CLASS_SELECTION)
    inputs = {
        "rule": _RULE,
        "trainings": {name: row["training_key"] for name, row in rows.items()},
        "selection": [
            [row["lemma"], row["synset"], state_of(row) == LEARNING] for row in selection
        ],
        "candidates": list(candidates),
    }
    means = {name: float(row["cv_mean"]) for name, row in rows.items()}

    def make() -> Made:
        made = _make(home, means, selection, candidates)
        for name, found in made[0]["backbones"].items():
            tracking.add_metrics(rows[name]["run_id"], found["metrics"])
        return made

    return kept_report(home, REPORT, inputs, make)


def _make(
    home: Home,
    means: dict[str, float],
    selection: Sequence[dict[str, Any]],
    candidates: Sequence[str],
) -> Made:
    from reds_pipeline.lexicon.wordnet import load_wordnet
    from reds_pipeline.modeling.near_classes_figure import near_classes_figure

    wordnet = load_wordnet()
    synsets = {row["lemma"]: row["synset"] or "" for row in selection}
    # Asked for by name or not, a word is looked up before anything is measured.
    wanted = _candidate_senses(candidates, selection, wordnet)
    measured = {
        name: near for name in means if (near := _measure(home, name, synsets, wordnet)) is not None
    }
    if not measured:
        return {"of": None, "sentence": "", "backbones": {}, "candidates": []}, {}
    best = max(measured, key=lambda name: means[name])
    return {
        "of": best,
        "sentence": measured[best].sentence,
        "backbones": {name: _as_json(near) for name, near in measured.items()},
        "candidates": [
            {**asdict(risk), "sentence": risk.sentence}
            for risk in _risks(wanted, synsets, measured[best], wordnet)
        ],
    }, {FIGURE: near_classes_figure(measured[best].pairs, f"Near classes of {best}")}


def _measure(
    home: Home, backbone: str, synsets: dict[str, str], wordnet: WordNetCorpusReader
) -> NearClasses | None:
    from reds_pipeline.lexicon.semantics import wu_palmer_matrix
    from reds_pipeline.modeling.near_classes import near_classes

    pictures = predicted_pictures(home, backbone)
    if pictures is None:
        return None
    classes = sorted(set(pictures.labels))
    similarity = wu_palmer_matrix([synsets.get(name, "") for name in classes], wordnet)
    return near_classes(classes, pictures.labels, pictures.predicted, pictures.features, similarity)


def _candidate_senses(
    candidates: Sequence[str],
    selection: Sequence[dict[str, Any]],
    wordnet: WordNetCorpusReader,
) -> dict[str, str]:
    """Return the pinned sense of each candidate."""
    from reds_pipeline.lexicon.class_rules import Breadth, Word, first_objection
    from reds_pipeline.lexicon.semantics import first_sense

    if not candidates:
        # What the rules refuse for its meaning ("love", "photo") is no class of tomorrow either.
        possible = (
            (row["lemma"], row["synset"])
            for row in selection
            if state_of(row) != LEARNING
            and row["synset"]
            and not first_objection(Word(row["lemma"], wordnet), Breadth())
        )
        return dict(islice(possible, _MOST_CANDIDATES))
    senses = {}
    for name in candidates:
        sense = first_sense(name, wordnet)
        if sense is None:
            raise RedsError(
                f"WordNet knows no noun {name}, so nothing can be said of it as a class; name "
                "another word."
            )
        senses[name] = sense.name()
    return senses


def _risks(
    wanted: dict[str, str],
    synsets: dict[str, str],
    measured: NearClasses,
    wordnet: WordNetCorpusReader,
) -> list[CandidateRisk]:
    """Return the risk of each candidate that is none of the classes, the nearest first."""
    from reds_pipeline.lexicon.semantics import wu_palmer_matrix
    from reds_pipeline.modeling.near_classes import candidate_risk

    present = {pair.first for pair in measured.pairs} | {pair.second for pair in measured.pairs}
    classes = sorted(name for name in present if synsets.get(name))
    risks = []
    for name, sense in wanted.items():
        if name in present:
            continue
        line = wu_palmer_matrix([sense, *(synsets[other] for other in classes)], wordnet)[0, 1:]
        near = {other: float(value) for other, value in zip(classes, line, strict=True)}
        if (risk := candidate_risk(name, near, measured)) is not None:
            risks.append(risk)
    return sorted(risks, key=lambda risk: -risk.similarity)


def _as_json(near: NearClasses) -> dict[str, Any]:
    metrics = {"near_classes/most_confused": near.pairs[0].rate}
    if near.nearest_in_meaning is not None:
        metrics["near_classes/nearest_in_meaning"] = near.nearest_in_meaning.rate
    return {
        "metrics": metrics,
        "sentence": near.sentence,
        "meaning_correlation": near.meaning_correlation,
        "feature_correlation": near.feature_correlation,
        "pairs": [{**asdict(pair), "rate": pair.rate} for pair in near.pairs[:_MOST_PAIRS]],
    }
