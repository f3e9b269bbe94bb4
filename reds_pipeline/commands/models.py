"""The models that serve: which did when and why, and changing that.

What belongs here: the commands ``history``, ``promote`` and ``rollback``. What does not: what they
do (``promotion.py``, ``chosen_models.py``), removing old ones (``housekeeping.py``), or measuring
models.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from reds_pipeline.commands.common import announce, home_option, json_option, print_json

if TYPE_CHECKING:
    from reds_pipeline.promotion import PromotionResult

_registered_option = click.option(
    "--registered",
    "model",
    default="reds-tagger",
    show_default=True,
    type=click.Choice(["reds-tagger", "reds-hashtags"]),
    help="The registered model in MLflow.",
)
_by_option = click.option(
    "--by",
    default="a person at the command line",
    show_default=True,
    help="Who decided it, for the record.",
)


@click.command()
@home_option
@_registered_option
@json_option
def history(home: Path | None, model: str, as_json: bool) -> None:
    """Show which model served when and why, which versions there are, and how classes changed."""
    from reds_pipeline import model_history, terminal_models
    from reds_pipeline.class_states import class_changes
    from reds_pipeline.registered_versions import registered_versions
    from reds_pipeline.resources import Platform
    from reds_pipeline.settings import load_settings

    platform = Platform(load_settings(home=home))
    with model_history.champion_lock(platform.home):
        for sentence in model_history.catch_up(platform.tracking, platform.ledger, model):
            announce(sentence)
    entries = model_history.history(platform.ledger, model)
    champion = platform.tracking.alias("champion", model)
    versions = registered_versions(platform, model)
    changes = class_changes(platform.ledger)
    if as_json:
        print_json(
            {
                "model": model,
                "champion": champion.version if champion else None,
                "changes": [entry.as_dict() for entry in entries],
                "versions": [version.as_dict() for version in versions],
                "classes": [
                    {
                        "at": event["at"],
                        "class": event["subject"],
                        "change": event["change"],
                        "reason": event["reason"],
                    }
                    for event in changes
                ],
            }
        )
    else:
        terminal_models.show_history(model, champion.version if champion else "", entries)
        terminal_models.show_versions(versions)
        terminal_models.show_class_changes(changes)


@click.command()
@home_option
@click.argument("version")
@click.option("--reason", required=True, help="Why it shall serve, for the record.")
@_by_option
@_registered_option
def promote(home: Path | None, version: str, reason: str, by: str, model: str) -> None:
    """Let VERSION of the registry serve, whatever the rule says."""
    from reds_pipeline.chosen_models import promote_version
    from reds_pipeline.resources import Platform
    from reds_pipeline.settings import load_settings

    platform = Platform(load_settings(home=home))
    _say(promote_version(platform, version, reason=reason, by=by, model=model))


@click.command()
@home_option
@click.option("--reason", default="", help="Why, for the record.")
@_by_option
@_registered_option
def rollback(home: Path | None, reason: str, by: str, model: str) -> None:
    """Let the version before serve again; twice leads to the one before that."""
    from reds_pipeline.chosen_models import roll_back
    from reds_pipeline.resources import Platform
    from reds_pipeline.settings import load_settings

    _say(roll_back(Platform(load_settings(home=home)), reason=reason, by=by, model=model))


def _say(result: PromotionResult) -> None:
    announce(f"Version {result.champion_version} serves now: {result.reason}")
    for notice in result.notices:
        announce(notice)
