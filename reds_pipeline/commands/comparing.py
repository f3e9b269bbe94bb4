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
    """Say which backbone is better, and how sure that is (default: all configured)."""
    from reds_pipeline import terminal
    from reds_pipeline.backbone_report import compare_backbones
    from reds_pipeline.resources import Platform
    from reds_pipeline.settings import load_settings

    if len(set(backbones)) < len(backbones) or len(backbones) == 1:
        raise click.UsageError("Name two different backbones, or none for all that are configured.")
    settings = load_settings(home=home)
    report = compare_backbones(
        Platform(settings).home, backbones or settings.backbones, settings.seed
    )
    if as_json:
        print_json(report.as_dict())
    else:
        terminal.show_comparison(report.as_dict())
