"""The versions of a registered model that a person can choose from.

What belongs here: what is said of each, so that it can be chosen. What does not: which served when
(``model_history.py``), or choosing (``promotion.py``, ``chosen_models.py``).
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

from reds_pipeline.resources import Platform
from reds_pipeline.tracking import HASHTAG_MODEL, REGISTERED_MODEL
from reds_pipeline.withdrawal.lineage import WITHDRAWN_PICTURES

# What the rule ranks the versions of each registered model by: metric of the run, and its name.
_RANKED_BY = {
    REGISTERED_MODEL: ("cv/accuracy_mean", "folds"),
    HASHTAG_MODEL: ("cv/mean_average_precision", "mean average precision"),
}
_TESTED_BY = {
    REGISTERED_MODEL: ("test/accuracy", "test"),
    HASHTAG_MODEL: ("test/precision_at_1", "test P@1"),
}


@dataclass(frozen=True)
class VersionOnOffer:
    """What is said of one version.

    Attributes:
        version: Its number.
        backbone: Its encoder.
        dataset: First letters of the digest of what it learnt.
        registered_at: When, ISO 8601 in UTC.
        aliases: What points to it, such as ``champion``.
        measured: What its own training measured, by name; missing where it cannot be read.
        withdrawn_pictures: How many pictures it has seen that were withdrawn since.
    """

    version: str
    backbone: str
    dataset: str
    registered_at: str
    aliases: tuple[str, ...]
    measured: dict[str, float]
    withdrawn_pictures: int

    def as_dict(self) -> dict[str, Any]:
        """Return it as ``reds history --json`` prints it."""
        return {**asdict(self), "aliases": list(self.aliases)}


def registered_versions(
    platform: Platform, model: str = REGISTERED_MODEL
) -> tuple[VersionOnOffer, ...]:
    """Return every version of a registered model, the newest first."""
    tracking = platform.tracking
    aliases = tracking.aliases(model)
    return tuple(
        VersionOnOffer(
            version=version.version,
            backbone=version.tags.get("backbone", ""),
            dataset=version.tags.get("dataset", ""),
            registered_at=version.created_at,
            aliases=tuple(sorted(name for name, at in aliases.items() if at == version.version)),
            measured=_measured(platform, version.run_id, model),
            withdrawn_pictures=int(version.tags.get(WITHDRAWN_PICTURES) or 0),
        )
        for version in tracking.versions(model)
    )


def _measured(platform: Platform, run_id: str, model: str) -> dict[str, float]:
    """Return the numbers of a run; one that was registered by hand may have no run of ours."""
    metrics = platform.tracking.metrics(run_id) if run_id else {}
    wanted = (_RANKED_BY[model], _TESTED_BY[model])
    return {name: metrics[metric] for metric, name in wanted if metric in metrics}
