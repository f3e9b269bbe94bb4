"""From what people tag to the words that could be classes, each with the reason (R-CLS-1, 11).

What belongs here: walking the most frequent lemmas, and checking the names that a person gives.
What does not: the rules about one word (``class_rules.py``), and which classes stay, come and go
from one refresh to the next (``class_memory.py``).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from reds_pipeline.errors import RedsError
from reds_pipeline.lexicon.class_rules import Breadth, Word, first_objection
from reds_pipeline.lexicon.hashtags import hashtag_lemmas, letters_only
from reds_pipeline.lexicon.semantics import first_sense, is_kind_of
from reds_pipeline.lexicon.trends import LemmaCount, TagCounts

if TYPE_CHECKING:
    from nltk.corpus.reader.wordnet import WordNetCorpusReader

DEFAULT_CLASSES = ("cat", "dog", "flower", "bird", "car")
"""The classes of the report (R-CLS-11)."""


@dataclass(frozen=True)
class SelectionRules:
    """How classes are chosen.

    Attributes:
        count: Classes wanted (R-CLS-1: 5).
        pool: How many of the most frequent lemmas are looked at (R-CLS-1: 100).
        minimum_posts: The least posts of the sample that must carry a lemma.
        minimum_authors: The least distinct authors of those posts, so that one busy person does
            not decide what everybody's tagger knows.
        query_tags: The most spellings that an instance is asked for.
        breadth: How vague a class may be.
    """

    count: int = 5
    pool: int = 100
    minimum_posts: int = 5
    minimum_authors: int = 3
    query_tags: int = 3
    breadth: Breadth = field(default_factory=Breadth)


@dataclass(frozen=True)
class Candidate:
    """A lemma that was looked at.

    Attributes:
        lemma: The lemma, which is the name of the class.
        synset: Its pinned sense, such as ``cat.n.01``; "" if WordNet knows none.
        rank: Place among the sample's lemmas from 1; 0 if it was not counted.
        posts: Posts of the sample that carry it.
        authors: Distinct authors of those posts.
        accepted: Whether it is one of the classes.
        reason: Why or why not, in words.
        query_tags: The spellings to ask an instance for, best first.
    """

    lemma: str
    synset: str
    rank: int
    posts: int
    authors: int
    accepted: bool
    reason: str
    query_tags: tuple[str, ...]


def select_classes(
    counts: TagCounts, wordnet: WordNetCorpusReader, rules: SelectionRules
) -> list[Candidate]:
    """Choose classes among the most frequent lemmas.

    Returns:
        Every lemma of the pool in the order of its rank, accepted or with the reason of the
        first rule that rejected it. Fewer than ``rules.count`` are accepted if the pool holds
        no more.
    """
    candidates: list[Candidate] = []
    for rank, count in enumerate(counts.lemmas[: rules.pool], start=1):
        accepted = [candidate for candidate in candidates if candidate.accepted]
        sense = first_sense(count.lemma, wordnet)
        synset = "" if sense is None else sense.name()
        objection = (
            first_objection(Word(count.lemma, wordnet), rules.breadth)
            or too_few(count.posts, count.authors, rules)
            or overlap(synset, accepted, wordnet)
        )
        if not objection and len(accepted) >= rules.count:
            objection = f"passes every rule, but {rules.count} more frequent classes were found"
        candidates.append(
            Candidate(
                lemma=count.lemma,
                synset=synset,
                rank=rank,
                posts=count.posts,
                authors=count.authors,
                accepted=not objection,
                reason=objection or f"passes every rule; {_meaning(synset, wordnet)}",
                query_tags=tuple(counts.merged_spellings(count.lemma, rules.query_tags)),
            )
        )
    return candidates


def judged_words(
    counts: TagCounts,
    wordnet: WordNetCorpusReader,
    rules: SelectionRules,
    also: Iterable[str] = (),
) -> list[Candidate]:
    """Judge words by themselves: whether the other classes leave a place is not asked.

    Args:
        counts: The sample.
        wordnet: The reader of ``load_wordnet``.
        rules: How classes are chosen.
        also: Lemmas to judge though the sample may not hold them, such as present classes.

    Returns:
        Those lemmas, then the most frequent ones of the sample, then the most frequent ones that
        enough authors use; ``accepted`` where the word's own meaning allows it to be a class,
        however few posts carry it.
    """
    pool = [count.lemma for count in counts.lemmas[: rules.pool]]
    # One person with many words must not push everybody else's out of the pool.
    shared = [c.lemma for c in counts.lemmas if c.authors >= rules.minimum_authors][: rules.pool]
    candidates = []
    for lemma in dict.fromkeys([*also, *pool, *shared]):
        sense = first_sense(lemma, wordnet)
        synset = "" if sense is None else sense.name()
        objection = first_objection(Word(lemma, wordnet), rules.breadth)
        rank, count, spellings = _counted(lemma, counts, rules.query_tags)
        candidates.append(
            Candidate(
                lemma=lemma,
                synset=synset,
                rank=rank,
                posts=count.posts,
                authors=count.authors,
                accepted=not objection,
                reason=objection or f"passes every rule; {_meaning(synset, wordnet)}",
                query_tags=tuple(spellings),
            )
        )
    return candidates


def named_classes(
    names: Sequence[str],
    counts: TagCounts | None,
    wordnet: WordNetCorpusReader,
    query_tags: int = SelectionRules.query_tags,
) -> list[Candidate]:
    """Turn the class names that a person gave into candidates, all accepted.

    A name goes through the same steps as a hashtag, so ``Cats`` becomes the class ``cat``. A word
    that WordNet does not know is allowed, with a warning in its reason: nothing can be said about
    what it includes.

    Args:
        names: One word each.
        counts: The sample, for ranks and spellings; None if there is none.
        wordnet: The reader of ``load_wordnet``.
        query_tags: The most spellings that an instance is asked for.

    Raises:
        RedsError: For no names, a name that is not one word, two names of the same class, or a
            class that is a kind of another (R-CLS-8).
    """
    if not names:
        raise RedsError("No class was named, so there is nothing to learn: name one word for each.")
    candidates: list[Candidate] = []
    for name in names:
        lemma = _one_lemma(name, wordnet)
        if any(lemma == candidate.lemma for candidate in candidates):
            raise RedsError(f"The class {lemma} is named twice: leave one of the names out.")
        sense = first_sense(lemma, wordnet)
        synset = "" if sense is None else sense.name()
        shared = overlap(synset, candidates, wordnet)
        if shared:
            raise RedsError(
                f"The class {lemma} overlaps with another ({shared}), so one photo would belong "
                "to both: leave one of them out."
            )
        rank, count, spellings = _counted(lemma, counts, query_tags)
        candidates.append(
            Candidate(
                lemma=lemma,
                synset=synset,
                rank=rank,
                posts=count.posts,
                authors=count.authors,
                accepted=True,
                reason=f"named by hand; {_meaning(synset, wordnet)}",
                query_tags=_first_spellings([*spellings, letters_only(name)], query_tags),
            )
        )
    return candidates


def _counted(
    lemma: str, counts: TagCounts | None, query_tags: int
) -> tuple[int, LemmaCount, list[str]]:
    """Rank, counts and spellings of a lemma in a sample that may not hold it, or not exist."""
    if counts is None or lemma not in counts.by_lemma:
        return 0, LemmaCount(lemma, posts=0, authors=0, tokens=0, sources=()), [lemma]
    count = counts.by_lemma[lemma]
    return counts.lemmas.index(count) + 1, count, counts.merged_spellings(lemma, query_tags)


def _one_lemma(name: str, wordnet: WordNetCorpusReader) -> str:
    lemmas = hashtag_lemmas(name, wordnet)
    # Digits and signs would vanish from a hashtag, and a second word hide behind the first.
    if len(lemmas) != 1 or letters_only(name) != name.strip().lstrip("#"):
        raise RedsError(
            f"“{name}” cannot name a class, because a class is one word of letters: write it as "
            "people would tag it, such as cat."
        )
    return lemmas[0]


def too_few(posts: int, authors: int, rules: SelectionRules) -> str:
    """Say what of a sample carries a word too rarely for a class, or ""."""
    if posts < rules.minimum_posts:
        return f"too few posts: {posts}, at least {rules.minimum_posts} are wanted"
    if authors < rules.minimum_authors:
        return f"too few authors: {authors}, at least {rules.minimum_authors} are wanted"
    return ""


def overlap(synset: str, others: Iterable[Candidate], wordnet: WordNetCorpusReader) -> str:
    """R-CLS-8: how a sense and one already chosen include each other, or ""."""
    for other in others:
        if not synset or not other.synset:
            continue
        if synset == other.synset:
            return f"means the same as the class {other.lemma}"
        if is_kind_of(synset, other.synset, wordnet):
            return f"a kind of the class {other.lemma}"
        if is_kind_of(other.synset, synset, wordnet):
            return f"includes the class {other.lemma}"
    return ""


def _meaning(synset: str, wordnet: WordNetCorpusReader) -> str:
    if not synset:
        return "WordNet does not know this word, so its overlap with the others is unchecked"
    return f"{synset}: {wordnet.synset(synset).definition()}"


def _first_spellings(spellings: Iterable[str], limit: int) -> tuple[str, ...]:
    """The first of each spelling regardless of case, which hashtag timelines ignore."""
    first: dict[str, str] = {}
    for spelling in spellings:
        first.setdefault(spelling.casefold(), spelling)
    return tuple(first.values())[:limit]
