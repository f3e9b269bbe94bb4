"""Erasing what somebody asked to be erased.

What belongs here: the command ``withdraw`` and how a withdrawal is shown. What does not: how
anything is erased (``withdrawal``).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

import click

from reds_pipeline.commands.common import announce, home_option, json_option, print_json

if TYPE_CHECKING:
    from reds_pipeline.resources import Platform
    from reds_pipeline.settings import Settings
    from reds_pipeline.withdrawal.requests import Subject
    from reds_pipeline.withdrawal.withdraw import WithdrawalReport

_SUBJECTS = ("post", "author", "image")
_UPLOAD_DELETED = "The photo is deleted; nothing had been made of it."


@click.command()
@home_option
@click.option("--post", help="Address of a post, at the host or where it came from.")
@click.option("--author", help="Address of a profile, or name@host.")
@click.option("--image", help="A picture file, or the SHA-256 of a stored picture.")
@click.option("--upload", help="The code of a photo that somebody gave on the page.")
@click.option("--finish", is_flag=True, help="Only do what was left undone before.")
@click.option("--why", default="", help="The reason, for the record; kept for ever.")
@click.option("--asked-by", default="", help="Who asked, in words that name nobody.")
@click.option("--dry-run", is_flag=True, help="Only say what would be withdrawn.")
@json_option
def withdraw(
    home: Path | None,
    upload: str | None,
    finish: bool,
    dry_run: bool,
    as_json: bool,
    **named: str | None,
) -> None:
    """Erase a post, an author's posts or a picture from everything, for good.

    A photo that somebody gave goes by its code or by --image; by its code it may be given again.
    """
    from reds_pipeline.resources import Platform
    from reds_pipeline.settings import load_settings
    from reds_pipeline.withdrawal.withdraw import WithdrawalRequest, finish_withdrawals
    from reds_pipeline.withdrawal.withdraw import withdraw as withdraw_request

    settings = load_settings(home=home)
    platform = Platform(settings)
    if upload is not None or finish:
        if dry_run or any(named[name] for name in _SUBJECTS) or (upload is not None and finish):
            raise click.UsageError("--upload and --finish go with none of the other options.")
        if upload is not None:
            _delete_upload(platform, upload)
        report = finish_withdrawals(platform.home, platform.ledger, platform.tracking)
        nothing = "Nothing was left to be done." if finish else _UPLOAD_DELETED
        show_withdrawal(report, platform, as_json, if_nothing=nothing)
        return
    request = WithdrawalRequest(
        _withdrawal_subject(named, settings), named["why"] or "", named["asked_by"] or ""
    )
    report = withdraw_request(
        platform.home, platform.ledger, platform.tracking, request, dry_run=dry_run
    )
    show_withdrawal(report, platform, as_json)


def show_withdrawal(
    report: WithdrawalReport, platform: Platform, as_json: bool, if_nothing: str = ""
) -> None:
    """Take the photographs out of the run history too, and show what a withdrawal did.

    Args:
        report: What was done.
        platform: Where it was done.
        as_json: Whether a program reads it.
        if_nothing: As in ``terminal.show_withdrawal``.
    """
    from reds_pipeline import terminal
    from reds_pipeline.instance import open_instance
    from reds_pipeline.run_history import remove_withdrawn_photographs

    if report.classes and not report.dry_run:
        with open_instance(platform.settings) as instance:
            remove_withdrawn_photographs(instance, platform.home)
    if as_json:
        print_json(asdict(report))
    else:
        terminal.show_withdrawal(report, if_nothing)
    if not report.is_finished:
        announce(
            f"Another process is using {', '.join(report.busy)}; what is there goes with its next "
            "run, or repeat this command when it has finished."
        )


def _delete_upload(platform: Platform, code: str) -> None:
    """Delete the photo of a code.

    Raises:
        RedsError: There is none.
    """
    from reds_pipeline.errors import RedsError
    from reds_pipeline.feedback.codes import contribution_id_of
    from reds_pipeline.feedback.deletion import delete_contribution

    contribution_id = contribution_id_of(code, platform.home.keyed_hash)
    if not contribution_id or not delete_contribution(
        platform.home, platform.ledger, contribution_id, "operator"
    ):
        raise RedsError(
            "No photo is kept under this code; look whether all of it was copied, otherwise the "
            "photo was deleted before."
        )


def _withdrawal_subject(named: Mapping[str, str | None], settings: Settings) -> Subject:
    """Return what exactly one of the options --post, --author and --image names."""
    from reds_pipeline.withdrawal.withdraw import account_address, picture, post_address

    given = [name for name in _SUBJECTS if named[name]]
    if len(given) != 1:
        raise click.UsageError(
            "Name one of --post, --author and --image, or give --upload or --finish."
        )
    value = str(named[given[0]])
    if given == ["post"]:
        return post_address(value)
    if given == ["author"]:
        return account_address(value)
    file = Path(value)
    return picture(file.read_bytes() if file.is_file() else value, settings.perceptual_radius)
