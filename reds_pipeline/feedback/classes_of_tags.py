"""Which classes a tag names that a person gave to a photo.

What belongs here: the rule of the posts' hashtags (``lexicon.labels``), for tags that were typed or
chosen. What does not: what several tags together mean (``labels.py``).
"""

from __future__ import annotations

from collections.abc import Collection, Mapping

from reds_pipeline.lexicon.hashtags import hashtag_lemmas


class ClassesOfTags:
    """Answers which of the selected classes a tag names.

    Args:
        query_tags: For each selected class, a lemma, the hashtags it is collected by, in lower
            case.
    """

    def __init__(self, query_tags: Mapping[str, Collection[str]]) -> None:
        self._classes = frozenset(query_tags)
        self._of_query: dict[str, set[str]] = {}
        for name, tags in query_tags.items():
            for tag in (name, *tags):
                self._of_query.setdefault(tag.casefold(), set()).add(name)
        self._known: dict[str, frozenset[str]] = {}

    def __call__(self, tag: str) -> frozenset[str]:
        """Return the classes whose lemma a tag holds, or that are collected by it."""
        if tag not in self._known:
            from reds_pipeline.lexicon.wordnet import load_wordnet

            typed = tag.strip().removeprefix("#").casefold()
            lemmas = self._classes.intersection(hashtag_lemmas(tag, load_wordnet()))
            self._known[tag] = lemmas | self._of_query.get(typed, set())
        return self._known[tag]
