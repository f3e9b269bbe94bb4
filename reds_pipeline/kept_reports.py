"""Reports that are made again only when what they tell of has changed.

What belongs here: one JSON file and some figures, under the digest of what they were made from.
What does not: any one report. A report holds numbers about many pictures, never which they are.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from reds_pipeline.storage.atomic import write_bytes, write_text
from reds_pipeline.storage.home import Home

Made = tuple[dict[str, Any], dict[str, bytes]]


@dataclass(frozen=True, eq=False)
class KeptReport:
    """A report as it stands in the home.

    Attributes:
        content: What it says, as in its JSON file.
        figures: Its PNG files by name.
        is_new: Whether it was made now; otherwise nothing that it tells of has changed.
    """

    content: dict[str, Any]
    figures: dict[str, bytes]
    is_new: bool


def kept_report(home: Home, name: str, inputs: Any, make: Callable[[], Made]) -> KeptReport:
    """Return a report, made again if it was made from something else.

    Args:
        home: Its directory of figures holds ``<name>.json`` and the figures.
        name: Of the report.
        inputs: Whatever decides what it says, as JSON.
        make: Returns what it says, as JSON, and its figures by file name.
    """
    digest = hashlib.sha256(json.dumps(inputs, sort_keys=True).encode()).hexdigest()
    path = home.figures / f"{name}.json"
    known = read_report(home, name)
    figures = {file: home.figures / file for file in known.get("figures", ())}
    if known.get("inputs") == digest and all(file.is_file() for file in figures.values()):
        return KeptReport(
            known, {file: place.read_bytes() for file, place in figures.items()}, is_new=False
        )
    content, drawn = make()
    for file, data in drawn.items():
        write_bytes(home.figures / file, data)
    content = {**content, "inputs": digest, "figures": sorted(drawn)}
    # Last, so that a report which is there has all its figures.
    write_text(path, json.dumps(content, ensure_ascii=False, indent=1))
    return KeptReport(content, drawn, is_new=True)


def read_report(home: Home, name: str) -> dict[str, Any]:
    """Return what a report says; nothing if it was never made or its file is damaged."""
    try:
        content = json.loads((home.figures / f"{name}.json").read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return content if isinstance(content, dict) else {}
