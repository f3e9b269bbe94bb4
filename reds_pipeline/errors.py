"""The errors that people read.

What belongs here: exceptions whose text is meant for an operator, or whose reason becomes a
column of a table. What does not: errors of one package that nobody outside it catches.
"""

from __future__ import annotations


class RedsError(Exception):
    """Something the operator can mend; ``str(error)`` is one plain sentence.

    The sentence says what happened, why, and what to do. The command line prints it without a
    traceback unless ``--debug`` is given.

    Attributes:
        retryable: Whether the same attempt may succeed later without anybody doing anything,
            such as when a host is down; Dagster then tries the step again.
    """

    retryable: bool = False


class TakenAway(RedsError):
    """What a stage had read about is not there any more.

    Somebody withdrew it a moment ago, and the tables say so by now: whoever reads them again goes
    on without it. Only where that does not help is something lost.
    """

    retryable = True


class ImageRejected(Exception):
    """An image that can never be used, with the reason that goes into its row.

    Attributes:
        reason: A slug such as ``truncated`` or ``animated``; it becomes the ``reason`` column.
    """

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason
