"""Why a word cannot be a class: one small rule each, with its reason in words.

What belongs here: rules that look at one word and its meaning (R-CLS-2 to 5). What does not:
rules that look at the counts or at the other classes (``selection.py``).

Each rule returns a reason, or "" when it has nothing against the word. The reviewed lists in
``data/`` come before WordNet, because tags have lives of their own: WordNet knows mastodon only
as an extinct animal.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

from reds_pipeline.lexicon.semantics import (
    ancestors,
    first_sense,
    hyponym_closure,
    noun_senses,
    sense_share,
)
from reds_pipeline.lexicon.word_lists import word_list

if TYPE_CHECKING:
    from nltk.corpus.reader.wordnet import Synset, WordNetCorpusReader

_THINGS_TO_SEE = frozenset(
    {
        "noun.animal",
        "noun.artifact",
        "noun.body",
        "noun.food",
        "noun.object",
        "noun.phenomenon",
        "noun.plant",
        "noun.substance",
    }
)
_KINDS_IN_WORDS = {
    "noun.act": "an act",
    "noun.attribute": "a quality",
    "noun.cognition": "an idea",
    "noun.communication": "something said or written",
    "noun.event": "an event",
    "noun.feeling": "a feeling",
    "noun.group": "a group",
    "noun.motive": "a motive",
    "noun.possession": "a possession",
    "noun.process": "a process",
    "noun.quantity": "a quantity",
    "noun.relation": "a relation",
    "noun.shape": "a shape",
    "noun.state": "a state",
}
_UNCOUNTED_SENSES = 2


@dataclass(frozen=True)
class Breadth:
    """How vague a class may be.

    Attributes:
        sense_share: The least part of a word's uses, 0 to 1, that mean its first sense.
        kinds: The most kinds a class may have: bird has 871, animal 3,998.
    """

    sense_share: float = 0.5
    kinds: int = 1500


@dataclass(frozen=True)
class Word:
    """A lemma with what WordNet knows of it; looked up once, asked by every rule."""

    lemma: str
    wordnet: WordNetCorpusReader

    @cached_property
    def sense(self) -> Synset | None:
        """Its first noun sense, or None."""
        return first_sense(self.lemma, self.wordnet)

    @cached_property
    def senses_above(self) -> frozenset[str]:
        """Everything its first sense is a kind of, with itself; empty for unknown words."""
        return frozenset() if self.sense is None else ancestors(self.sense.name(), self.wordnet)

    @property
    def lexicographer_file(self) -> str:
        """WordNet's broad category of the first sense, such as ``noun.animal``; "" if unknown."""
        return "" if self.sense is None else self.sense.lexname()

    @property
    def meaning(self) -> str:
        """The first sense in WordNet's words, for a reason."""
        return "" if self.sense is None else f"its first meaning is “{self.sense.definition()}”"


def first_objection(word: Word, breadth: Breadth) -> str:
    """The reason of the first rule that rejects a word, or "" if none does."""
    reasons = (
        temporal(word),
        political(word),
        generic(word),
        not_a_noun(word),
        name_or_person(word),
        abstract(word),
        ambiguous(word, breadth.sense_share),
        too_broad(word, breadth.kinds),
    )
    return next((reason for reason in reasons if reason), "")


def temporal(word: Word) -> str:
    """R-CLS-4: tied to a time, as thursday and halloween are.

    A sunset makes a fine picture, but a class must stay true whenever it is learnt, and WordNet's
    first meaning of the word is a time of day: it is rejected, and may still be named by hand.
    """
    if word.lemma in word_list("temporal_words"):
        return "tied to time: on the reviewed list of dates, seasons and weekly customs"
    if word.lexicographer_file == "noun.time" or word.senses_above & word_list("temporal_senses"):
        return f"tied to time: {word.meaning}"
    return ""


def political(word: Word) -> str:
    """R-CLS-5: political content, as war and palestine have."""
    if word.lemma in word_list("political_words"):
        return "political: on the reviewed list of politics, war and public dispute"
    if word.senses_above & word_list("political_senses"):
        return f"political: {word.meaning}"
    return ""


def generic(word: Word) -> str:
    """R-CLS-2: says how, where or why a photo was posted, not what it shows: art, mastodon."""
    if word.lemma in word_list("platform_words"):
        return "abstract: names a platform or a custom of its users"
    if word.lemma in word_list("generic_words"):
        return "too broad: said of photos of every kind, so it does not tell what one shows"
    return ""


def not_a_noun(word: Word) -> str:
    """Neither a word that names things nor a word of its own."""
    if len(word.lemma) == 1:
        return "not a word: a single letter"
    if word.sense is None:
        return "not a noun that WordNet knows"
    return ""


def name_or_person(word: Word) -> str:
    """Proper names, people and places: not kinds of things, and people are not to be tagged."""
    if word.sense is None:
        return ""
    if word.sense.instance_hypernyms():
        return f"a proper name: {word.meaning}"
    if word.lexicographer_file == "noun.person" or "person.n.01" in word.senses_above:
        return f"names people: {word.meaning}"
    if word.lexicographer_file == "noun.location":
        return f"names a place: {word.meaning}"
    return ""


def abstract(word: Word) -> str:
    """R-CLS-2: nothing that can be seen, as love and travel."""
    if word.lexicographer_file == "noun.Tops":
        return f"too broad: {word.meaning}"
    if word.lexicographer_file in _KINDS_IN_WORDS:
        return f"abstract: {_KINDS_IN_WORDS[word.lexicographer_file]}, {word.meaning}"
    if word.lexicographer_file not in _THINGS_TO_SEE:
        return f"abstract: {word.meaning}"
    return ""


def ambiguous(word: Word, least_share: float) -> str:
    """R-CLS-3: the first sense is not what the word mostly means.

    Words whose uses WordNet never counted are let through if they have no more than two senses.
    """
    share = sense_share(word.lemma, word.wordnet)
    if share is None:
        senses = len(noun_senses(word.lemma, word.wordnet))
        return f"ambiguous: {senses} meanings" if senses > _UNCOUNTED_SENSES else ""
    if share < least_share:
        return f"ambiguous: only {share:.0%} of its uses mean what comes first; {word.meaning}"
    return ""


def too_broad(word: Word, most_kinds: int) -> str:
    """Too many kinds to look alike, as food."""
    if word.sense is None:
        return ""
    kinds = len(hyponym_closure(word.sense.name(), word.wordnet))
    return f"too broad: {kinds:,} kinds of it" if kinds > most_kinds else ""
