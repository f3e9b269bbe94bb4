"""Letting another model serve because a person says so, and going back.

What belongs here: what has to be true of a version before a person lets it serve. What does not:
the rule (``promotion.py``), or the record (``model_history.py``).
"""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from pathlib import Path

from reds_pipeline.errors import RedsError
from reds_pipeline.model_card import keep_cards
from reds_pipeline.model_history import (
    BY_PERSON,
    BY_ROLLBACK,
    ChampionChange,
    How,
    catch_up,
    champion_lock,
    change_champion,
    history,
    previous_version,
)
from reds_pipeline.promotion import PromotionResult, promotion_result, withdrawn_pictures
from reds_pipeline.resources import Platform
from reds_pipeline.shared_test import read_bundle
from reds_pipeline.tracking import CHAMPION, REGISTERED_MODEL, RegisteredVersion, Tracking


def promote_version(
    platform: Platform, number: str, *, reason: str, by: str, model: str = REGISTERED_MODEL
) -> PromotionResult:
    """Let a version serve because a person says so.

    Args:
        platform: The installation.
        number: Its number in the registry.
        reason: Why; kept for ever.
        by: Who, in words; kept for ever.
        model: The registered model.

    Raises:
        RedsError: No reason was given, there is no such version, its files are gone or were
            tampered with, or it serves already.
    """
    if not reason.strip():
        raise RedsError(
            f"Version {number} was not promoted: say why, for the record is kept for ever."
        )
    with champion_lock(platform.home):
        notices = catch_up(platform.tracking, platform.ledger, model)
        version = platform.tracking.version(number.strip(), model)
        if version is None:
            raise RedsError(
                f"There is no version {number} of {model}; `reds history` lists those there are."
            )
        return _serve(platform, version, how=BY_PERSON, reason=reason.strip(), by=by, seen=notices)


def roll_back(
    platform: Platform, *, reason: str, by: str, model: str = REGISTERED_MODEL
) -> PromotionResult:
    """Let the version before serve again; going back twice leads to the one before that.

    The rule promotes the version that was taken back no more, nor one that does not beat it.

    Args:
        platform: The installation.
        reason: Why; kept for ever. May be empty.
        by: Who, in words; kept for ever.
        model: The registered model.

    Raises:
        RedsError: There is no version before, or its files are gone or were tampered with.
    """
    with champion_lock(platform.home):
        notices = catch_up(platform.tracking, platform.ledger, model)
        existing = {version.version: version for version in platform.tracking.versions(model)}
        number = previous_version(history(platform.ledger, model), list(existing))
        if number is None:
            raise RedsError(
                f"There is no earlier version of {model} to go back to; `reds history` shows what "
                "served when, and `reds promote` lets any registered version serve."
            )
        said = reason.strip() or "No reason was given."
        return _serve(platform, existing[number], how=BY_ROLLBACK, reason=said, by=by, seen=notices)


def _serve(
    platform: Platform,
    version: RegisteredVersion,
    *,
    how: How,
    reason: str,
    by: str,
    seen: Sequence[str],
) -> PromotionResult:
    """Let a version serve that a person chose; the lock is held."""
    tracking, model = platform.tracking, version.model
    champion = tracking.alias(CHAMPION, model)
    if champion is not None and champion.version == version.version:
        raise RedsError(f"Version {version.version} of {model} serves already; nothing changed.")
    bundle = read_bundle(tracking, version)
    _require_safe_files(tracking, version)
    provenance = bundle.provenance
    change = ChampionChange(
        version=version.version,
        backbone=provenance.encoder_name,
        reason=reason,
        how=how,
        by=by.strip() or "a person",
        dataset_digest=provenance.dataset_digest,
        metrics=dict(provenance.metrics),
    )
    change_champion(tracking, platform.ledger, change, model)
    keep_cards(platform, {version.version, champion.version if champion else ""}, model=model)
    notices = list(seen)
    if withdrawn := withdrawn_pictures(version):
        notices.append(
            f"Version {version.version} learnt from {withdrawn} pictures that were withdrawn "
            "since; `reds retrain` makes one that did not."
        )
    return promotion_result(version, version, reason, promoted=True, notices=tuple(notices))


def _require_safe_files(tracking: Tracking, version: RegisteredVersion) -> None:
    """Check everything that would be loaded, also files that people load without REDS."""
    from mlflow.artifacts import download_artifacts

    from reds_pipeline.modeling.safe_files import require_safe_model

    with tempfile.TemporaryDirectory() as temporary:
        files = download_artifacts(
            artifact_uri=version.source, dst_path=temporary, tracking_uri=tracking.uri
        )
        require_safe_model(Path(files))
