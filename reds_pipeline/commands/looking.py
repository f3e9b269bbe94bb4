"""Looking at what is there: tags for a photo, the state of a home, of this machine, the pages.

What belongs here: the commands ``predict``, ``status``, ``doctor`` and ``up``, which change nothing
in a home. What does not: running the pipeline (``running.py``).
"""

from __future__ import annotations

import sys
from pathlib import Path

import click

from reds_pipeline.commands.common import (
    PAGE_PORT,
    announce,
    home_option,
    json_option,
    print_json,
)


@click.command()
@home_option
@click.argument("files", nargs=-1, required=True, type=click.Path(dir_okay=False, path_type=Path))
@click.option(
    "--every-tag",
    is_flag=True,
    help="Give every hashtag that is likely enough, by the model learnt from all tags of posts.",
)
@json_option
def predict(home: Path | None, files: tuple[Path, ...], every_tag: bool, as_json: bool) -> None:
    """Recommend tags for photos by the champion."""
    from reds_pipeline import terminal
    from reds_pipeline.resources import Platform
    from reds_pipeline.settings import load_settings
    from reds_pipeline.tagging.tagger import Tagger

    platform = Platform(load_settings(home=home))
    tagger = Tagger.of_champion(platform, "tags" if every_tag else "classes")
    answers = tagger.tag_files(files)
    for answer in answers:
        if "error" in answer:
            announce(answer["error"])
    if as_json:
        print_json(answers)
    else:
        terminal.show_tags(answers)
    if any("error" in answer for answer in answers):
        sys.exit(1)


@click.command()
@home_option
@click.option(
    "--details",
    is_flag=True,
    help="Also show where every picture went, all models, reviews, exports and champions.",
)
@click.option("--check", is_flag=True, help="Exit with 1 if something is red, for cron and alike.")
@json_option
def status(home: Path | None, details: bool, check: bool, as_json: bool) -> None:
    """Show in one screen whether all is well, and what to do where it is not."""
    from reds_pipeline import terminal, terminal_status
    from reds_pipeline.resources import Platform
    from reds_pipeline.settings import load_settings
    from reds_pipeline.status import home_status

    report = home_status(Platform(load_settings(home=home)))
    if as_json:
        print_json(report)
    else:
        terminal_status.show_screen(report)
        if details:
            terminal.show_details(report)
    if check and report["verdict"]["red"]:
        sys.exit(1)


@click.command()
@home_option
@json_option
def doctor(home: Path | None, as_json: bool) -> None:
    """Say what is missing on this machine and how to get it."""
    from reds_pipeline import terminal
    from reds_pipeline.doctor import examine
    from reds_pipeline.settings import load_settings

    findings = examine(load_settings(home=home))
    if as_json:
        print_json([finding.as_dict() for finding in findings])
    else:
        terminal.show_findings(findings)
    if not all(finding.ok for finding in findings):
        sys.exit(1)


@click.command()
@home_option
@click.option(
    "--dagster-port",
    default=3000,
    type=PAGE_PORT,
    show_default=True,
    help="Port of the Dagster UI.",
)
@click.option(
    "--mlflow-port", default=5000, type=PAGE_PORT, show_default=True, help="Port of the MLflow UI."
)
@click.option(
    "--page-port",
    default=8080,
    type=PAGE_PORT,
    show_default=True,
    help="Port of the page for photos and the review gallery.",
)
def up(home: Path | None, dagster_port: int, mlflow_port: int, page_port: int) -> None:
    """Serve Dagster (with its daemon), MLflow and the page for photos until Ctrl+C."""
    from reds_pipeline.settings import load_settings
    from reds_pipeline.user_interfaces import Ports, serve

    if len({dagster_port, mlflow_port, page_port}) < 3:
        raise click.UsageError("Give Dagster, MLflow and the page a port each.")
    serve(load_settings(home=home), Ports(dagster_port, mlflow_port, page_port), announce)
