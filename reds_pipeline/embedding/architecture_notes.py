"""What is known of a backbone, remembered so that a retraining need not import timm for it.

What belongs here: keeping descriptions as JSON beside the embeddings. What does not: finding out
(``architecture``). A note is trusted only under the very versions of timm and torch, and of our
own rule, that it was made with.
"""

from __future__ import annotations

import json
from dataclasses import asdict
from importlib.metadata import version
from pathlib import Path
from typing import Any

from reds_pipeline.embedding.architecture import BackboneDescription, describe_backbone
from reds_pipeline.embedding.identity import file_safe
from reds_pipeline.storage.atomic import write_text

NOTE_NAME = "architecture_of_{name}.json"
RULE = 1
"""Counted up when ``architecture`` finds out something else about the same network."""


def known_backbone(name: str, notes_dir: Path) -> BackboneDescription:
    """Return the description of an encoder, from its note if that still holds.

    Args:
        name: ``"tiny"`` or any name timm knows.
        notes_dir: Where notes are kept, ``Home.embeddings``.

    Raises:
        RedsError: See ``describe_backbone``.
    """
    path = notes_dir / NOTE_NAME.format(name=file_safe(name))
    made_with = {"rule": RULE, "timm": version("timm"), "torch": version("torch")}
    note = _read(path)
    if note.get("made_with") == made_with and note["description"]["name"] == name:
        return _description(note["description"])
    description = describe_backbone(name)
    content = {"made_with": made_with, "description": asdict(description)}
    write_text(path, json.dumps(content, indent=2))
    return description


def _description(values: dict[str, Any]) -> BackboneDescription:
    # JSON has lists only; equal descriptions must be equal, wherever they come from.
    in_tuples = {name: tuple(values[name]) for name in ("mean", "std")}
    return BackboneDescription(**{**values, **in_tuples})


def _read(path: Path) -> dict[str, Any]:
    try:
        note = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return note if isinstance(note, dict) else {}
