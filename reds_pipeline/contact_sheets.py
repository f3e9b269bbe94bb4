"""Which contact sheets in the run history show a picture that was withdrawn since.

What belongs here: remembering it until they are gone. What does not: finding it out
(``withdrawal/steps.py``) and taking them out (``run_history.py``). The rows that tell which
classes are concerned go with the withdrawal itself; without a note that is made before, a
kill after it would leave the photographs in the history for good.
"""

from __future__ import annotations

from collections.abc import Iterable

from reds_pipeline.storage import atomic
from reds_pipeline.storage.home import Home


def note_sheets(home: Home, stem: str) -> None:
    """Note that sheets of a class, given as its file name, have to go."""
    atomic.write_text(home.withdrawn_sheets / stem, "")


def noted_sheets(home: Home) -> tuple[str, ...]:
    """Return the file names of the classes whose sheets still have to go."""
    paths = home.withdrawn_sheets.glob("*") if home.withdrawn_sheets.exists() else ()
    return tuple(
        sorted(path.name for path in paths if not path.name.startswith(atomic.TEMPORARY_PREFIX))
    )


def forget_sheets(home: Home, stems: Iterable[str]) -> None:
    """Forget the notes about classes whose sheets are gone."""
    for stem in stems:
        (home.withdrawn_sheets / stem).unlink(missing_ok=True)
