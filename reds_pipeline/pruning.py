"""Removing old model versions, so that the registry does not grow for ever.

What belongs here: which versions may go, and removing them with their files. What does not:
anything about runs, which keep all that was measured.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any

from reds_pipeline.model_history import catch_up, champion_lock, history, previous_version
from reds_pipeline.resources import Platform
from reds_pipeline.stage_inputs import trainings
from reds_pipeline.storage.clock import utc_now
from reds_pipeline.storage.tables import TAG_TRAININGS, read_rows
from reds_pipeline.tracking import (
    MODEL_ARTIFACT,
    MODEL_REMOVED,
    REGISTERED_MODEL,
    RegisteredVersion,
)

MODEL_PRUNED = "model_pruned"


@dataclass(frozen=True)
class VersionFate:
    """What becomes of one version.

    Attributes:
        version: Its number.
        backbone: Its encoder.
        created_at: When it was registered.
        size: Bytes of its files.
        stays_because: Why it stays; empty if it goes.
    """

    version: str
    backbone: str
    created_at: str
    size: int
    stays_because: str


@dataclass(frozen=True)
class PruningReport:
    """What was removed, or would be.

    Attributes:
        model: The registered model.
        applied: Whether it was done.
        fates: Every version, the newest first.
    """

    model: str
    applied: bool
    fates: tuple[VersionFate, ...]

    @property
    def removed(self) -> tuple[VersionFate, ...]:
        """The versions that go."""
        return tuple(fate for fate in self.fates if not fate.stays_because)

    @property
    def freed(self) -> int:
        """Bytes that this gives back."""
        return sum(fate.size for fate in self.removed)

    @property
    def sentence(self) -> str:
        """What happened, for people."""
        stay = len(self.fates) - len(self.removed)
        if not self.fates:
            return f"There is no version of {self.model} yet."
        if not self.removed:
            return f"Every version of {self.model} stays; there {_counted(stay)}."
        names = ", ".join(fate.version for fate in self.removed)
        done = "were removed" if self.applied else "would be removed"
        freed = "is free now" if self.applied else "would be free"
        return (
            f"Of {self.model} these versions {done}: {names}; {stay} stay, {self.freed / 1e6:.1f} "
            f"MB {freed}. The runs keep all their numbers."
        )

    def as_dict(self) -> dict[str, Any]:
        """Return it as ``reds prune --json`` prints it."""
        return {
            "model": self.model,
            "applied": self.applied,
            "freed_bytes": self.freed,
            "versions": [
                {
                    "version": fate.version,
                    "backbone": fate.backbone,
                    "created_at": fate.created_at,
                    "bytes": fate.size,
                    "stays_because": fate.stays_because,
                }
                for fate in self.fates
            ],
        }


def reasons_to_stay(
    versions: Sequence[RegisteredVersion],
    *,
    keep: int,
    aliases: dict[str, str],
    previous: str | None,
    latest_runs: Collection[str],
) -> dict[str, str]:
    """Return why each version that stays does; one that is not named may go.

    Args:
        versions: All of a registered model.
        keep: How many of the newest stay in any case.
        aliases: Which version each alias points to.
        previous: The version that a rollback leads to.
        latest_runs: Runs whose models the next promotion may look at.
    """
    newest = sorted(versions, key=lambda version: -int(version.version))[:keep]
    reasons = {version.version: f"among the newest {keep}" for version in newest}
    for version in versions:
        if version.run_id in latest_runs:
            reasons[version.version] = "of the latest training"
        elif not version.run_id:
            reasons[version.version] = "was registered by hand, so its files are not ours"
    if previous is not None:
        reasons[previous] = "served before, a rollback leads to it"
    return reasons | {number: f"is the {name}" for name, number in sorted(aliases.items())}


def prune(
    platform: Platform, *, apply: bool = False, model: str = REGISTERED_MODEL
) -> PruningReport:
    """Remove the versions that nobody needs, with their files, or only say which those are.

    The live version, the one before it, every version with an alias, those of the latest
    training and the newest ``keep_versions`` stay. Repeating it removes nothing more.

    Args:
        platform: The installation.
        apply: Whether to remove them.
        model: The registered model.

    Raises:
        RedsError: The place where MLflow keeps its files does not let them be removed.
    """
    tracking, ledger = platform.tracking, platform.ledger
    with champion_lock(platform.home):
        catch_up(tracking, ledger, model)
        versions = tracking.versions(model)
        existing = [version.version for version in versions]
        staying = reasons_to_stay(
            versions,
            keep=platform.settings.keep_versions,
            aliases=tracking.aliases(model),
            previous=previous_version(history(ledger, model), existing),
            latest_runs=latest_training_runs(platform),
        )
        fates = tuple(
            VersionFate(
                version=version.version,
                backbone=version.tags.get("backbone", ""),
                created_at=version.created_at,
                size=_size(platform, version),
                stays_because=staying.get(version.version, ""),
            )
            for version in versions
        )
        report = PruningReport(model, apply, fates)
        if apply:
            run_of = {version.version: version.run_id for version in versions}
            recorded = {
                event["subject"] for event in ledger.events(MODEL_PRUNED) if event["model"] == model
            }
            for fate in report.removed:
                # First, so that a kill leaves no training that is taken for one with a model, and
                # nothing that went without a record.
                tracking.client.set_tag(run_of[fate.version], MODEL_REMOVED, utc_now())
                if fate.version not in recorded:
                    body = {"model": model, "freed_bytes": fate.size}
                    ledger.append(MODEL_PRUNED, fate.version, body)
                tracking.delete_version(fate.version, model)
    return report


def latest_training_runs(platform: Platform) -> set[str]:
    """Return the MLflow runs of the latest trainings of the configured backbones."""
    home, backbones = platform.home, platform.settings.backbones
    rows = trainings(home, backbones)
    for name in backbones:
        rows += read_rows(home.table("tag_trainings", name), TAG_TRAININGS)
    return {row["run_id"] for row in rows}


def _counted(versions: int) -> str:
    return "is one" if versions == 1 else f"are {versions}"


def _size(platform: Platform, version: RegisteredVersion) -> int:
    if not version.run_id:
        return 0
    return sum(platform.tracking.artifacts(version.run_id, MODEL_ARTIFACT).values())
