"""Trying out whether REDS can tell its operator anything.

What belongs here: the command ``notify``. What does not: what REDS tells by itself and when
(``sensors.py``), or sending (``notices.py``).
"""

from __future__ import annotations

import sys
from pathlib import Path

import click

from reds_pipeline.commands.common import announce, home_option


@click.command()
@home_option
@click.option(
    "--test",
    is_flag=True,
    required=True,
    expose_value=False,
    help="Send a test to every address; nothing else can be sent by hand.",
)
def notify(home: Path | None) -> None:
    """Send a test notice to the addresses in REDS_NOTIFY."""
    from reds_pipeline.errors import RedsError
    from reds_pipeline.notices import SENT, has_address, send_test
    from reds_pipeline.resources import Platform
    from reds_pipeline.settings import load_settings

    platform = Platform(load_settings(home=home))
    if not has_address(platform.settings):
        raise RedsError(
            "Nobody is told of anything, because REDS_NOTIFY is empty; set it to an Apprise "
            "address such as mailto://user:password@mail.example?to=you@mail.example."
        )
    outcome = send_test(platform)
    if outcome.outcome != SENT:
        raise RedsError(f"Nothing was sent: {outcome.reason}. Correct REDS_NOTIFY and try again.")
    if outcome.reason:
        announce(f"Sent, but not to all: {outcome.reason}.")
        sys.exit(1)
    announce("Sent.")
