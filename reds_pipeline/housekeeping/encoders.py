"""Embeddings and converted networks of encoders that nobody uses any more.

What belongs here: which encoders are in use, and removing what others left. What does not: rows of
single pictures (``orphans.py``).

All of it can be made again from the pictures. It goes as a whole directory, file by file: what a
kill leaves of one is taken for absent by whoever reads it, and goes the next time.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Collection, Sequence
from pathlib import Path

from reds_pipeline.embedding.identity import NOTE_NAME, file_safe
from reds_pipeline.imaging.resize import SIDE, resize_rule
from reds_pipeline.storage.home import Home
from reds_pipeline.storage.leftovers import LEFTOVER_SECONDS, is_old
from reds_pipeline.storage.tables import EMBEDDING_RUNS, TAG_TRAININGS, TRAININGS, read_rows


def unused(
    home: Home, backbones: Sequence[str], of_models: Collection[str]
) -> dict[str, list[Path]]:
    """Return the directories that belong to no encoder in use, by what they hold.

    Args:
        home: Where to look.
        backbones: The configured ones.
        of_models: Ids of the encoders that registered versions need.

    Raises:
        RedsError: A table is damaged.
    """
    used = encoders_in_use(home, backbones) | set(of_models)
    if not used:
        # Nothing was embedded yet, or the tables that say with what were lost.
        return {}
    rules = {resize_rule(side) for side in _sides(home, used)}
    found = {
        "stores of embeddings": _quiet(home.embeddings, lambda name: not _is_of(name, used)),
        "converted networks": _quiet(home.engines, lambda name: name not in used),
        "squares": _quiet(home.root / "tensors", lambda name: name not in rules),
    }
    return {what: paths for what, paths in found.items() if paths}


def encoders_in_use(home: Home, backbones: Sequence[str]) -> set[str]:
    """Return the ids of the encoders that the configured backbones are now, or last were.

    Args:
        home: Where tables and notes are.
        backbones: The configured ones.
    """
    used = set()
    for name in backbones:
        runs = read_rows(home.table("embedding_runs", name), EMBEDDING_RUNS)
        used |= {row["encoder_id"] for row in runs[-1:]}
        for table, schema in (("trainings", TRAININGS), ("tag_trainings", TAG_TRAININGS)):
            used |= {row["encoder_id"] for row in read_rows(home.table(table, name), schema)}
        # Weights that were changed since are known by their note before anything is embedded.
        note = home.embeddings / NOTE_NAME.format(name=file_safe(name))
        try:
            used.add(json.loads(note.read_text(encoding="utf-8"))["identity"]["encoder_id"])
        except (OSError, ValueError, KeyError, TypeError):
            continue
    return used - {None, ""}


def _sides(home: Home, used: Collection[str]) -> set[int]:
    """Return the sides in pixels of the squares that these encoders take, and of the usual ones."""
    tables = sorted((home.root / "tables" / "embedding_runs").glob("[!.]*.parquet"))
    rows = [row for table in tables for row in read_rows(table, EMBEDDING_RUNS)]
    return {SIDE} | {
        row["input_size"] for row in rows if row["encoder_id"] in used and row["input_size"]
    }


def _is_of(store: str, encoders: Collection[str]) -> bool:
    """Say whether a store is of one of these encoders, with whatever engine it was made."""
    return any(store == name or store.startswith(f"{name}-") for name in encoders)


def _quiet(place: Path, is_unused: Callable[[str], bool]) -> list[Path]:
    """Return the unused directories in which nobody has written lately."""
    return [
        path
        for path in sorted(place.glob("*"))
        if path.is_dir()
        and is_unused(path.name)
        and all(is_old(each, LEFTOVER_SECONDS) for each in (path, *path.rglob("*")))
    ]
