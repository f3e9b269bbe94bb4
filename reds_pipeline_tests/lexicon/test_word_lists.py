from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from reds_pipeline.lexicon.hashtags import hashtag_lemmas
from reds_pipeline.lexicon.word_lists import word_list

if TYPE_CHECKING:
    from nltk.corpus.reader.wordnet import WordNetCorpusReader


@pytest.mark.parametrize(
    "name", ["generic_words", "platform_words", "political_words", "temporal_words"]
)
def test_every_reviewed_word_is_a_lemma_that_a_tag_can_give(
    name: str, wordnet: WordNetCorpusReader
) -> None:
    """A plural or a stop word in a list would never be met, and reject nothing."""
    assert word_list(name)
    unreachable = {word for word in word_list(name) if hashtag_lemmas(word, wordnet) != [word]}
    assert unreachable == set()


@pytest.mark.parametrize("name", ["political_senses", "temporal_senses"])
def test_every_reviewed_sense_is_named_as_wordnet_names_it(
    name: str, wordnet: WordNetCorpusReader
) -> None:
    """Another name of the same sense would never be met among the ancestors of a word."""
    assert word_list(name)
    renamed = {sense for sense in word_list(name) if wordnet.synset(sense).name() != sense}
    assert renamed == set()


def test_a_missing_list_is_an_error() -> None:
    with pytest.raises(FileNotFoundError):
        word_list("no_such_list")
