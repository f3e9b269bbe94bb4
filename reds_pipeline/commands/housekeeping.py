"""Keeping house: what nobody needs any more.

What belongs here: the command ``prune``. What does not: finding and removing things
(``housekeeping``).
"""

from __future__ import annotations

from pathlib import Path

import click

from reds_pipeline.commands.common import announce, home_option, json_option, print_json
from reds_pipeline.housekeeping.kinds import KINDS


@click.command()
@home_option
@click.option("--apply", is_flag=True, help="Remove it; without it everything is only listed.")
@click.option(
    "--only",
    multiple=True,
    type=click.Choice(KINDS),
    help="Look at this kind of thing only; may be given several times.",
)
@json_option
def prune(home: Path | None, apply: bool, only: tuple[str, ...], as_json: bool) -> None:
    """List what nobody needs any more, with how much it would free, or remove it."""
    from contextlib import ExitStack

    from reds_pipeline import terminal_housekeeping
    from reds_pipeline.errors import RedsError
    from reds_pipeline.housekeeping.keep_house import keep_house
    from reds_pipeline.instance import open_complete_instance
    from reds_pipeline.resources import Platform
    from reds_pipeline.settings import load_settings
    from reds_pipeline.storage.workers import at_work

    platform = Platform(load_settings(home=home))
    # Opening Dagster and MLflow would make a home of an empty directory.
    if not (platform.home.root / "tables").is_dir():
        raise RedsError(
            f"{platform.home.root} holds nothing yet, so nothing may go; name another home with "
            "--home."
        )
    with ExitStack() as stack:
        if apply:
            stack.enter_context(at_work(platform.home.lock("run"), "`reds prune`"))
        instance = stack.enter_context(open_complete_instance(platform.settings))
        report = keep_house(platform, instance, apply=apply, only=only, say=announce)
    if as_json:
        print_json(report.as_dict())
    else:
        terminal_housekeeping.show(report)
