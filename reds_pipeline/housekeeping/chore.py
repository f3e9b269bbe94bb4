"""One thing that housekeeping may do.

What belongs here: what is found and how it would be removed, apart from one another, so that a
dry run and the real one can tell the same. What does not: finding it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from sqlalchemy.exc import DBAPIError

from reds_pipeline.errors import RedsError
from reds_pipeline.storage import leftovers


@dataclass(frozen=True)
class Chore:
    """Something that nobody needs any more.

    Attributes:
        kind: One of ``kinds.KINDS``.
        what: What it is, for people.
        count: How many of it there are.
        size: Bytes that removing it gives back, as far as that is known before.
        why: Why nobody needs it.
        remove: Removes it; repeating that after a kill does what is left.
        left_alone: Why it stays for now; empty if nothing speaks against removing it.
    """

    kind: str
    what: str
    count: int
    size: int
    why: str
    remove: Callable[[], None]
    left_alone: str = ""

    def but_stays(self, reason: str) -> Chore:
        """Return it as something that stays for now."""
        return replace(self, left_alone=reason)

    def done(self) -> Chore:
        """Remove it, and return it; as something that stays if it could not be removed."""
        from mlflow.exceptions import MlflowException

        try:
            self.remove()
        # Databases are in use by others, whom nobody keeps from writing for long.
        except (RedsError, OSError, DBAPIError, MlflowException) as error:
            reason = error.orig if isinstance(error, DBAPIError) else error
            return self.but_stays(" ".join(str(reason).split()))
        return self

    def as_dict(self) -> dict[str, Any]:
        """Return what was found as JSON."""
        return {
            "kind": self.kind,
            "what": self.what,
            "count": self.count,
            "bytes": self.size,
            "why": self.why,
            "left_alone": self.left_alone,
        }


def in_the_way(kind: str, what: str, reason: str) -> Chore:
    """Return that nothing can be said about a kind at the moment, and why."""
    return Chore(kind, what, 0, 0, "", lambda: None, reason)


def removing(paths: Sequence[Path]) -> Callable[[], None]:
    """Return what removes files and directories, those that are there still."""

    def remove() -> None:
        for path in paths:
            leftovers.remove(path)

    return remove
