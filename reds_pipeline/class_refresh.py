"""One refresh of the classes: what it is told, and which of the rules decides.

What belongs here: bringing the sample, the memory and the pictures of a home together. What does
not: the rules (``lexicon.selection``, ``lexicon.class_memory``, ``lexicon.class_turnover``), or
writing anything down (``assets.classes``).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from datetime import datetime
from typing import TYPE_CHECKING

from reds_pipeline.class_states import class_supply, forgotten, remembered
from reds_pipeline.errors import RedsError
from reds_pipeline.lexicon.class_memory import (
    COLLECTING,
    LEARNING,
    Classes,
    Memory,
    MemoryRules,
    Supply,
    classes_by_name,
    first_classes,
)
from reds_pipeline.lexicon.class_turnover import remembered_classes
from reds_pipeline.lexicon.selection import (
    Candidate,
    SelectionRules,
    judged_words,
    named_classes,
    overlap,
    select_classes,
)
from reds_pipeline.lexicon.trends import TagCounts, count_hashtags
from reds_pipeline.resources import Platform
from reds_pipeline.storage.clock import as_text
from reds_pipeline.storage.tables import read_rows

if TYPE_CHECKING:
    from nltk.corpus.reader.wordnet import WordNetCorpusReader


def decide_classes(
    platform: Platform,
    wordnet: WordNetCorpusReader,
    collected: Callable[[str, datetime], bool],
    now: datetime,
) -> Classes:
    """Decide which classes are learnt and collected from now on.

    Args:
        platform: The installation; its sample has been counted.
        wordnet: The reader of ``load_wordnet``.
        collected: Whether a collection of a class has finished since a moment.
        now: The present moment.

    Raises:
        RedsError: Fewer than two classes can be had, or names were given that can be none.
    """
    home, settings = platform.home, platform.settings
    counts = count_hashtags(read_rows(home.table("sample_posts")), wordnet)
    memory, at = remembered(home), as_text(now)
    gone = forgotten(home, memory)
    if settings.classes:
        named = named_classes(settings.classes, counts, wordnet)
        if len(named) < 2:
            raise RedsError(
                f"One class, {settings.classes[0]}, leaves nothing to tell apart; name two or more."
            )
        return classes_by_name(memory, named, gone, now, at)
    rules = SelectionRules(count=settings.class_count)
    if not any(row.state in (LEARNING, COLLECTING) for row in memory.rows):
        return first_classes(_chosen(counts, wordnet, rules), now, at)
    return remembered_classes(
        memory,
        judged_words(counts, wordnet, rules, [row.lemma for row in memory.rows if row.state]),
        _supplies(platform, memory, collected),
        MemoryRules(rules, settings.class_patience, settings.min_images_per_class),
        overlap=_overlap_by(wordnet),
        forgotten=gone,
        now=now,
        at=at,
    )


def _chosen(
    counts: TagCounts, wordnet: WordNetCorpusReader, rules: SelectionRules
) -> Sequence[Candidate]:
    """Return what a home without classes learns."""
    candidates = select_classes(counts, wordnet, rules)
    chosen = sum(candidate.accepted for candidate in candidates)
    if chosen < 2:
        raise RedsError(
            f"{chosen} of {len(candidates)} frequent hashtags can be a class, and two are "
            "needed; sample more posts (REDS_SAMPLE_POSTS) or name classes with --classes."
        )
    return candidates


def _supplies(
    platform: Platform, memory: Memory, collected: Callable[[str, datetime], bool]
) -> dict[str, Supply]:
    """Return what is there of every class that was ever collected."""
    since = memory.counted_at
    return {
        row.lemma: class_supply(
            platform.home,
            row.lemma,
            platform.decisions,
            since=as_text(since) if since else "",
            collected=since is not None and collected(row.lemma, since),
        )
        for row in memory.rows
        if row.state
    }


def _overlap_by(wordnet: WordNetCorpusReader) -> Callable[[Candidate, Iterable[Candidate]], str]:
    return lambda word, others: overlap(word.synset, others, wordnet)
