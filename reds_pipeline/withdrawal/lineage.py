"""Which models saw a picture that was withdrawn since, and saying so where models are kept.

What belongs here: finding and marking trainings and registered models. What does not: the
withdrawal itself, taking pictures out of what a training shows (``galleries``), and what to do
about a marked model, which people decide. Each training's ``split.json`` lists the SHA-256 of
every picture it used; those stay there as long as there is a model, or no later withdrawal could
find the models it concerns.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

from reds_pipeline.run_artifacts import SPLIT
from reds_pipeline.storage.keys import KeyedHash
from reds_pipeline.storage.ledger import Ledger
from reds_pipeline.tracking import (
    HASHTAG_MODEL,
    PICTURES_REMOVED,
    REGISTERED_MODEL,
    TRAINING_KEY,
    RegisteredVersion,
    Tracking,
)
from reds_pipeline.withdrawal.galleries import clean_gallery
from reds_pipeline.withdrawal.tombstones import erased_key, erased_keys

WITHDRAWN_PICTURES = "reds.withdrawn_pictures"
# How many withdrawn pictures had been taken out of what a run shows when that was last done.
CLEANED = "reds.withdrawn_pictures_taken_out"
MODEL_MARKED = "model_marked"
# Runs that put others side by side and use no pictures themselves.
COMPARISON = "comparison"

_logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class MarkedModels:
    """Models that were trained or measured with pictures that are withdrawn by now.

    Attributes:
        runs: MLflow runs.
        versions: Versions of the registered model of classes; those of the model of hashtags with
            its name before the number.
        unreadable: Runs that no longer say what they used, or whose lists and sheets could not be
            cleaned; that is tried again each time.
        sheets: How many sheets of wrong answers showed such a picture until now, or would lose it.
    """

    runs: tuple[str, ...] = ()
    versions: tuple[str, ...] = ()
    unreadable: tuple[str, ...] = ()
    sheets: int = 0


def mark_models(
    tracking: Tracking, ledger: Ledger, key: KeyedHash, *, to_come: Collection[str] = ()
) -> MarkedModels:
    """Tag every training, and every version made of it, with how many of its pictures are gone.

    The tag ``reds.withdrawn_pictures`` counts all withdrawals so far; a new count is also an
    event ``model_marked`` of the ledger. Repeating it changes nothing.

    Args:
        tracking: Where models stand.
        ledger: What was erased, and where marks are recorded.
        key: The pseudonym function of the installation.
        to_come: SHA-256 of pictures that would be erased: then nothing is marked, and what
            would be is returned.

    Returns:
        Everything that carries a mark now, or would.
    """
    only_look = bool(to_come)
    erased = erased_keys(ledger) | {erased_key(key, sha256) for sha256 in to_come}
    if not erased:
        # Nor is the tracking database made just to find it empty.
        return MarkedModels()

    @cache
    def is_gone(sha256: str) -> bool:
        return erased_key(key, sha256) in erased

    used, unreadable = _trainings_with(tracking, is_gone)
    sheets = 0
    not_cleaned = set()
    for run, count in used:
        if run.data.tags.get(CLEANED) == str(count):
            continue
        showed = clean_gallery(tracking, run.info.run_id, is_gone, write=not only_look)
        if showed is None:
            not_cleaned.add(str(run.info.run_id))
            _logger.warning(
                "Withdrawn pictures could not be taken out of the lists and sheets of run %s, "
                "because MLflow's files cannot be reached; it is tried again each time.",
                run.info.run_id,
            )
        else:
            sheets += showed
    # MLflow shows a run that somebody deleted no more, and takes no tags for it.
    here = [(run, count) for run, count in used if run.info.lifecycle_stage != "deleted"]
    marked = {str(run.info.run_id): count for run, count in here}
    versions = [
        (version, marked[version.run_id])
        for model in (REGISTERED_MODEL, HASHTAG_MODEL)
        for version in tracking.versions(model)
        if version.run_id in marked
    ]
    if not only_look:
        for run, count in here:
            is_cleaned = run.info.run_id not in not_cleaned
            _mark_run(tracking, ledger, run, count, is_cleaned=is_cleaned)
        for version, count in versions:
            if version.tags.get(WITHDRAWN_PICTURES) != str(count):
                _record(ledger, f"{version.model} {version.version}", count)
                tracking.tag_version(version.version, WITHDRAWN_PICTURES, str(count), version.model)
    return MarkedModels(
        runs=tuple(sorted(marked)),
        versions=tuple(sorted(_shown(version) for version, _ in versions)),
        unreadable=tuple(sorted({*unreadable, *not_cleaned})),
        sheets=sheets,
    )


def pictures_of_models(tracking: Tracking) -> frozenset[str] | None:
    """Return the SHA-256 of every picture that a training used; None if one does not say.

    Those of runs that somebody deleted count for as long as their files are there.
    """
    used: set[str] = set()
    for run in _trainings(tracking):
        split = tracking.record(run.info.run_id, SPLIT)
        if split is not None:
            used |= _pictures(split)
        elif run.info.lifecycle_stage != "deleted":
            return None
    return frozenset(used)


def _pictures(split: Mapping[str, Any]) -> set[str]:
    return {*split.get("test", ()), *split.get("fold", {}), *split.get("contributed", ())}


def _trainings_with(
    tracking: Tracking, is_gone: Callable[[str], bool]
) -> tuple[list[tuple[Any, int]], list[str]]:
    """Return the trainings that used withdrawn pictures, with how many, and the unreadable ones."""
    used = []
    unreadable = []
    for run in _trainings(tracking):
        split = tracking.record(run.info.run_id, SPLIT)
        if split is not None:
            if count := sum(map(is_gone, _pictures(split))):
                used.append((run, count))
        elif run.info.lifecycle_stage != "deleted":
            # Of a deleted run the files may be gone as well.
            unreadable.append(str(run.info.run_id))
    return used, unreadable


def _mark_run(
    tracking: Tracking, ledger: Ledger, run: Any, count: int, *, is_cleaned: bool
) -> None:
    run_id, tags, marked = run.info.run_id, run.data.tags, str(count)
    # A run that is being written may yet show what it has read before.
    if is_cleaned and tags.get(CLEANED) != marked and run.info.status != "RUNNING":
        tracking.client.set_tag(run_id, CLEANED, marked)
    if tags.get(WITHDRAWN_PICTURES) != marked:
        _record(ledger, f"run {run_id}", count)
        tracking.client.set_tag(run_id, WITHDRAWN_PICTURES, marked)


def _shown(version: RegisteredVersion) -> str:
    if version.model == REGISTERED_MODEL:
        return version.version
    return f"{version.model} {version.version}"


def _trainings(tracking: Tracking) -> list[Any]:
    """Return every training that used pictures, finished or not, deleted or not.

    A killed one may have logged its model, and the files of a deleted one stay for a while. Of an
    old one without a model housekeeping has left nothing that shows or names pictures.
    """
    from mlflow.entities import ViewType

    found: list[Any] = []
    token = None
    while True:
        page = tracking.client.search_runs(
            [tracking.experiment_id],
            filter_string=f"tags.`{TRAINING_KEY}` LIKE '%'",
            run_view_type=ViewType.ALL,
            page_token=token,
        )
        found.extend(
            run
            for run in page
            if run.data.tags.get("task") != COMPARISON and PICTURES_REMOVED not in run.data.tags
        )
        token = page.token
        if not token:
            return found


def _record(ledger: Ledger, subject: str, count: int) -> None:
    """Record a mark once: a kill may have come between this and the tag."""
    before = [event for event in ledger.events(MODEL_MARKED) if event["subject"] == subject]
    if not before or before[-1]["withdrawn_pictures"] != count:
        ledger.append(MODEL_MARKED, subject, {"withdrawn_pictures": count})
