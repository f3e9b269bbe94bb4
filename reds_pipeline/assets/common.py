"""What all assets share: how failures read, how often to try again, how tables look.

What belongs here: helpers about Dagster itself. What does not: anything about a stage.
"""

from __future__ import annotations

import base64
import logging
import re
from collections.abc import Callable, Mapping, Sequence
from functools import wraps
from typing import Any, ParamSpec

import dagster as dg

from reds_pipeline.errors import RedsError, TakenAway
from reds_pipeline.full_disk import full_disk_sentence
from reds_pipeline.resources import Platform

_LOGGER = logging.getLogger(__name__)

Parameters = ParamSpec("Parameters")

# The pool that everything talking to the host goes through, so that two runs never ask at once.
HOST_POOL = "host"
# The pool of steps that fill the machine.
HEAVY_POOL = "heavy"

# A Dagster retry policy would also try again what somebody terminated, so failures ask for it
# themselves.
_RETRIES, _SECONDS_TO_WAIT = 2, 60
# Each takes something else away; what is gone for good is still gone after that many.
_WITHDRAWALS_DURING_A_STEP = 3
_LONGEST_REASON = 300
# What Markdown or HTML would act on: tags and names come from whoever posted them.
_ACTIVE = re.compile(r"([\\`*_\[\]<>!|&#])")


def plain_failures(
    compute: Callable[Parameters, dg.MaterializeResult],
) -> Callable[Parameters, dg.MaterializeResult]:
    """Make an error in an asset a step failure that reads as one sentence.

    Only a ``RedsError`` that may pass by itself is tried again, and only while nobody waits; but a
    stage that a withdrawal took something from begins anew at once, without that.
    """

    @wraps(compute)
    def wrapper(*args: Parameters.args, **kwargs: Parameters.kwargs) -> dg.MaterializeResult:
        try:
            return _despite_withdrawals(lambda: compute(*args, **kwargs))
        except RedsError as error:
            platform = kwargs["platform"]
            assert isinstance(platform, Platform)
            if error.retryable and not platform.attended:
                raise dg.RetryRequested(_RETRIES, _SECONDS_TO_WAIT) from error
            raise dg.Failure(description=str(error), allow_retries=False) from error
        except Exception as error:
            platform = kwargs["platform"]
            assert isinstance(platform, Platform)
            if sentence := full_disk_sentence(error, platform.home.root):
                raise dg.Failure(description=sentence, allow_retries=False) from error
            reason = " ".join(f"{type(error).__name__}: {error}".split())[:_LONGEST_REASON]
            raise dg.Failure(
                description=f"REDS failed in a way it did not expect ({reason}); report what "
                "`reds --debug run` or the run's page says.",
                allow_retries=False,
            ) from error

    return wrapper


def _despite_withdrawals(compute: Callable[[], dg.MaterializeResult]) -> dg.MaterializeResult:
    """Compute what a withdrawal may have cut short: what is done already is not done again."""
    for _ in range(_WITHDRAWALS_DURING_A_STEP):
        try:
            return compute()
        except TakenAway as error:
            _LOGGER.info("The step begins anew: %s", error)
    return compute()


def markdown_table(rows: Sequence[Mapping[str, Any]]) -> dg.MarkdownMetadataValue:
    """Return rows as a Markdown table; the first row's keys are the columns."""
    if not rows:
        return dg.MetadataValue.md("nothing")
    columns = list(rows[0])
    lines = [
        " | ".join(columns),
        " | ".join("---" for _ in columns),
        *(" | ".join(_cell(row[column]) for column in columns) for row in rows),
    ]
    return dg.MetadataValue.md("\n".join(f"| {line} |" for line in lines))


def picture(data: bytes, description: str) -> dg.MarkdownMetadataValue:
    """Return a JPEG or PNG that the UI shows in place.

    The event log keeps it, so it should stay below 100 KB.
    """
    media_type = "image/png" if data.startswith(b"\x89PNG") else "image/jpeg"
    encoded = base64.b64encode(data).decode("ascii")
    return dg.MetadataValue.md(f"![{description}](data:{media_type};base64,{encoded})")


def _cell(value: Any) -> str:
    text = f"{value:.3f}" if isinstance(value, float) else str(value)
    printable = "".join(letter if letter.isprintable() else " " for letter in text)
    return _ACTIVE.sub(r"\\\1", printable)
