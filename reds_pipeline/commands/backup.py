"""A home in one file, and a home out of one file.

What belongs here: the commands ``backup`` and ``restore``. What does not: what they do, which is in
the package ``backup``.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from reds_pipeline.commands.common import announce, home_option, json_option, print_json

if TYPE_CHECKING:
    from reds_pipeline.backup.make import BackupReport

_FILE = click.Path(dir_okay=False, path_type=Path)


@click.command()
@home_option
@click.argument("file", required=False, type=_FILE)
@click.option(
    "--without-pictures",
    is_flag=True,
    help="Leave out the pictures, which the next collection fetches again, and given photos.",
)
@click.option("--check", is_flag=True, help="Say instead whether FILE is whole and as it was made.")
@click.option("--deleted", is_flag=True, help="Note instead that no copy of FILE is left anywhere.")
@click.option("--list", "listed", is_flag=True, help="List instead which backups may exist.")
@json_option
def backup(
    *,
    home: Path | None,
    file: Path | None,
    without_pictures: bool,
    check: bool,
    deleted: bool,
    listed: bool,
    as_json: bool,
) -> None:
    """Write everything that REDS needs into FILE, while it goes on working."""
    from reds_pipeline.backup.make import check_backup, make_backup
    from reds_pipeline.backup.remembered import forget_deleted, remembered_backups
    from reds_pipeline.resources import Platform
    from reds_pipeline.settings import load_settings

    if check + deleted + listed + without_pictures > 1:
        raise click.UsageError("Choose one of --without-pictures, --check, --deleted and --list.")
    if (file is None) != listed:
        raise click.UsageError("Name the file of the backup; only --list goes without.")
    platform = Platform(load_settings(home=home))
    if file is None:
        known = remembered_backups(platform.ledger)
        if as_json:
            print_json([vars(each) for each in known])
        for each in known if not as_json else ():
            outdated = "; holds what was taken back since" if each.is_outdated else ""
            click.echo(f"{each.at}  {each.file}{outdated}")
    elif deleted:
        if file.exists():
            from reds_pipeline.errors import RedsError

            raise RedsError(
                f"{file} is still there; delete it, and every copy of it, and then say so again."
            )
        forget_deleted(platform.ledger, file.name)
        announce(f"{file.name} is not counted among the backups any more.")
    elif check:
        _show(check_backup(file), "is whole, and every file in it is what it was", as_json)
    else:
        _show(make_backup(platform, file, pictures=not without_pictures), "was written", as_json)


@click.command()
@home_option
@click.argument("file", required=False, type=_FILE)
@click.option(
    "--withdrawals-from",
    default="",
    metavar="HOME_OR_LEDGER",
    help="The home that was backed up, or its ledger: what people took back since stays gone.",
)
@click.option(
    "--moved",
    is_flag=True,
    help="Restore nothing: let MLflow find the files of a home that was moved or copied by hand.",
)
@json_option
def restore(
    *, home: Path | None, file: Path | None, withdrawals_from: str, moved: bool, as_json: bool
) -> None:
    """Make the home --home of the backup FILE; the directory must be empty or new."""
    from reds_pipeline.backup.restore import mend_moved_home, restore_backup
    from reds_pipeline.settings import load_settings
    from reds_pipeline.storage.home import Home

    if moved == (file is not None) or (moved and withdrawals_from):
        raise click.UsageError("Name the file of a backup, or give --moved alone.")
    place = load_settings(home=home).home.resolve()
    if file is None:
        changed = mend_moved_home(Home(place))
        if as_json:
            print_json({"home": str(place), "changed": changed})
        elif changed:
            announce(f"MLflow finds its files in {place} again: {changed} addresses were changed.")
        else:
            announce(f"MLflow finds its files in {place}; nothing had to be changed.")
        return
    report = restore_backup(file, place, withdrawals_from)
    if as_json:
        print_json(report.as_dict())
    else:
        for sentence in report.sentences():
            announce(sentence)


def _show(report: BackupReport, what: str, as_json: bool) -> None:
    """Show a backup that was made or checked."""
    facts = report.as_dict()
    if as_json:
        print_json(facts)
        return
    announce(
        f"{report.file} {what}: {facts['files']} files, {facts['pictures']} of them pictures, in "
        f"{facts['bytes'] / 1e6:.1f} MB. It holds the key of this installation and what people "
        "may take back later: keep it private, and no longer than you need it."
    )
    for note in facts["not_in_it"]:
        announce(note)
