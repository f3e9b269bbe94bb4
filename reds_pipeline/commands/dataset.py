"""The data set in people's hands: reviewing it, describing it, giving it away.

What belongs here: the commands ``review``, ``card`` (also that of a model) and ``export``. What
does not: the page (``web``), decisions (``review``), cards and files (``dataset``,
``model_card.py``).
"""

from __future__ import annotations

import sys
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

import click

from reds_pipeline.commands.common import PORT, announce, home_option, json_option, print_json

if TYPE_CHECKING:
    from reds_pipeline.dataset.export import Format
    from reds_pipeline.dataset.licences import Sharing

_FILE = click.Path(dir_okay=False, path_type=Path)


@click.command()
@home_option
@click.option(
    "--port", default=8080, type=PORT, show_default=True, help="Loopback port of the page."
)
@click.option(
    "--import",
    "imported",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="Take in decisions from a CSV or Label Studio file instead of serving the page.",
)
@click.option(
    "--export",
    "exported",
    type=_FILE,
    help="Write the decisions to a .csv or (Label Studio) .json file instead.",
)
@click.option("--quiet", is_flag=True, help="Do not say where the page is.")
def review(
    home: Path | None, port: int, imported: Path | None, exported: Path | None, quiet: bool
) -> None:
    """Serve the review gallery until Ctrl+C."""
    from reds_pipeline.resources import Platform
    from reds_pipeline.review.desk import ReviewDesk
    from reds_pipeline.review.files import import_decisions, write_decisions
    from reds_pipeline.settings import load_settings
    from reds_pipeline.web.serving import Serving, serve_application

    if imported and exported:
        raise click.UsageError("Choose one of --import and --export.")
    platform = Platform(load_settings(home=home))
    desk = ReviewDesk(platform.home, platform.ledger)
    if imported:
        report = import_decisions(desk, imported)
        announce(f"{report.sentence} `reds retrain` puts decisions into effect.")
    elif exported:
        announce(f"Wrote {write_decisions(desk, exported)} decisions to {exported}.")
    else:

        def say(address: str) -> None:
            if not quiet:
                announce(f"Review gallery: {address}/review\nCtrl+C stops it.")

        serve_application(platform, Serving(port, is_tagging=False, is_quiet=True), say)


@click.command()
@home_option
@click.option("--croissant", is_flag=True, help="Print the Croissant description (JSON) instead.")
@click.option(
    "--model",
    "version",
    is_flag=False,
    flag_value="",
    metavar="[VERSION]",
    help="Print the card of a model version instead, of the champion if none is given.",
)
@click.option(
    "--registered",
    default="reds-tagger",
    show_default=True,
    type=click.Choice(["reds-tagger", "reds-hashtags"]),
    help="With --model: the registered model in MLflow.",
)
def card(home: Path | None, croissant: bool, version: str | None, registered: str) -> None:
    """Print the card of the data set, or of a model."""
    if version is not None:
        if croissant:
            raise click.UsageError("Choose one of --croissant and --model.")
        _print_model_card(home, version, registered)
        return
    from reds_pipeline.dataset.card_files import write_card
    from reds_pipeline.dataset.collect_facts import collect_facts
    from reds_pipeline.resources import Platform
    from reds_pipeline.settings import load_settings

    platform = Platform(load_settings(home=home))
    facts = collect_facts(platform.home, platform.ledger, platform.collection_rules)
    files = write_card(platform.home, facts)
    shown = files.croissant if croissant else files.card
    sys.stdout.write(shown.read_text(encoding="utf-8"))


def _print_model_card(home: Path | None, version: str, registered: str) -> None:
    from reds_pipeline.model_card import model_card
    from reds_pipeline.resources import Platform
    from reds_pipeline.settings import load_settings

    sys.stdout.write(model_card(Platform(load_settings(home=home)), version, registered))


@click.command()
@home_option
@click.argument("directory", type=click.Path(file_okay=False, path_type=Path))
@click.option(
    "--format",
    "form",
    default="image_folder",
    show_default=True,
    type=click.Choice(["image_folder", "parquet", "webdataset"]),
    help="How the pictures are stored.",
)
@click.option(
    "--licences",
    default="open",
    show_default=True,
    type=click.Choice(["free", "open", "all"]),
    help="Which pictures: without conditions, under any open licence, or all (for own use).",
)
@click.option("--check", is_flag=True, help="Say instead what was withdrawn since it was made.")
@click.option("--deleted", is_flag=True, help="Note instead that no copy of it is left anywhere.")
@json_option
def export(
    *,
    home: Path | None,
    directory: Path,
    form: Format,
    licences: Sharing,
    check: bool,
    deleted: bool,
    as_json: bool,
) -> None:
    """Write the data set into DIRECTORY, with its card, without anybody's name or address."""
    from reds_pipeline import terminal
    from reds_pipeline.dataset.collect_facts import collect_facts
    from reds_pipeline.dataset.export import ExportRequest, export_dataset, withdrawn_from
    from reds_pipeline.dataset.remembered import forget_deleted
    from reds_pipeline.resources import Platform
    from reds_pipeline.settings import load_settings
    from reds_pipeline.withdrawal.tombstones import erased_key, erased_keys

    if check and deleted:
        raise click.UsageError("Choose one of --check and --deleted.")
    platform = Platform(load_settings(home=home))
    if deleted:
        forget_deleted(platform.home, directory)
        announce(f"{directory.name} is not counted among the exports any more.")
        return
    if check:
        erased, key = erased_keys(platform.ledger), platform.home.keyed_hash
        withdrawn = withdrawn_from(
            directory, platform.home, lambda sha256: erased_key(key, sha256) in erased
        )
        if as_json:
            print_json(withdrawn)
        else:
            terminal.show_withdrawn_from_export(directory, withdrawn)
        return
    report = export_dataset(
        platform.home,
        collect_facts(platform.home, platform.ledger, platform.collection_rules),
        ExportRequest(directory, form, licences),
    )
    if as_json:
        print_json({**asdict(report), "directory": str(report.directory)})
    else:
        terminal.show_export(report)
