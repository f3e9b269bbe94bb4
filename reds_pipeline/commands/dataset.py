"""The data set in people's hands: reviewing it, describing it, giving it away.

What belongs here: the commands ``review``, ``card`` and ``export``. What does not: the page
(``web``), decisions (``review``), cards and files (``dataset``).
"""

from __future__ import annotations

from pathlib import Path

import click

from reds_pipeline.commands.common import home_option, json_option


@click.command()
@home_option
@click.option("--port", default=8080, show_default=True, help="Loopback port of the page.")
def review(home: Path | None, port: int) -> None:
    """Serve the review gallery until Ctrl+C."""
    raise NotImplementedError


@click.command()
@home_option
@json_option
def card(home: Path | None, as_json: bool) -> None:
    """Print the card of the data set."""
    raise NotImplementedError


@click.command()
@home_option
def export(home: Path | None) -> None:
    """Write the data set for others."""
    raise NotImplementedError
