"""Questions asked of WordNet about the meanings of classes.

What belongs here: senses, similarity between them, and what a sense includes. What does not:
deciding what becomes a class (``class_rules.py``, ``selection.py``).

A class is a lemma with one pinned sense, named as WordNet does (``cat.n.01``). By default that is
the first, most frequent one. Pinning matters: over all senses cat and car reach .833, because
``Caterpillar`` the tractor is also called a cat; their pinned senses reach .320.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from nltk.corpus.reader.wordnet import Synset, WordNetCorpusReader

AMBIGUITY_MARGIN = 0.3
"""How far the similarity over all senses may exceed that of the pinned ones (R-CLS-10)."""


@dataclass(frozen=True)
class ClassPair:
    """Two classes and the Wu-Palmer similarity of their pinned senses, 0 to 1."""

    first: str
    second: str
    similarity: float


@dataclass(frozen=True)
class SenseWarning:
    """Two classes that other senses of their names bring close together (R-CLS-10).

    Attributes:
        first: Name of a class.
        second: Name of another.
        pinned: Wu-Palmer similarity of the pinned senses.
        highest: The highest similarity over all their noun senses.
        senses: The two synsets that reach it.
    """

    first: str
    second: str
    pinned: float
    highest: float
    senses: tuple[str, str]


def noun_senses(lemma: str, wordnet: WordNetCorpusReader) -> list[Synset]:
    """The noun senses of a lemma, most frequent first; empty if WordNet has none."""
    return list(wordnet.synsets(lemma, pos="n"))


def first_sense(lemma: str, wordnet: WordNetCorpusReader) -> Synset | None:
    """The first noun sense of a lemma, or None if WordNet does not know it as a noun."""
    senses = noun_senses(lemma, wordnet)
    return senses[0] if senses else None


def sense_share(lemma: str, wordnet: WordNetCorpusReader) -> float | None:
    """The part of a lemma's uses, 0 to 1, that mean its first noun sense (for R-CLS-3).

    WordNet counted the senses in texts. The share says more than the number of senses: dog has
    seven, and every counted use means the animal. None if no use of the word was counted.
    """
    uses = [_uses(lemma, sense) for sense in noun_senses(lemma, wordnet)]
    total = sum(uses)
    return uses[0] / total if total else None


def _uses(lemma: str, sense: Synset) -> int:
    return sum(entry.count() for entry in sense.lemmas() if entry.name().lower() == lemma)


def wu_palmer_matrix(
    synset_names: Sequence[str], wordnet: WordNetCorpusReader
) -> NDArray[np.float64]:
    """Wu-Palmer similarity between pinned senses (R-CLS-6, 7).

    Args:
        synset_names: Names such as ``cat.n.01``; "" for a class that WordNet does not know.
        wordnet: The reader of ``load_wordnet``.

    Returns:
        Symmetric (n, n) float64, 0 to 1. The diagonal is set to 1, because NLTK gives .929 for
        dog with itself. Pairs with an unknown class are NaN.
    """
    senses = [wordnet.synset(name) if name else None for name in synset_names]
    matrix = np.eye(len(senses))
    for row, column in combinations(range(len(senses)), 2):
        first, second = senses[row], senses[column]
        similarity = np.nan if first is None or second is None else first.wup_similarity(second)
        matrix[row, column] = matrix[column, row] = similarity
    return matrix


def closest_pair(names: Sequence[str], matrix: NDArray[np.float64]) -> ClassPair | None:
    """The two classes most likely to be confused, by meaning (R-CLS-13).

    Args:
        names: Class names, in the order of the matrix.
        matrix: What ``wu_palmer_matrix`` returned for them.

    Returns:
        The pair with the highest similarity, the earlier one of equals; None if no two classes
        can be compared.
    """
    pairs = [
        ClassPair(names[row], names[column], float(matrix[row, column]))
        for row, column in combinations(range(len(names)), 2)
        if not np.isnan(matrix[row, column])
    ]
    return max(pairs, key=lambda pair: pair.similarity, default=None)


def sense_warnings(
    names: Sequence[str], synset_names: Sequence[str], wordnet: WordNetCorpusReader
) -> list[SenseWarning]:
    """The pairs of classes whose names mean something closer in another sense (R-CLS-10).

    Args:
        names: Class names, which are lemmas.
        synset_names: Their pinned senses in the same order, "" where WordNet knows none.
        wordnet: The reader of ``load_wordnet``.
    """
    matrix = wu_palmer_matrix(synset_names, wordnet)
    warnings: list[SenseWarning] = []
    for row, column in combinations(range(len(names)), 2):
        pinned = float(matrix[row, column])
        if np.isnan(pinned):
            continue
        highest, first, second = max(
            (
                (first.wup_similarity(second), first.name(), second.name())
                for first in noun_senses(names[row], wordnet)
                for second in noun_senses(names[column], wordnet)
            ),
            default=(pinned, synset_names[row], synset_names[column]),
        )
        if highest - pinned > AMBIGUITY_MARGIN:
            warnings.append(
                SenseWarning(names[row], names[column], pinned, highest, (first, second))
            )
    return warnings


def hyponym_closure(synset_name: str, wordnet: WordNetCorpusReader) -> frozenset[str]:
    """The names of all kinds of a sense, without itself (R-CLS-8: 38 for cat, 871 for bird).

    Named individuals are not kinds and are not in it.
    """
    sense = wordnet.synset(synset_name)
    return frozenset(kind.name() for kind in sense.closure(lambda kind: kind.hyponyms()))


def ancestors(synset_name: str, wordnet: WordNetCorpusReader) -> frozenset[str]:
    """The names of everything a sense is a kind or an instance of, with itself."""
    sense = wordnet.synset(synset_name)
    above = sense.closure(lambda kind: kind.hypernyms() + kind.instance_hypernyms())
    return frozenset({synset_name, *(kind.name() for kind in above)})


def is_kind_of(synset_name: str, other: str, wordnet: WordNetCorpusReader) -> bool:
    """Whether the first sense is the other or one of its kinds (R-CLS-8).

    A cat is a kind of ``animal.n.01``, so the two cannot both be classes.
    """
    return other in ancestors(synset_name, wordnet)
