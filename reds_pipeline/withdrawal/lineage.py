"""Which models saw a picture that was withdrawn since, and saying so where models are kept.

What belongs here: marking trainings and registered models. What does not: the withdrawal
itself, and what to do about a marked model, which people decide. Each training's ``split.json``
lists the SHA-256 of every picture it used; those stay there, or no later withdrawal could find
the models it concerns.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

from reds_pipeline.storage.keys import KeyedHash
from reds_pipeline.storage.ledger import Ledger
from reds_pipeline.tracking import REGISTERED_MODEL, TRAINING_KEY, Tracking
from reds_pipeline.withdrawal.tombstones import erased_key, erased_keys

WITHDRAWN_PICTURES = "reds.withdrawn_pictures"
MODEL_MARKED = "model_marked"
SPLIT = "split.json"


@dataclass(frozen=True)
class MarkedModels:
    """Models that were trained or measured with pictures that are withdrawn by now.

    Attributes:
        runs: MLflow runs.
        versions: Versions of the registered model.
        unreadable: Runs that no longer say what they used.
    """

    runs: tuple[str, ...] = ()
    versions: tuple[str, ...] = ()
    unreadable: tuple[str, ...] = ()


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
    marked: dict[str, int] = {}
    unreadable = []
    tagged: dict[str, str] = {}
    for run in _trainings(tracking):
        split = tracking.record(run.info.run_id, SPLIT)
        if split is None:
            unreadable.append(run.info.run_id)
            continue
        pictures = {*split.get("test", ()), *split.get("fold", {})}
        if count := sum(erased_key(key, sha256) in erased for sha256 in pictures):
            marked[run.info.run_id] = count
            tagged[run.info.run_id] = run.data.tags.get(WITHDRAWN_PICTURES, "")
    versions = [
        (version, marked[str(version.run_id)])
        for version in tracking.client.search_model_versions(f"name = '{REGISTERED_MODEL}'")
        if version.run_id in marked
    ]
    if not only_look:
        for run_id, count in marked.items():
            if tagged[run_id] != str(count):
                _record(ledger, f"run {run_id}", count)
                tracking.client.set_tag(run_id, WITHDRAWN_PICTURES, str(count))
        for version, count in versions:
            if version.tags.get(WITHDRAWN_PICTURES) != str(count):
                _record(ledger, f"{REGISTERED_MODEL} {version.version}", count)
                tracking.client.set_model_version_tag(
                    REGISTERED_MODEL, str(version.version), WITHDRAWN_PICTURES, str(count)
                )
    return MarkedModels(
        runs=tuple(sorted(marked)),
        versions=tuple(sorted(str(version.version) for version, _ in versions)),
        unreadable=tuple(sorted(unreadable)),
    )


def _trainings(tracking: Tracking) -> list[Any]:
    """Return every training, finished or not: a killed one may have logged its model."""
    found: list[Any] = []
    token = None
    while True:
        page = tracking.client.search_runs(
            [tracking.experiment_id],
            filter_string=f"tags.`{TRAINING_KEY}` LIKE '%'",
            page_token=token,
        )
        found.extend(page)
        token = page.token
        if not token:
            return found


def _record(ledger: Ledger, subject: str, count: int) -> None:
    """Record a mark once: a kill may have come between this and the tag."""
    before = [event for event in ledger.events(MODEL_MARKED) if event["subject"] == subject]
    if not before or before[-1]["withdrawn_pictures"] != count:
        ledger.append(MODEL_MARKED, subject, {"withdrawn_pictures": count})
