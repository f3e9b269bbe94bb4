"""Comparing backbones: the command ``compare``, which changes nothing in a home.

What belongs here: its options. What does not: statistics (``modeling``), or reading tables
(``backbone_report.py``).
"""

from __future__ import annotations

from pathlib import Path

import click

from reds_pipeline.commands.common import home_option, json_option, print_json


@click.command()
@home_option
@click.argument("backbones", nargs=-1)
@json_option
def compare(home: Path | None, backbones: tuple[str, ...], as_json: bool) -> None:
    """Say which backbone is better, and how sure that is (default: all that were trained)."""
    from reds_pipeline import terminal
    from reds_pipeline.backbone_report import compare_backbones, trained_backbones
    from reds_pipeline.settings import load_settings
    from reds_pipeline.storage.home import Home

    if len(set(backbones)) < len(backbones) or len(backbones) == 1:
        raise click.UsageError("Name two different backbones, or none for all that were trained.")
    settings = load_settings(home=home)
    installation = Home(settings.home)
    report = compare_backbones(
        installation, backbones or trained_backbones(installation), settings.seed
    )
    if as_json:
        print_json(report.as_dict())
    else:
        terminal.show_comparison(report.as_dict())
