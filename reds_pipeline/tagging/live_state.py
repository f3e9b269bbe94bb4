"""What a running tagger says about itself.

What belongs here: the shape of that. What does not: finding it out (``champion_watch.py``).
"""

from __future__ import annotations

from dataclasses import dataclass

from reds_pipeline.errors import RedsError
from reds_pipeline.tagging.recommendation import ServedModel


class NoModelYet(RedsError):
    """There is no model to ask yet; one may come by itself."""

    retryable = True


class TaggerBusy(RedsError):
    """More photos wait than the tagger takes on at once."""

    retryable = True


@dataclass(frozen=True)
class LiveState:
    """Which models serve, and what is wrong.

    Attributes:
        models: Those that answer now, that of classes first; empty before there is one.
        problem: Why a newer model does not serve, or none does, in plain sentences for the operator
            only (they may name directories and addresses); empty if all is well.
        is_ready: Whether photos can be tagged now.
        checked_at: When the registry was last looked at successfully, ISO 8601 in UTC; empty
            before.
        engine: What runs the encoders, for people: ``PyTorch``; empty before there is a model.
    """

    models: tuple[ServedModel, ...]
    problem: str
    is_ready: bool
    checked_at: str
    engine: str = ""
