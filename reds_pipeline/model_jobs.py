"""Jobs by which a person changes the models that serve, from the Launchpad of the Dagster UI.

What belongs here: ``promote_model`` and ``rollback_model``, and what each asks for. What does not:
what they do, which the command line does in the same way, and removing old ones
(``housekeeping_job.py``).
"""

from collections.abc import Callable
from functools import wraps
from typing import Any

import dagster as dg
from pydantic import Field

from reds_pipeline.errors import RedsError
from reds_pipeline.promotion import PromotionResult
from reds_pipeline.resources import Platform
from reds_pipeline.tracking import REGISTERED_MODEL

_BY = "a person in the Dagster UI"
_REGISTERED = Field(
    REGISTERED_MODEL, description="The registered model: reds-tagger or reds-hashtags."
)
_WHO = Field(_BY, description="Who decided it, for the record, which is kept for ever.")


class PromotionConfig(dg.Config):
    """Which version shall serve."""

    version: str = Field(description="Number of the version in the MLflow registry.")
    reason: str = Field(description="Why it shall serve, for the record, which is kept for ever.")
    by: str = _WHO
    model: str = _REGISTERED


class RollbackConfig(dg.Config):
    """Why the version before shall serve again."""

    reason: str = Field("", description="Why, for the record, which is kept for ever.")
    by: str = _WHO
    model: str = _REGISTERED


def _plain_failure(compute: Callable[..., None]) -> Callable[..., None]:
    """Make what was refused a step failure that reads as one sentence."""

    @wraps(compute)
    def wrapper(*args: Any, **kwargs: Any) -> None:
        try:
            compute(*args, **kwargs)
        except RedsError as error:
            raise dg.Failure(description=str(error), allow_retries=False) from error

    return wrapper


@dg.op
@_plain_failure
def promote_version_op(
    context: dg.OpExecutionContext,
    config: PromotionConfig,
    platform: dg.ResourceParam[Platform],
) -> None:
    """Let a version serve because a person says so."""
    from reds_pipeline.chosen_models import promote_version

    result = promote_version(
        platform, config.version, reason=config.reason, by=config.by, model=config.model
    )
    _say(context, platform, result)


@dg.op
@_plain_failure
def roll_back_op(
    context: dg.OpExecutionContext,
    config: RollbackConfig,
    platform: dg.ResourceParam[Platform],
) -> None:
    """Let the version before serve again."""
    from reds_pipeline.chosen_models import roll_back

    _say(
        context,
        platform,
        roll_back(platform, reason=config.reason, by=config.by, model=config.model),
    )


@dg.job(description="Lets a version of your choice serve; open the Launchpad and fill it in.")
def promote_model() -> None:
    """Let a version of a person's choice serve."""
    promote_version_op()


@dg.job(description="Lets the version before serve again; twice leads to the one before that.")
def rollback_model() -> None:
    """Let the version before serve again."""
    roll_back_op()


MODEL_JOBS = (promote_model, rollback_model)


def _say(context: dg.OpExecutionContext, platform: Platform, result: PromotionResult) -> None:
    sentence = f"Version {result.champion_version} serves now: {result.reason}"
    for line in (sentence, *result.notices):
        context.log.info(line)
    context.add_output_metadata(
        {
            "what happened": sentence,
            "noticed": " ".join(result.notices) or "nothing",
            "MLflow run": dg.MetadataValue.url(platform.tracking.link(result.champion_run_id)),
        }
    )
