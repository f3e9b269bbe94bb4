"""Looking at the backbones: what they are, and how fast this machine runs them.

What belongs here: the command ``backbones``. What does not: describing networks
(``backbone_table.py``) and measuring engines (``embedding_runs.py``).
"""

from __future__ import annotations

from pathlib import Path

import click

from reds_pipeline.commands.common import announce, home_option, json_option, print_json


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
    names = platform.settings.backbones
    facts = backbone_facts(platform.home, names, platform.settings.weights_dir)
    if not as_json:
        terminal_backbones.show_backbones(facts)
    engines = {}
    for name in names if measure else ():
        from reds_pipeline.embedding_runs import measure_engines

        announce(f"Measuring what can run {name} here; this may take some minutes.")
        engines[name] = measure_engines(platform, name)
        if not as_json:
            terminal_backbones.show_engines(name, engines[name])
    if as_json:
        print_json({"backbones": facts, **({"engines": engines} if measure else {})})
