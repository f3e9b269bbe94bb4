"""Which backbone's multi-label model serves.

What belongs here: choosing among the latest trainings, the rule for the champion of
``reds-hashtags``, and carrying it out. What does not: the record of such changes and going back
(``model_history.py``, the same for both registered models), or training.

The measure is mean average precision out of fold: it asks how well each tag's pictures are ranked
before all others, and depends on no threshold. Of two models that know different tags only the
tags that both know count.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from reds_pipeline.model_card import keep_cards
from reds_pipeline.model_history import (
    BY_RULE,
    ChampionChange,
    catch_up,
    champion_lock,
    change_champion,
    history,
    set_aside,
)
from reds_pipeline.modeling.promotion import chosen_among
from reds_pipeline.resources import Platform
from reds_pipeline.storage.tables import TAG_TRAININGS, read_rows
from reds_pipeline.tag_training import RECORD, TABLE, TAG_TABLE
from reds_pipeline.tracking import (
    CHALLENGER,
    CHAMPION,
    HASHTAG_MODEL,
    RegisteredVersion,
    Tracking,
)

_BY_THE_RULE = "the rule"
_METRICS = ("mean_average_precision", "precision_at_1", "recall_at_5", "macro_f1")

Row = Mapping[str, Any]


@dataclass(frozen=True)
class Ranked:
    """A multi-label model as its own training measured it.

    Attributes:
        dataset_digest: The data set it was trained on.
        average_precision: Of each tag, out of fold.
    """

    dataset_digest: str
    average_precision: Mapping[str, float]


@dataclass(frozen=True)
class TagPromotion:
    """Which multi-label model serves after a training, and why.

    Attributes:
        version: Version in the registry; empty if none serves.
        run_id: The training it came from; empty if none serves.
        promoted: Whether it began to serve just now.
        reason: Why, in words.
    """

    version: str
    run_id: str
    promoted: bool
    reason: str


def tag_trainings(platform: Platform) -> list[dict[str, Any]]:
    """Return the latest multi-label training of each configured backbone that has one."""
    return [
        row
        for backbone in platform.settings.backbones
        for row in read_rows(platform.home.table(TABLE, backbone), TAG_TRAININGS)
    ]


def promote_best_tags(platform: Platform) -> TagPromotion:
    """Register the latest trainings and let the best of them serve if the rule says so.

    The others are registered as well, so that a person can let each of them serve. Every step
    can be repeated: a version is registered once per training, and the ledger gets a line only
    when the champion changes.
    """
    rows = tag_trainings(platform)
    with champion_lock(platform.home):
        result = _promote(platform, rows)
        trained = {_register(platform.tracking, row).version for row in rows}
        keep_cards(platform, {result.version, *trained}, model=HASHTAG_MODEL)
    return result


def decide_tags(challenger: Ranked, champion: Ranked | None, margin: float) -> tuple[bool, str]:
    """Return whether a multi-label model should serve instead of the present one, and why.

    On the same data set it must be better by the margin. What was measured on two data sets
    cannot be compared that closely; the newer one is then preferred, for it knows new pictures
    and has forgotten withdrawn ones, unless it is worse by more than the margin.

    Args:
        challenger: The best of the latest trainings.
        champion: What serves; None if what was measured of it cannot be read.
        margin: Of mean average precision, 0 to 1.
    """
    if champion is None:
        return True, "What was measured of the champion can no longer be read."
    common = sorted(set(challenger.average_precision) & set(champion.average_precision))
    if not common:
        return True, "The champion knows none of the tags that are learnt now."
    ours, theirs = (
        sum(model.average_precision[tag] for tag in common) / len(common)
        for model in (challenger, champion)
    )
    measured = (
        f"Its mean average precision over the {len(common)} tags that both know is {ours:.3f}, "
        f"that of the champion {theirs:.3f}"
    )
    if challenger.dataset_digest == champion.dataset_digest:
        asked = f"; on the same data set it has to be better by {margin:.3f}."
        return ours >= theirs + margin, measured + asked
    asked = (
        ", measured each on its own data set; the newer one serves unless it is worse by more "
        f"than {margin:.3f}."
    )
    return ours >= theirs - margin, measured + asked


def _promote(platform: Platform, rows: Sequence[Row]) -> TagPromotion:
    """Register the best training and let it serve if the rule says so; the lock is held."""
    tracking = platform.tracking
    catch_up(tracking, platform.ledger, HASHTAG_MODEL)
    champion = tracking.alias(CHAMPION, HASHTAG_MODEL)
    if not rows:
        return _kept(champion, "There is no multi-label model to promote: too few tags.")
    row = max(rows, key=lambda each: each["mean_average_precision"])
    considered = chosen_among(
        {each["backbone"]: each["mean_average_precision"] for each in rows},
        "mean average precision out of fold",
        row["backbone"],
    )
    version = _register(tracking, row)
    if champion is not None and champion.version == version.version:
        return _kept(champion, f"The champion is this very model already.{considered}")
    promote, decided = _decision(platform, row, version, champion)
    reason = f"{decided}{considered}"
    if not promote:
        tracking.set_alias(CHALLENGER, version.version, HASHTAG_MODEL)
        return _kept(champion, reason)
    change_champion(
        tracking,
        platform.ledger,
        ChampionChange(
            version=version.version,
            backbone=row["backbone"],
            reason=reason,
            how=BY_RULE,
            by=_BY_THE_RULE,
            dataset_digest=row["dataset_digest"],
            metrics={name: row[name] for name in _METRICS},
        ),
        HASHTAG_MODEL,
    )
    return TagPromotion(version.version, version.run_id, promoted=True, reason=reason)


def _register(tracking: Tracking, row: Row) -> RegisteredVersion:
    """Return the version of a training, which is made the first time."""
    return tracking.register(
        row["run_id"],
        {"backbone": row["backbone"], "dataset": row["dataset_digest"][:12]},
        model=HASHTAG_MODEL,
    )


def _decision(
    platform: Platform, row: Row, version: RegisteredVersion, champion: RegisteredVersion | None
) -> tuple[bool, str]:
    replaced = set_aside(history(platform.ledger, HASHTAG_MODEL)).get(version.version)
    if replaced is not None:
        return False, f"A person replaced this very model: {replaced.change.reason}"
    if champion is None:
        return True, "It is the first multi-label model."
    challenger = _ranked(platform.tracking, row["run_id"])
    assert challenger is not None, "the training of the row has just been read or made"
    return decide_tags(
        challenger,
        _ranked(platform.tracking, champion.run_id),
        platform.settings.promotion_margin,
    )


def _ranked(tracking: Tracking, run_id: str) -> Ranked | None:
    record, table = tracking.record(run_id, RECORD), tracking.record(run_id, TAG_TABLE)
    if record is None or table is None:
        return None
    rows: Sequence[Row] = [dict(zip(table["columns"], row, strict=True)) for row in table["data"]]
    return Ranked(
        dataset_digest=record["dataset_digest"],
        average_precision={row["tag"]: row["average_precision"] for row in rows},
    )


def _kept(champion: RegisteredVersion | None, reason: str) -> TagPromotion:
    return TagPromotion(
        version=champion.version if champion else "",
        run_id=champion.run_id if champion else "",
        promoted=False,
        reason=reason,
    )
