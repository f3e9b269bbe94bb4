"""Classes whose tables nobody is at work on, held for a moment.

What belongs here: locking what is about to be rewritten. What does not: rewriting it. A class that
is being collected is left for the next time rather than waited for; so is one whose collection was
killed, because its journal would bring back what a table gives up.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import ExitStack

from reds_pipeline.errors import RedsError
from reds_pipeline.storage.home import Home
from reds_pipeline.storage.locks import exclusive
from reds_pipeline.storage.partitions import partitions


def free_partitions(
    home: Home, tables: Sequence[str], held: ExitStack
) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Lock the partitions of some tables.

    Args:
        home: Where they are.
        tables: Their names, such as ``images``.
        held: What the locks are entered into.

    Returns:
        File names of the classes all of whose tables may be written, and of the busy ones, without
        extensions.
    """
    found: set[str] = set()
    busy: set[str] = set()
    for table in tables:
        for part in partitions(home, table):
            found.add(part.stem)
            try:
                held.enter_context(exclusive(part.lock, f"tidying {table} of {part.stem}"))
            except RedsError:
                busy.add(part.stem)
                continue
            if part.journal.records():
                busy.add(part.stem)
    return tuple(sorted(found - busy)), tuple(sorted(busy))
