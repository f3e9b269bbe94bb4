"""Letting the better model serve, by the rule.

What belongs here: what the rule is told, and the order of the steps. What does not: the rule
(``modeling.promotion``), measuring (``shared_test.py``), what a person decides
(``chosen_models.py``), or the record (``model_history.py``).
"""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from reds_pipeline.errors import RedsError
from reds_pipeline.label_origins import (
    SUGGESTED,
    LabelOrigins,
    contributed_origin,
    label_origins,
)
from reds_pipeline.model_card import keep_cards
from reds_pipeline.model_history import (
    BY_ROLLBACK,
    BY_RULE,
    ChampionChange,
    RecordedChange,
    catch_up,
    champion_lock,
    change_champion,
    history,
    set_aside,
)
from reds_pipeline.modeling.changed_classes import changed_classes, fold_accuracy
from reds_pipeline.modeling.promotion import Decision, best, chosen_among, decide
from reds_pipeline.modeling.promotion_evidence import (
    Challenger,
    Measured,
    PromotionRule,
    Rival,
    SharedTest,
)
from reds_pipeline.modeling.relabelled import relabelled_share
from reds_pipeline.resources import Platform
from reds_pipeline.shared_test import (
    EncoderChanged,
    RegisteredBundle,
    compare_on_frozen_test,
    load_registered,
)
from reds_pipeline.stage_inputs import learnt_classes, learnt_rows, trainings
from reds_pipeline.storage.tables import LABEL_SUSPECTS, PREDICTIONS, read_rows
from reds_pipeline.tracking import (
    CHALLENGER,
    CHAMPION,
    RegisteredVersion,
    Tracking,
)
from reds_pipeline.training import PROMOTABLE, RECORD, logged_predictions
from reds_pipeline.withdrawal.lineage import WITHDRAWN_PICTURES

_BY_THE_RULE = "the rule"
_METRICS = ("cv_mean", "cv_var_ddof0", "test_accuracy", "test_low", "test_high")

_logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class PromotionResult:
    """Which model serves after a training, and why.

    Attributes:
        champion_version: Version in the registry; empty if none serves.
        champion_run_id: The training it came from; empty if none serves.
        candidate_version: The version that was considered.
        promoted: Whether it began to serve just now.
        reason: Why, in words.
        test: The champion before and the candidate on the same pictures, if that was possible.
        notices: What else was found, one sentence each.
    """

    champion_version: str
    champion_run_id: str
    candidate_version: str
    promoted: bool
    reason: str
    test: SharedTest | None = None
    notices: tuple[str, ...] = ()


def promote_best(platform: Platform) -> PromotionResult:
    """Register the latest trainings and let the best of them serve if the rule says so.

    The others are registered as well, so that a person can let each of them serve. Every step
    can be repeated: a version is registered once per training, and the ledger gets a line only
    when the champion changes.

    Raises:
        RedsError: There is no training whose model can be promoted.
    """
    candidates = [
        row
        for row in trainings(platform.home, platform.settings.backbones)
        if row["protocol"] == PROMOTABLE
    ]
    if not candidates:
        raise RedsError("There is no trained model to promote; run the training first.")
    row = candidates[best([_measured(row) for row in candidates])]
    considered = chosen_among(
        {each["backbone"]: each["cv_mean"] for each in candidates},
        "mean accuracy of the grouped folds",
        row["backbone"],
    )
    with champion_lock(platform.home):
        result = _promote(platform, row, considered)
        trained = {_register(platform.tracking, each).version for each in candidates}
        keep_cards(
            platform,
            {result.champion_version, *trained},
            origins=dict.fromkeys(trained, origins_of_labels(platform)),
        )
    return result


def origins_of_labels(platform: Platform) -> LabelOrigins:
    """Return where the labels come from that the next training learns."""
    suspects = read_rows(platform.home.table("label_suspects"), LABEL_SUSPECTS)
    return label_origins(
        learnt_rows(platform.home),
        {row["sha256"]: row["guess"] or "" for row in suspects},
        also=contributed_origin,
    )


def _promote(platform: Platform, row: Mapping[str, Any], considered: str) -> PromotionResult:
    """Register the best training and let it serve if the rule says so; the lock is held.

    ``considered`` says why it is the best, and becomes part of the reason.
    """
    tracking = platform.tracking
    version = _register(tracking, row)
    notices = tuple(catch_up(tracking, platform.ledger))
    champion = tracking.alias(CHAMPION)
    if champion is not None and champion.run_id == version.run_id:
        reason = f"The champion is this very model already.{considered}"
        return promotion_result(champion, version, reason, notices=notices)
    decision, test = _decision(platform, row, version, champion)
    reason = f"{decision.reason}{considered}"
    _logger.info("Version %s: %s", version.version, reason)
    if not decision.promote:
        tracking.set_alias(CHALLENGER, version.version)
        return promotion_result(champion, version, reason, test=test, notices=notices)
    change = ChampionChange(
        version=version.version,
        backbone=row["backbone"],
        reason=reason,
        how=BY_RULE,
        by=_BY_THE_RULE,
        dataset_digest=row["dataset_digest"],
        metrics=_metrics(row, test),
    )
    change_champion(tracking, platform.ledger, change)
    return promotion_result(version, version, reason, promoted=True, test=test, notices=notices)


