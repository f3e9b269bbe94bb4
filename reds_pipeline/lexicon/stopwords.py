"""English stop words: the same list on every machine, with no download (R-TAG-3, step 4).

The list follows NLTK's English one, kept as ``data/stop_words.txt`` because NLTK hands its own
out only as a download. It was written down from knowledge of that list and has not been compared
with a copy of it, so a word more or less is possible. One difference is meant: NLTK writes
contractions with an apostrophe (``don't``), which no hashtag can hold, so here they are written as
hashtags have them (``dont``), except where that spelling is a word of its own (``shell``,
``well``, ``ill``).

Larger lists were rejected because they drop words that name things: scikit-learn's holds fire,
bill and system, and the PyPI package ``stop-words`` holds those and face, mug, ring and world.

Of single letters the list holds a, d, i, m, o, s, t and y, so ``iPhone`` gives ``phone``. A
letter that is glued to a word stays there: the split rule never cuts ``IsA``, so it comes out
as the word ``isa``, which no list holds and no class can be chosen from.
"""

from __future__ import annotations

from reds_pipeline.lexicon.word_lists import word_list


def is_stop_word(word: str) -> bool:
    """Whether a lower-case word carries no meaning of its own."""
    return word in word_list("stop_words")
