"""What all commands share: options, and where words go.

What belongs here: options that mean the same everywhere; data on standard output, everything else
on standard error. What does not: any command.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import click

home_option = click.option(
    "--home",
    type=click.Path(file_okay=False, path_type=Path),
    help="Where REDS keeps everything (default: REDS_HOME, else ./.reds).",
)
PORT = click.IntRange(0, 65535)
"""The type of an option that is a port; 0 takes any that is free."""

PAGE_PORT = click.IntRange(1, 65535)
"""The type of an option that is a port which somebody else must know."""

json_option = click.option("--json", "as_json", is_flag=True, help="Print one JSON value instead.")


def announce(line: str) -> None:
    """Tell the person at the terminal one line."""
    print(line, file=sys.stderr, flush=True)


def print_json(value: Any) -> None:
    """Print one JSON value as the result."""
    print(json.dumps(value, ensure_ascii=False, indent=2))
