"""Carrying out a promotion: registry, alias and the line in the ledger.

What belongs here: the order of the steps. What does not: the rule (``modeling.promotion``).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from reds_pipeline.errors import RedsError
from reds_pipeline.modeling.promotion import Decision, Measured, best, decide
from reds_pipeline.storage.ledger import Ledger
from reds_pipeline.tracking import CHALLENGER, CHAMPION, RegisteredVersion, Tracking
from reds_pipeline.training import PROMOTABLE, RECORD

PROMOTION = "promotion"


@dataclass(frozen=True)
class PromotionResult:
    """Which model serves after a training, and why.

    Attributes:
        champion_version: Version in the registry.
        champion_run_id: The training it came from.
        promoted: Whether it began to serve just now.
        reason: Why, in words.
    """

    champion_version: str
    champion_run_id: str
    promoted: bool
    reason: str


def promote_best(
    tracking: Tracking, ledger: Ledger, trainings: Sequence[Mapping[str, Any]], margin: float
) -> PromotionResult:
    """Register the best of the latest trainings and let it serve if the rule says so.

    Every step can be repeated: a version is registered once per training, and the ledger gets
    a line only when the champion changes. The line is written before the alias moves, so a kill
    in between repeats the line rather than losing it.

    Args:
        tracking: Runs and registry.
        ledger: Where promotions are kept.
        trainings: Rows of the trainings table.
        margin: See ``modeling.promotion.decide``.

    Raises:
        RedsError: There is no training whose model can be promoted.
    """
    candidates = [row for row in trainings if row["protocol"] == PROMOTABLE]
    if not candidates:
        raise RedsError("There is no trained model to promote; run the training first.")
    row = candidates[best([_measured(row) for row in candidates])]
    version = tracking.register(
        row["run_id"], {"backbone": row["backbone"], "dataset": row["dataset_digest"][:12]}
    )
    champion = tracking.alias(CHAMPION)
    if champion is not None and champion.run_id == row["run_id"]:
        return PromotionResult(
            champion.version, champion.run_id, False, "The champion is this very model already."
        )
    decision = _decision(tracking, row, champion, margin)
    if decision.promote:
        ledger.append(
            PROMOTION,
            version.version,
            {
                "backbone": row["backbone"],
                "reason": decision.reason,
                "previous": champion.version if champion else "",
                "dataset_digest": row["dataset_digest"],
            },
        )
        tracking.set_alias(CHAMPION, version.version)
        return PromotionResult(version.version, version.run_id, True, decision.reason)
    tracking.set_alias(CHALLENGER, version.version)
    assert champion is not None, "without a champion every candidate is promoted"
    return PromotionResult(champion.version, champion.run_id, False, decision.reason)


def _decision(
    tracking: Tracking, row: Mapping[str, Any], champion: RegisteredVersion | None, margin: float
) -> Decision:
    if champion is None:
        return decide(_measured(row), None, margin)
    standing = tracking.record(champion.run_id, RECORD)
    if standing is None:
        return Decision(True, "What was measured of the champion can no longer be read.")
    return decide(_measured(row), _measured(standing), margin)


def _measured(row: Mapping[str, Any]) -> Measured:
    return Measured(
        backbone=row["backbone"],
        cv_mean=row["cv_mean"],
        cv_variance=row["cv_var_ddof0"],
        dataset_digest=row["dataset_digest"],
        classes=tuple(row["classes"]),
    )
