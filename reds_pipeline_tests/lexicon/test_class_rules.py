from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from reds_pipeline.lexicon.class_rules import Breadth, Word, first_objection

if TYPE_CHECKING:
    from nltk.corpus.reader.wordnet import WordNetCorpusReader


@pytest.mark.req("R-CLS-11")
@pytest.mark.parametrize("lemma", ["cat", "dog", "flower", "bird", "car"])
def test_nothing_speaks_against_the_reports_classes(
    lemma: str, wordnet: WordNetCorpusReader
) -> None:
    assert first_objection(Word(lemma, wordnet), Breadth()) == ""


@pytest.mark.parametrize(
    ("lemma", "reason"),
    [
        pytest.param("travel", "abstract: an act", marks=pytest.mark.req("R-CLS-2")),
        pytest.param("mastodon", "abstract: names a platform", marks=pytest.mark.req("R-CLS-2")),
        pytest.param("love", "abstract: a feeling", marks=pytest.mark.req("R-CLS-2")),
        pytest.param("bridge", "ambiguous: only 36%", marks=pytest.mark.req("R-CLS-3")),
        pytest.param("mushroom", "ambiguous: 5 meanings", marks=pytest.mark.req("R-CLS-3")),
        pytest.param("thursday", "tied to time: its first", marks=pytest.mark.req("R-CLS-4")),
        pytest.param("halloween", "tied to time: its first", marks=pytest.mark.req("R-CLS-4")),
        pytest.param("sunset", "tied to time: its first", marks=pytest.mark.req("R-CLS-4")),
        pytest.param("caturday", "tied to time: on the", marks=pytest.mark.req("R-CLS-4")),
        pytest.param("war", "political: its first", marks=pytest.mark.req("R-CLS-5")),
        pytest.param("election", "political: its first", marks=pytest.mark.req("R-CLS-5")),
        pytest.param("palestine", "political: on the", marks=pytest.mark.req("R-CLS-5")),
        ("photo", "too broad: said of photos of every kind"),
        ("photography", "too broad: said of photos of every kind"),
        ("art", "too broad: said of photos of every kind"),
        ("nature", "too broad: said of photos of every kind"),
        ("landscape", "too broad: said of photos of every kind"),
        ("portrait", "too broad: said of photos of every kind"),
        ("animal", "too broad: its first meaning"),
        ("vertebrate", "too broad: 3,"),
        ("paris", "a proper name"),
        ("woman", "names people"),
        ("city", "names a place"),
        ("goodmorning", "not a noun"),
        ("写真", "not a noun"),
        ("u", "not a word: a single letter"),
    ],
)
def test_the_first_rule_that_rejects_a_word_says_so(
    lemma: str, reason: str, wordnet: WordNetCorpusReader
) -> None:
    assert first_objection(Word(lemma, wordnet), Breadth()).startswith(reason)


def test_the_limits_are_the_callers(wordnet: WordNetCorpusReader) -> None:
    assert first_objection(Word("bird", wordnet), Breadth(kinds=870)).startswith("too broad: 871")
    assert first_objection(Word("flower", wordnet), Breadth(sense_share=0.8)).startswith(
        "ambiguous: only 79%"
    )
