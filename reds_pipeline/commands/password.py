"""Making what opens the operator's part of the pages.

What belongs here: the command ``password``. What does not: hashing (``web/password_hashes.py``)
and checking (``web/operator_gate.py``). Nothing is written to a file: where a secret is kept is the
operator's choice.
"""

from __future__ import annotations

import secrets
import sys

import click

from reds_pipeline.commands.common import announce
from reds_pipeline.errors import RedsError

_TOKEN_BYTES = 32


@click.command()
@click.option("--stdin", "from_stdin", is_flag=True, help="Read it from standard input, unasked.")
@click.option(
    "--token", "as_token", is_flag=True, help="Print a new token for programs instead of a hash."
)
def password(from_stdin: bool, as_token: bool) -> None:
    """Print the setting that lets the operator sign in to the review gallery.

    The password is asked for twice and not shown. Only its Argon2 hash is printed, as a line for
    reds.toml; nothing is stored.
    """
    if as_token:
        click.echo(f'operator_token = "{secrets.token_urlsafe(_TOKEN_BYTES)}"')
        announce(
            "Put this line into reds.toml, or its value into REDS_OPERATOR_TOKEN, and start REDS "
            "again. Programs send it as `Authorization: Bearer ...`."
        )
        return
    from reds_pipeline.web.password_hashes import hash_password

    chosen = _piped() if from_stdin else _asked_for()
    # Single quotes: the dollar signs of a hash mean something else to shells.
    click.echo(f"operator_password_hash = '{hash_password(chosen)}'")
    announce(
        "Put this line into reds.toml, or its value in single quotes into "
        "REDS_OPERATOR_PASSWORD_HASH (in a Compose file with every $ written as $$), and start "
        "REDS again."
    )


def _piped() -> str:
    # One line end belongs to the file or to `echo`; anything else to the password.
    return sys.stdin.read().removesuffix("\n").removesuffix("\r")


def _asked_for() -> str:
    """Ask for a password twice.

    Raises:
        RedsError: Nobody answers: standard input ended, or Ctrl+C.
    """
    try:
        return str(click.prompt("Password", hide_input=True, confirmation_prompt=True, err=True))
    except click.Abort as error:
        raise RedsError(
            "No password was typed, so no hash was made; where there is no terminal to type at, "
            "give it to `reds password --stdin`."
        ) from error
