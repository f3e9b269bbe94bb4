"""The card of the data set as it lies in its home, for the operator to read.

What belongs here: where these two files are. What does not: what they say (``card.py``,
``croissant.py``), and exports, which carry cards of their own (``export.py``).
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

from reds_pipeline.dataset.card import render_card
from reds_pipeline.dataset.croissant import croissant
from reds_pipeline.dataset.facts import DatasetFacts
from reds_pipeline.storage.atomic import write_text
from reds_pipeline.storage.home import Home


@dataclass(frozen=True)
class CardFiles:
    """Where the card is: in Markdown for people, in Croissant for machines."""

    card: Path
    croissant: Path


def card_files(home: Home) -> CardFiles:
    """Return where the card of a home's data set is, whether or not it was written."""
    directory = home.root / "card"
    return CardFiles(directory / "README.md", directory / "croissant.json")


def write_card(home: Home, facts: DatasetFacts) -> CardFiles:
    """Write the card of the present data set.

    Raises:
        RedsError: The disk is full.
    """
    files = card_files(home)
    write_text(files.card, render_card(facts))
    described = json.dumps(croissant(facts), indent=2, ensure_ascii=False)
    write_text(files.croissant, f"{described}\n")
    return files
