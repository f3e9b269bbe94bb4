"""Which files of a home a backup holds.

What belongs here: what goes in, in which order, and what is left out and why. What does not:
copying. In goes what nobody could make again, or only for much time or many requests to a host;
left out is what the next training makes again in moments and what only this machine can use.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

from reds_pipeline.errors import RedsError
from reds_pipeline.feedback.contributions import DELETING_PREFIX
from reds_pipeline.storage.atomic import TEMPORARY_PREFIX

LEDGER = "ledger.sqlite"
MLFLOW = "mlflow.sqlite"
KEY = "pseudonym.key"

# The order is the rule that makes the copy sound while others work: what names other files goes
# before what it names, because files are written before what names them. Models and the ledger
# follow together, so that every promotion that is told of has its model; the ledger last of all,
# so that it tells of everything that was taken back meanwhile.
DATA = (
    "tables",
    "journals",
    "contributions",
    "images",
    "embeddings",
    "figures",
    "card",
    "dagster",
    KEY,
    "reds.toml",
    "demo.json",
)
MODELS = (MLFLOW, "mlflow-artifacts")
PLACES = frozenset({*DATA, *MODELS, LEDGER})

PICTURES = frozenset({"images", "contributions"})
"""Left out of a backup without pictures."""

LEFT_OUT = {
    "tensors": "made again from the pictures",
    "engines": "converted for and measured on one machine",
    "locks": "of processes that run now",
}
"""What a home holds besides, and why no backup does."""

# Of Dagster's directory: its databases and the operator's configuration, but no output of steps.
_OF_DAGSTER = ("dagster.yaml", "history", "schedules")
_BESIDE_DATABASES = ("-wal", "-shm", "-journal")
_UNFINISHED = (TEMPORARY_PREFIX, DELETING_PREFIX)


def files_at(root: Path, place: str) -> Iterator[str]:
    """Yield the files at or below one place of a home, relative to it, in a fixed order.

    Half-written files are passed over, and so are the parts of SQLite databases that have no
    meaning by themselves.

    Args:
        root: The home.
        place: One of ``PLACES``.

    Raises:
        RedsError: A directory inside is a link, behind which files would be missed.
    """
    if place == "dagster":
        for name in _OF_DAGSTER:
            yield from _below(root, f"{place}/{name}")
    else:
        yield from _below(root, place)


def _below(root: Path, place: str) -> Iterator[str]:
    top = root / place
    if top.is_file():
        yield place
    for directory, names, files in os.walk(top):
        here = Path(directory)
        for name in names:
            if (here / name).is_symlink():
                raise RedsError(
                    f"{here / name} is a link to another directory, which a backup would miss; "
                    "put the directory itself there, or link the whole home instead."
                )
        names[:] = sorted(name for name in names if not name.startswith(_UNFINISHED))
        for name in sorted(files):
            if not name.startswith(_UNFINISHED) and not name.endswith(_BESIDE_DATABASES):
                yield (here / name).relative_to(root).as_posix()
