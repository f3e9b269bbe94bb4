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
DAGSTER = "dagster"

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
    DAGSTER,
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


def files_at(root: Path, place: str, dagster: Path) -> Iterator[tuple[str, Path]]:
    """Yield the files at or below one place of a home, in a fixed order.

    Half-written files are passed over, and so are the parts of SQLite databases that have no
    meaning by themselves.

    Args:
        root: The home.
        place: One of ``PLACES``.
        dagster: Dagster's directory, which may lie elsewhere.

    Yields:
        The name in the home, and where the file is.

    Raises:
        RedsError: A directory inside is a link, behind which files would be missed.
    """
    if place == DAGSTER:
        for name in _OF_DAGSTER:
            yield from _below(dagster / name, f"{DAGSTER}/{name}")
    else:
        yield from _below(root / place, place)


def _below(top: Path, name: str) -> Iterator[tuple[str, Path]]:
    if top.is_file():
        yield name, top
    for directory, names, files in os.walk(top):
        here = Path(directory)
        for inside in names:
            if (here / inside).is_symlink():
                raise RedsError(
                    f"{here / inside} is a link to another directory, which a backup would miss; "
                    "put the directory itself there, or link the whole home instead."
                )
        names[:] = sorted(inside for inside in names if not inside.startswith(_UNFINISHED))
        for file in sorted(files):
            if not file.startswith(_UNFINISHED) and not file.endswith(_BESIDE_DATABASES):
                path = here / file
                yield f"{name}/{path.relative_to(top).as_posix()}", path
