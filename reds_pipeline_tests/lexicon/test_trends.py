from __future__ import annotations

import random
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reds_pipeline.lexicon.trends import LemmaCount, RawTagCount, count_hashtags
from reds_pipeline.lexicon.wordnet import load_wordnet
from reds_pipeline_tests.lexicon.conftest import posts

if TYPE_CHECKING:
    from nltk.corpus.reader.wordnet import WordNetCorpusReader


@pytest.mark.req("R-TAG-7")
def test_spellings_merge_into_their_lemma(wordnet: WordNetCorpusReader) -> None:
    counts = count_hashtags(
        posts([["cats"], ["cat"], ["CatsOfMastodon"], ["FreePalestine"], ["PalestineWar"]]), wordnet
    )
    assert counts.by_lemma["cat"].posts == 3
    assert counts.by_lemma["palestine"].posts == 2


@pytest.mark.req("R-TAG-10")
def test_a_lemma_twice_in_a_post_is_one_post_and_two_tokens(wordnet: WordNetCorpusReader) -> None:
    cat = count_hashtags(posts([["cat", "cats"], ["CatCat"]]), wordnet).by_lemma["cat"]
    assert (cat.posts, cat.tokens) == (2, 4)


@pytest.mark.req("R-TAG-2")
@pytest.mark.req("R-TAG-9")
@pytest.mark.req("R-TAG-6")
def test_totals_before_and_after_cleaning(wordnet: WordNetCorpusReader) -> None:
    counts = count_hashtags(
        posts([["CatsOfMastodon", "cat"], ["cat", "2024", "🌈"], [], ["dogs"]]), wordnet
    )
    assert counts.posts == 4
    assert (counts.occurrences, counts.unique_tags, counts.tags_per_post) == (6, 5, 1.5)
    assert (counts.tokens, counts.unique_lemmas, counts.emptied_tags) == (5, 3, 2)


@pytest.mark.req("R-TAG-14")
def test_every_lemma_says_which_tags_went_into_it(wordnet: WordNetCorpusReader) -> None:
    counts = count_hashtags(posts([["cats"], ["cats"], ["CatsAndDogs"], ["cat"]]), wordnet)
    assert counts.by_lemma["cat"].sources == (("cats", 2), ("CatsAndDogs", 1), ("cat", 1))
    assert counts.by_lemma["dog"].sources == (("CatsAndDogs", 1),)


@pytest.mark.req("R-TAG-13")
def test_ties_go_by_authors_then_spelling(wordnet: WordNetCorpusReader) -> None:
    rows = posts([["bird", "dog"], ["dog"], ["bird"], ["car"], ["car"], ["cat"]])
    rows[3]["author_key"] = rows[4]["author_key"] = "the same person"
    counts = count_hashtags(rows, wordnet)
    assert [count.lemma for count in counts.lemmas] == ["bird", "dog", "car", "cat"]


def test_gated_posts_are_not_counted(wordnet: WordNetCorpusReader) -> None:
    gated = {"status": "gated", "post_key": "gated", "author_key": None, "tags": None}
    counts = count_hashtags([*posts([["cat"]]), gated], wordnet)
    assert (counts.posts, counts.occurrences) == (1, 1)


@pytest.mark.req("R-TAG-15")
def test_the_order_of_posts_changes_nothing(wordnet: WordNetCorpusReader) -> None:
    rows = posts([["Cat", "dog"], ["cat"], ["Cats", "CAT"], ["dogs"], ["BirdsAndCats"]])
    shuffled = list(rows)
    random.Random(3).shuffle(shuffled)
    assert shuffled != rows
    assert count_hashtags(shuffled, wordnet) == count_hashtags(rows, wordnet)


@pytest.mark.req("R-TAG-14")
def test_query_spellings_begin_with_the_lemma_alone(wordnet: WordNetCorpusReader) -> None:
    rows = posts(
        [["CatsOfPixelfed"]] * 5 + [["cat"]] * 3 + [["Cat"]] * 2 + [["cats"]] * 4 + [["CatNap"]]
    )
    counts = count_hashtags(rows, wordnet)
    assert counts.merged_spellings("cat", 3) == ["cat", "cats", "CatsOfPixelfed"]
    assert counts.merged_spellings("cat", 1) == ["cat"]
    assert counts.merged_spellings("fox", 3) == ["fox"], "never counted: asked for as it stands"


def test_an_empty_sample_counts_nothing(wordnet: WordNetCorpusReader) -> None:
    counts = count_hashtags([], wordnet)
    assert (counts.posts, counts.tags_per_post, counts.lemmas) == (0, 0.0, ())


@given(st.lists(st.lists(st.text(max_size=8), max_size=4), max_size=8))
def test_counts_agree_with_one_another(tag_lists: list[list[str]]) -> None:
    counts = count_hashtags(posts(tag_lists), load_wordnet())
    assert counts.occurrences == sum(len(tags) for tags in tag_lists)
    assert counts.tokens == sum(tag.occurrences * len(tag.lemmas) for tag in counts.tags)
    counted: list[RawTagCount | LemmaCount] = [*counts.tags, *counts.lemmas]
    for count in counted:
        assert 1 <= count.authors <= count.posts <= len(tag_lists)
