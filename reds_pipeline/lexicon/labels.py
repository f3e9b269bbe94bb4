"""Which classes a post's hashtags name.

What belongs here: from tags to class names. What does not: choosing the classes
(``selection.py``) and dropping images (``imaging.cleaning``).
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from typing import TYPE_CHECKING, Any

from reds_pipeline.lexicon.hashtags import hashtag_lemmas

if TYPE_CHECKING:
    from nltk.corpus.reader.wordnet import WordNetCorpusReader


def classes_of_posts(
    rows: Iterable[Mapping[str, Any]], classes: Collection[str], wordnet: WordNetCorpusReader
) -> dict[str, set[str]]:
    """Return, by ``post_key``, the classes that a post's tags name (R-SCR-6).

    Lemmas decide, not spellings: ``#CatsAndDogs`` names cat and dog.

    Args:
        rows: Anything with ``post_key`` and ``tags``.
        classes: The selected classes, as lemmas.
        wordnet: The loaded dictionary.
    """
    wanted = set(classes)
    known: dict[str, set[str]] = {}
    named: dict[str, set[str]] = {}
    for row in rows:
        found = named.setdefault(row["post_key"], set())
        for tag in row["tags"] or ():
            if tag not in known:
                known[tag] = wanted.intersection(hashtag_lemmas(tag, wordnet))
            found |= known[tag]
    return named
