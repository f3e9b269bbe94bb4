"""The page for photos, served.

What belongs here: the command ``serve``. What does not: the page (``web``), and all pages at once
(``reds up``).
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from reds_pipeline.commands.common import PORT, announce, home_option

if TYPE_CHECKING:
    from reds_pipeline.settings import Settings


@click.command()
@home_option
@click.option(
    "--host",
    default="127.0.0.1",
    show_default=True,
    help="Address to listen at; 0.0.0.0 lets other machines in, as REDS_PAGE_HOSTS names them.",
)
@click.option("--port", default=8080, type=PORT, show_default=True, help="Port of the page.")
@click.option("--quiet", is_flag=True, help="Say neither where the page is nor what it answers.")
def serve(home: Path | None, host: str, port: int, quiet: bool) -> None:
    """Serve the page that tags photos, and the review gallery, until Ctrl+C."""
    from reds_pipeline.resources import Platform
    from reds_pipeline.settings import load_settings
    from reds_pipeline.web.serving import Serving, serve_application

    settings = load_settings(home=home)

    def say(address: str) -> None:
        if not quiet:
            announce(greeting(settings, host, address))

    serve_application(Platform(settings), Serving(port, host, is_quiet=quiet), say)


def greeting(settings: Settings, host: str, address: str) -> str:
    """Say where the pages are, and if the review gallery is closed, why.

    Args:
        settings: The installation's.
        host: The address that is listened at.
        address: What a browser on this machine opens.
    """
    from reds_pipeline.web.serving import is_loopback

    is_public = bool(not is_loopback(host) or settings.page_hosts or settings.trusted_proxies)
    review = f"{address}/review"
    if is_public and not settings.operator_password_hash.get_secret_value():
        review = (
            "closed to browsers, because other people can reach this page and no password is "
            "set; `reds password` prints the setting."
        )
    return f"Tag photos: {address}\nReview gallery: {review}\nCtrl+C stops it."
