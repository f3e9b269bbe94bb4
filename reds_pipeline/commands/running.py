"""Running the pipeline: against the embedded instance, a real one, or what is there.

What belongs here: the commands ``demo``, ``run`` and ``retrain``. What does not: looking at what
came out (``looking.py``).
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from reds_pipeline.commands.common import announce, home_option, json_option, print_json

if TYPE_CHECKING:
    from reds_pipeline.runner import RunOutcome
    from reds_pipeline.settings import Settings

FELL_SHORT = 3

_wait_option = click.option(
    "--wait", is_flag=True, help="Wait for whoever works on this home, instead of giving up."
)


@click.command()
@home_option
@click.option(
    "--photos",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    help="Serve real photographs from DIR/<class>/ instead of drawn pictures.",
)
@_wait_option
@json_option
def demo(home: Path | None, photos: Path | None, wait: bool, as_json: bool) -> None:
    """Run everything against an instance inside this process."""
    from reds_pipeline.demo.demo_home import prepare_demo
    from reds_pipeline.runner import wait_for_others
    from reds_pipeline.settings import load_settings
    from reds_pipeline.storage.home import Home

    settings = load_settings(home=home)
    # One instance serves a demonstration, so another one would find the port taken.
    wait_for_others(Home(settings.home.resolve()), announce, wait=wait)
    plan = prepare_demo(settings, photos)
    announce(plan.encoders)
    with plan.serving() as settings:
        _run(settings, as_json, work="`reds demo`", wait=wait)
    if not as_json:
        from reds_pipeline import terminal

        terminal.show_next_steps(settings, plan.example_picture())


@click.command()
@home_option
@click.option("--classes", help="Classes to use, separated by commas, instead of choosing them.")
@_wait_option
@json_option
def run(home: Path | None, classes: str | None, wait: bool, as_json: bool) -> None:
    """Run the main job against the configured host."""
    from reds_pipeline.demo.demo_home import refuse_to_mix
    from reds_pipeline.settings import load_settings

    settings = load_settings(home=home, classes=classes)
    refuse_to_mix(settings)
    _run(settings, as_json, work="`reds run`", wait=wait)


@click.command()
@home_option
@_wait_option
@json_option
def retrain(home: Path | None, wait: bool, as_json: bool) -> None:
    """Re-check posts, apply review decisions and train; nothing new is collected."""
    from reds_pipeline.demo.demo_home import demo_answering
    from reds_pipeline.runner import run_retraining, wait_for_others
    from reds_pipeline.settings import load_settings
    from reds_pipeline.storage.home import Home

    settings = load_settings(home=home)
    place = Home(settings.home.resolve())
    wait_for_others(place, announce, wait=wait)
    # A demonstration's host is part of this program and answers only while it runs.
    with demo_answering(place):
        _show_outcome(settings, run_retraining(settings, announce, wait=wait), as_json)


def _run(settings: Settings, as_json: bool, *, work: str, wait: bool) -> None:
    """Run the main job and show what came out."""
    from reds_pipeline.runner import run_main_job

    _show_outcome(settings, run_main_job(settings, announce, work=work, wait=wait), as_json)


def _show_outcome(settings: Settings, outcome: RunOutcome, as_json: bool) -> None:
    """Show what a run did; exit with 3 if a class fell short."""
    from reds_pipeline import terminal
    from reds_pipeline.balance import raw_posts_needed
    from reds_pipeline.funnel import class_funnels
    from reds_pipeline.resources import Platform
    from reds_pipeline.status import run_summary

    platform = Platform(settings)
    summary = run_summary(platform)
    for name, sentence in outcome.failed_classes.items():
        announce(f"{name}: {sentence}")
    for notice in outcome.notices:
        announce(notice)
    if as_json:
        print_json(summary)
    else:
        terminal.show_summary(summary)
    announce(outcome.cost_sentence())
    minimum = settings.min_images_per_class
    short = {
        name: funnel["kept"]
        for name, funnel in summary["funnel"].items()
        if funnel["kept"] < minimum
    }
    if short:
        counts = ", ".join(f"{name} {kept}" for name, kept in short.items())
        announce(
            f"Too few images were kept of: {counts} (the minimum is {minimum}); collect from "
            "more hosts, lower REDS_MIN_IMAGES_PER_CLASS, or choose other classes."
        )
        for name, funnel in class_funnels(platform.home, list(short)).items():
            announce(raw_posts_needed(name, funnel, settings.images_per_class).sentence)
        sys.exit(FELL_SHORT)
