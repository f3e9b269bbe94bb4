"""The page for photos, served.

What belongs here: the command ``serve``. What does not: the page (``web``), and all pages at once
(``reds up``).
"""

from __future__ import annotations

from pathlib import Path

import click

from reds_pipeline.commands.common import PORT, announce, home_option


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

    def say(address: str) -> None:
        if not quiet:
            announce(f"Tag photos: {address}\nReview gallery: {address}/review\nCtrl+C stops it.")

    serve_application(Platform(load_settings(home=home)), Serving(port, host, is_quiet=quiet), say)
