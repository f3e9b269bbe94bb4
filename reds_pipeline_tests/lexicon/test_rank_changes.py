from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from reds_pipeline.lexicon.rank_changes import RankChange, rank_changes
from reds_pipeline.lexicon.trends import count_hashtags
from reds_pipeline_tests.lexicon.conftest import posts

if TYPE_CHECKING:
    from nltk.corpus.reader.wordnet import WordNetCorpusReader


@pytest.mark.req("R-TAG-12")
def test_a_lemma_rises_with_its_spellings(wordnet: WordNetCorpusReader) -> None:
    """``cats`` is third as written; with ``cat`` and ``CatsOfMastodon`` it is the first lemma."""
    sample = posts(
        [["sunset"]] * 5
        + [["coffee"]] * 4
        + [["cats"]] * 3
        + [["cat"]] * 2
        + [["CatsOfMastodon"]] * 2
    )
    first = rank_changes(count_hashtags(sample, wordnet), top=3)[0]
    assert first == RankChange(
        lemma="cat", rank=1, posts=7, raw_tag="cats", raw_rank=3, raw_posts=3, newcomer=False
    )


@pytest.mark.req("R-TAG-12")
def test_newcomers_had_no_hashtag_of_their_own_in_the_raw_top(
    wordnet: WordNetCorpusReader,
) -> None:
    sample = posts(
        [["BlackCat"], ["BlackDog"], ["BlackCar"]]
        + [["sunset"]] * 2
        + [["coffee"]] * 2
        + [["black"]]
    )
    changes = {
        change.lemma: change for change in rank_changes(count_hashtags(sample, wordnet), top=2)
    }
    assert changes["black"].newcomer
    assert changes["black"].raw_tag == "black"
    assert changes["black"].raw_rank > 2
    assert not changes["coffee"].newcomer


@pytest.mark.req("R-TAG-12")
def test_a_lemma_that_nobody_wrote_alone_has_no_rank_as_written(
    wordnet: WordNetCorpusReader,
) -> None:
    sample = posts([["GoldenHour"], ["GoldenEye"]])
    golden = rank_changes(count_hashtags(sample, wordnet))[0]
    assert (golden.lemma, golden.raw_rank, golden.raw_tag, golden.newcomer) == (
        "golden",
        0,
        "",
        True,
    )


def test_no_more_lemmas_than_there_are(wordnet: WordNetCorpusReader) -> None:
    assert rank_changes(count_hashtags([], wordnet)) == []
    assert len(rank_changes(count_hashtags(posts([["cat", "dog"]]), wordnet), top=1)) == 1