def _register(tracking: Tracking, row: Mapping[str, Any]) -> RegisteredVersion:
    """Return the version of a training, which is made the first time."""
    return tracking.register(
        row["run_id"], {"backbone": row["backbone"], "dataset": row["dataset_digest"][:12]}
    )


def _decision(
    platform: Platform,
    row: Mapping[str, Any],
    version: RegisteredVersion,
    champion: RegisteredVersion | None,
) -> tuple[Decision, SharedTest | None]:
    settings, tracking = platform.settings, platform.tracking
    entries = history(platform.ledger)
    aside = set_aside(entries)
    own = load_registered(tracking, version)
    challenger = Challenger(
        measured=_measured(row),
        suggested_share=origins_of_labels(platform).share(SUGGESTED),
        withdrawn_pictures=withdrawn_pictures(version),
        set_aside=_replaced(aside.get(version.version)),
        knows_unfamiliar=own.bundle.familiarity is not None,
    )
    rule = PromotionRule(
        settings.promotion_margin, settings.promotion_class_loss, settings.suggested_labels_limit
    )
    rival = None if champion is None else _rival(platform, own, champion, "the champion")
    taken_back = [
        _rival(platform, own, old, "the version taken back,")
        for old in tracking.versions()
        if old.version in aside
        and old.version != version.version
        and aside[old.version].change.how == BY_ROLLBACK
    ]
    decision = decide(challenger, rival, rule, taken_back=taken_back)
    return decision, rival.shared_test if rival else None


def _rival(
    platform: Platform, challenger: RegisteredBundle, version: RegisteredVersion, what: str
) -> Rival:
    name = f"{what} {version.tags.get('backbone', '')} (version {version.version})"
    record = platform.tracking.record(version.run_id, RECORD)
    measured = None if record is None else _measured(record)
    withdrawn = withdrawn_pictures(version)
    try:
        rival = load_registered(platform.tracking, version)
    except RedsError as error:
        return Rival(name, measured, unusable=str(error).rstrip("."), withdrawn_pictures=withdrawn)
    answers = _grouped_answers(platform, challenger)
    changed = changed_classes(
        challenger.bundle.classes, rival.bundle.classes, learnt_classes(platform.home), answers
    )
    theirs = logged_predictions(platform.tracking, version.run_id)
    try:
        tested = compare_on_frozen_test(platform, challenger, rival)
    except EncoderChanged as error:
        return Rival(name, measured, unusable=str(error), withdrawn_pictures=withdrawn)
    shared, none = (None, tested) if isinstance(tested, str) else (tested, "")
    return Rival(
        name,
        measured,
        shared_test=shared,
        no_shared_test=none,
        withdrawn_pictures=withdrawn,
        knows_unfamiliar=rival.bundle.familiarity is not None,
        changed=changed,
        cv_on_shared=_folds_on(changed.shared, answers, theirs),
        relabelled=relabelled_share(answers, theirs),
    )


def _grouped_answers(platform: Platform, model: RegisteredBundle) -> list[dict[str, Any]]:
    """Return what the heads of a model's training said of pictures they had not seen."""
    table = platform.home.table("predictions", model.bundle.provenance.encoder_name)
    return [row for row in read_rows(table, PREDICTIONS) if row["protocol"] == PROMOTABLE]


def _folds_on(
    classes: Sequence[str], ours: Sequence[Mapping[str, Any]], theirs: Sequence[Mapping[str, Any]]
) -> tuple[float, float] | None:
    """Return how right both are in their folds on pictures of some classes, if that is known."""
    one, other = (fold_accuracy(answers, classes) for answers in (ours, theirs))
    return None if one is None or other is None else (one, other)


def _replaced(entry: RecordedChange | None) -> str:
    if entry is None:
        return ""
    return f"on {entry.at[:10]}: {entry.change.reason.rstrip('.')}"


def withdrawn_pictures(version: RegisteredVersion) -> int:
    """Return how many pictures a version has seen that were withdrawn since."""
    return int(version.tags.get(WITHDRAWN_PICTURES) or 0)


def _metrics(row: Mapping[str, Any], test: SharedTest | None) -> dict[str, float]:
    measured = {name: float(row[name]) for name in _METRICS if row.get(name) is not None}
    if test is None:
        return measured
    return measured | {
        "shared_test_pictures": test.pictures,
        "shared_test_accuracy": test.challenger_accuracy,
        "shared_test_accuracy_of_previous": test.rival_accuracy,
        "shared_test_difference_low": test.low,
        "shared_test_difference_high": test.high,
    }


def _measured(row: Mapping[str, Any]) -> Measured:
    return Measured(
        backbone=row["backbone"],
        cv_mean=row["cv_mean"],
        cv_variance=row["cv_var_ddof0"],
        dataset_digest=row["dataset_digest"],
    )


def promotion_result(
    champion: RegisteredVersion | None,
    candidate: RegisteredVersion,
    reason: str,
    *,
    promoted: bool = False,
    test: SharedTest | None = None,
    notices: tuple[str, ...] = (),
) -> PromotionResult:
    """Return what came out, ``champion`` being the version that serves afterwards."""
    return PromotionResult(
        champion_version=champion.version if champion else "",
        champion_run_id=champion.run_id if champion else "",
        candidate_version=candidate.version,
        promoted=promoted,
        reason=reason,
        test=test,
        notices=notices,
    )
