"""The small word lists that ship with the package, read from ``lexicon/data``.

What belongs here: finding and parsing those text files (one entry a line, ``#`` starts a
comment). What does not: what a list is used for, which is the affair of the module that asks.
"""

from __future__ import annotations

from functools import cache
from importlib import resources


@cache
def word_list(name: str) -> frozenset[str]:
    """The entries of ``data/<name>.txt``.

    Args:
        name: File name without its extension, such as ``stop_words``.

    Raises:
        FileNotFoundError: If no such list ships with the package.
    """
    text = (resources.files(__package__) / "data" / f"{name}.txt").read_text(encoding="utf-8")
    entries = (line.split("#", 1)[0].strip() for line in text.splitlines())
    return frozenset(entry for entry in entries if entry)
