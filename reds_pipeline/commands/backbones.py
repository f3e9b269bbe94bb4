"""Looking at the backbones: what they are, and how fast this machine runs them.

What belongs here: the command ``backbones``. What does not: describing networks
(``backbone_table.py``) and measuring engines (``embedding_runs.py``).
"""

from __future__ import annotations

from pathlib import Path

import click

from reds_pipeline.commands.common import home_option, json_option, print_json


@click.command()
@home_option
@click.option(
    "--measure",
    is_flag=True,
    help="Also measure, on pictures of this home, every engine that can run them here.",
)
@json_option
def backbones(home: Path | None, measure: bool, as_json: bool) -> None:
    """List the configured backbones: type, year, parameters, layers, sizes, weights."""
    from reds_pipeline import terminal_backbones
    from reds_pipeline.backbone_table import backbone_facts
    from reds_pipeline.resources import Platform
    from reds_pipeline.settings import load_settings

    platform = Platform(load_settings(home=home))
    settings = platform.settings
    facts = backbone_facts(platform.home, settings.backbones, settings.weights_dir)
    engines = {}
    if measure:
        from reds_pipeline.embedding_runs import measure_engines

        engines = {name: measure_engines(platform, name) for name in settings.backbones}
    if as_json:
        measured = {"engines": engines} if measure else {}
        print_json({"backbones": facts, **measured})
        return
    terminal_backbones.show_backbones(facts)
    for name, rows in engines.items():
        terminal_backbones.show_engines(name, rows)
