"""What people tag: hashtags and lemmas counted over a sample of posts.

What belongs here: counts and their order, and which spellings went into a lemma. What does not:
the steps from one tag to its lemmas (``hashtags.py``) and what is worth learning
(``selection.py``).

Ties are broken in a fixed way, so the same sample always gives the same tables (R-TAG-13, 15).
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

from reds_pipeline.lexicon.hashtags import hashtag_lemmas

if TYPE_CHECKING:
    from nltk.corpus.reader.wordnet import WordNetCorpusReader


@dataclass(frozen=True)
class RawTagCount:
    """One hashtag as people wrote it.

    Attributes:
        tag: The tag in its original case.
        posts: Posts that carry it.
        authors: Distinct authors of those posts.
        occurrences: How often it was written; more than ``posts`` if one post repeats it.
        lemmas: What it consists of, in its order; empty if cleaning left nothing.
    """

    tag: str
    posts: int
    authors: int
    occurrences: int
    lemmas: tuple[str, ...]


@dataclass(frozen=True)
class LemmaCount:
    """One lemma, merged over its spellings (R-TAG-7).

    Attributes:
        lemma: The lemma.
        posts: Posts that carry it, each counted once however often it is in it (R-TAG-10).
        authors: Distinct authors of those posts.
        tokens: How often it came out of a tag; twice if one post has it twice (R-TAG-10).
        sources: The raw tags that hold it with their occurrences, most frequent first (R-TAG-14).
    """

    lemma: str
    posts: int
    authors: int
    tokens: int
    sources: tuple[tuple[str, int], ...]


@dataclass(frozen=True)
class TagCounts:
    """The hashtags of a sample, before and after cleaning (R-TAG-2, 9).

    Attributes:
        posts: Posts counted, with or without tags.
        tags: Raw tags, by posts, then authors, then spelling.
        lemmas: Lemmas, by posts, then authors, then spelling.
    """

    posts: int
    tags: tuple[RawTagCount, ...]
    lemmas: tuple[LemmaCount, ...]

    @property
    def occurrences(self) -> int:
        """Hashtags written (R-TAG-2: 4,301 on the report's sample)."""
        return sum(tag.occurrences for tag in self.tags)

    @property
    def unique_tags(self) -> int:
        """Distinct raw hashtags, case told apart (R-TAG-2: 3,106)."""
        return len(self.tags)

    @property
    def tags_per_post(self) -> float:
        """Mean hashtags of a post (R-TAG-2: 4.301); 0 for an empty sample."""
        return self.occurrences / self.posts if self.posts else 0.0

    @property
    def tokens(self) -> int:
        """Lemmas counted with repeats (R-TAG-9: 5,302)."""
        return sum(lemma.tokens for lemma in self.lemmas)

    @property
    def unique_lemmas(self) -> int:
        """Distinct lemmas (R-TAG-9: 2,899)."""
        return len(self.lemmas)

    @property
    def emptied_tags(self) -> int:
        """Distinct raw tags of which nothing remained after cleaning (R-TAG-6)."""
        return sum(not tag.lemmas for tag in self.tags)

    @cached_property
    def by_lemma(self) -> dict[str, LemmaCount]:
        """The counts of each lemma."""
        return {count.lemma: count for count in self.lemmas}

    @cached_property
    def by_tag(self) -> dict[str, RawTagCount]:
        """The counts of each raw tag."""
        return {count.tag: count for count in self.tags}

    def merged_spellings(self, lemma: str, limit: int) -> list[str]:
        """The raw tags to ask an instance for when posts of this lemma are wanted.

        Tags that are the lemma and nothing else come first, then those that hold it among other
        words; within each the most frequent first. Hashtag timelines ignore case, so of
        spellings that differ only in case the most frequent stands for all.

        Args:
            lemma: A lemma; one that was never counted is asked for as it stands.
            limit: The most spellings to return.
        """
        if lemma not in self.by_lemma:
            return [lemma][:limit]
        totals: Counter[str] = Counter()
        spellings: dict[str, str] = {}
        for tag, occurrences in self.by_lemma[lemma].sources:
            totals[tag.casefold()] += occurrences
            spellings.setdefault(tag.casefold(), tag)

        def order(folded: str) -> tuple[bool, int, str]:
            holds_more = set(self.by_tag[spellings[folded]].lemmas) != {lemma}
            return holds_more, -totals[folded], folded

        return [spellings[folded] for folded in sorted(totals, key=order)[:limit]]


def count_hashtags(rows: Iterable[Mapping[str, Any]], wordnet: WordNetCorpusReader) -> TagCounts:
    """Count the hashtags and lemmas of a sample of posts (R-TAG-2, 7, 9, 10, 14).

    Args:
        rows: Rows of the posts table; gated ones hold no tags and are not counted as posts.
        wordnet: The reader of ``load_wordnet``.
    """
    posts = 0
    lemmas_of: dict[str, tuple[str, ...]] = {}
    tags = _Tally()
    lemmas = _Tally()
    sources: defaultdict[str, Counter[str]] = defaultdict(Counter)
    for row in rows:
        if row["status"] != "kept":
            continue
        posts += 1
        in_post: list[str] = []
        for tag in row["tags"] or ():
            if tag not in lemmas_of:
                lemmas_of[tag] = tuple(hashtag_lemmas(tag, wordnet))
            in_post.extend(lemmas_of[tag])
            for lemma in set(lemmas_of[tag]):
                sources[lemma][tag] += 1
        tags.add_post(row["tags"] or (), row["author_key"])
        lemmas.add_post(in_post, row["author_key"])
    return TagCounts(
        posts=posts,
        tags=tuple(
            RawTagCount(tag, *tags.counts(tag), lemmas=lemmas_of[tag]) for tag in tags.ranked()
        ),
        lemmas=tuple(
            LemmaCount(lemma, *lemmas.counts(lemma), sources=_most_frequent(sources[lemma]))
            for lemma in lemmas.ranked()
        ),
    )


def _most_frequent(counts: Counter[str]) -> tuple[tuple[str, int], ...]:
    return tuple(sorted(counts.items(), key=lambda entry: (-entry[1], entry[0])))


class _Tally:
    """Posts, authors and occurrences of words while a sample is read."""

    def __init__(self) -> None:
        self._posts: Counter[str] = Counter()
        self._authors: defaultdict[str, set[str]] = defaultdict(set)
        self._occurrences: Counter[str] = Counter()

    def add_post(self, words: Iterable[str], author: str) -> None:
        in_post = Counter(words)
        self._occurrences.update(in_post)
        self._posts.update(in_post.keys())
        for word in in_post:
            self._authors[word].add(author)

    def counts(self, word: str) -> tuple[int, int, int]:
        return self._posts[word], len(self._authors[word]), self._occurrences[word]

    def ranked(self) -> list[str]:
        return sorted(
            self._posts, key=lambda word: (-self._posts[word], -len(self._authors[word]), word)
        )
