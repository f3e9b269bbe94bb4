"""Which tags each picture of the data set has, and which of them a model should learn.

What belongs here: from posts, pictures and decisions to lists of tags. What does not: from a
hashtag to its lemmas (``lexicon.hashtags``), and learning (``modeling.multilabel``).

A picture has the lemmas of all hashtags of all posts that show it, with its class. Of the classes
it has its own only: if a person moved a picture from cat to dog, then dog is right and cat is
wrong, whatever the post says. Words that are political, that name people, places or anything else
with a name of its own (``lexicon.class_rules``) are never learnt: a machine should not guess from
somebody's photo what they believe, who they are or where they live. WordNet does not know every
name; what it does not know is learnt if enough authors use it.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from reds_pipeline.storage.home import Home
from reds_pipeline.storage.tables import IMAGES, read_rows

if TYPE_CHECKING:
    from nltk.corpus.reader.wordnet import WordNetCorpusReader


@dataclass(frozen=True)
class TagChoice:
    """The tags a model learns.

    Attributes:
        tags: The t tags, the most frequent first.
        pictures: How many training pictures have each.
        groups: In how many different groups (authors) each occurs.
        withheld: How many words are frequent enough but are not learnt, because they are
            political or names.
        covered: Share of all entries of the training pictures' lists that the tags make up.
    """

    tags: tuple[str, ...]
    pictures: tuple[int, ...]
    groups: tuple[int, ...]
    withheld: int
    covered: float

    def targets(self, lists: Sequence[frozenset[str]]) -> NDArray[np.bool_]:
        """Return bool (n, t), which of the tags each list holds."""
        column = {tag: number for number, tag in enumerate(self.tags)}
        targets = np.zeros((len(lists), len(self.tags)), bool)
        for row, tags in enumerate(lists):
            targets[row, [column[tag] for tag in tags if tag in column]] = True
        return targets


def tag_lists(
    home: Home, keys: Sequence[str], labels: Sequence[str], wordnet: WordNetCorpusReader
) -> list[frozenset[str]]:
    """Return the tags of each picture of the data set.

    Args:
        home: Where the tables are.
        keys: SHA-256 of the pictures.
        labels: Class of each, as people's decisions have it.
        wordnet: The loaded dictionary.
    """
    rows = (
        row
        for path in sorted(home.root.glob("tables/images/*.parquet"))
        for row in read_rows(path, IMAGES)
    )
    return lists_of_pictures(rows, keys, labels, wordnet)


def lists_of_pictures(
    rows: Iterable[Mapping[str, Any]],
    keys: Sequence[str],
    labels: Sequence[str],
    wordnet: WordNetCorpusReader,
) -> list[frozenset[str]]:
    """Return the tags of each picture; see `tag_lists`.

    Args:
        rows: Of the table ``IMAGES``, at least ``sha256`` and ``tags`` (of the picture's post).
        keys: SHA-256 of the pictures.
        labels: Class of each.
        wordnet: The loaded dictionary.
    """
    from reds_pipeline.lexicon.hashtags import hashtag_lemmas

    wanted = set(keys)
    hashtags: dict[str, set[str]] = defaultdict(set)
    for row in rows:
        if row["sha256"] in wanted:
            hashtags[row["sha256"]].update(row["tags"] or ())
    lemmas: dict[str, frozenset[str]] = {
        tag: frozenset(hashtag_lemmas(tag, wordnet)) for tag in set().union(*hashtags.values())
    }
    classes = frozenset(labels)
    return [
        frozenset().union(*(lemmas[tag] for tag in hashtags[key])) - classes | {label}
        for key, label in zip(keys, labels, strict=True)
    ]


def choose_tags(
    lists: Sequence[frozenset[str]],
    groups: Sequence[str],
    *,
    fewest_pictures: int,
    most_tags: int,
    never: Collection[str] = (),
) -> TagChoice:
    """Choose the tags that enough training pictures of enough authors have.

    Args:
        lists: Tags of each training picture; those of test pictures must have no say.
        groups: Group of each training picture.
        fewest_pictures: Pictures that a tag needs, and half as many groups.
        most_tags: How many are taken at most, the most frequent ones.
        never: Words that are not learnt however frequent they are.
    """
    pictures: Counter[str] = Counter()
    authors: dict[str, set[str]] = defaultdict(set)
    for tags, group in zip(lists, groups, strict=True):
        pictures.update(tags)
        for tag in tags:
            authors[tag].add(group)
    frequent = [
        tag
        for tag, count in sorted(pictures.items(), key=lambda item: (-item[1], item[0]))
        # A tag that every picture has would tell none of them from another.
        if fewest_pictures <= count < len(lists) and 2 * len(authors[tag]) >= fewest_pictures
    ]
    chosen = [tag for tag in frequent if tag not in never][:most_tags]
    return TagChoice(
        tags=tuple(chosen),
        pictures=tuple(pictures[tag] for tag in chosen),
        groups=tuple(len(authors[tag]) for tag in chosen),
        withheld=sum(tag in never for tag in frequent),
        covered=sum(pictures[tag] for tag in chosen) / max(1, pictures.total()),
    )


def never_learnt(
    words: Iterable[str], classes: Collection[str], wordnet: WordNetCorpusReader
) -> set[str]:
    """Return those words that are political or names.

    Args:
        words: Lemmas.
        classes: Classes are learnt: the selection has judged them, or the operator named them.
        wordnet: The loaded dictionary.
    """
    from reds_pipeline.lexicon.class_rules import Word, name_or_person, political

    return {
        word
        for word in set(words) - set(classes)
        if political(Word(word, wordnet)) or name_or_person(Word(word, wordnet))
    }
