from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from reds_pipeline.errors import RedsError
from reds_pipeline.lexicon.selection import (
    DEFAULT_CLASSES,
    Candidate,
    SelectionRules,
    named_classes,
    select_classes,
)
from reds_pipeline.lexicon.trends import TagCounts, count_hashtags
from reds_pipeline_tests.lexicon.conftest import posts

if TYPE_CHECKING:
    from nltk.corpus.reader.wordnet import WordNetCorpusReader

_POSTS_BY_TAG = {
    "photography": 60,
    "CatsOfPixelfed": 25,
    "cat": 30,
    "travel": 50,
    "dogs": 48,
    "mastodon": 47,
    "flower": 46,
    "love": 45,
    "art": 44,
    "birds": 43,
    "thursday": 42,
    "halloween": 41,
    "caturday": 40,
    "war": 39,
    "palestine": 38,
    "election": 37,
    "sunset": 36,
    "puppy": 35,
    "car": 34,
    "beach": 30,
    "写真": 20,
    "tulip": 3,
}


@pytest.fixture(scope="module")
def counts(wordnet: WordNetCorpusReader) -> TagCounts:
    return count_hashtags(
        posts([[tag] for tag, times in _POSTS_BY_TAG.items() for _ in range(times)]), wordnet
    )


def _by_lemma(candidates: list[Candidate]) -> dict[str, Candidate]:
    return {candidate.lemma: candidate for candidate in candidates}


@pytest.mark.req("R-CLS-1")
@pytest.mark.req("R-CLS-11")
def test_the_reports_five_come_out(counts: TagCounts, wordnet: WordNetCorpusReader) -> None:
    chosen = [c.lemma for c in select_classes(counts, wordnet, SelectionRules()) if c.accepted]
    assert sorted(chosen) == sorted(DEFAULT_CLASSES)


@pytest.mark.req("R-CLS-1")
def test_the_number_of_classes_is_the_callers(
    counts: TagCounts, wordnet: WordNetCorpusReader
) -> None:
    candidates = select_classes(counts, wordnet, SelectionRules(count=2))
    assert [c.lemma for c in candidates if c.accepted] == ["cat", "dog"]
    assert _by_lemma(candidates)["flower"].reason == (
        "passes every rule, but 2 more frequent classes were found"
    )


def test_every_lemma_of_the_pool_comes_out_with_a_reason(
    counts: TagCounts, wordnet: WordNetCorpusReader
) -> None:
    candidates = select_classes(counts, wordnet, SelectionRules(pool=10))
    assert [c.lemma for c in candidates] == [count.lemma for count in counts.lemmas[:10]]
    assert [c.rank for c in candidates] == list(range(1, 11))
    assert all(c.reason for c in candidates)


@pytest.mark.req("R-CLS-8")
def test_a_kind_of_a_chosen_class_is_rejected(
    counts: TagCounts, wordnet: WordNetCorpusReader
) -> None:
    puppy = _by_lemma(select_classes(counts, wordnet, SelectionRules()))["puppy"]
    assert (puppy.accepted, puppy.reason) == (False, "a kind of the class dog")


@pytest.mark.req("R-CLS-8")
@pytest.mark.parametrize(
    ("frequent", "rare", "reason"),
    [("puppy", "dog", "includes the class puppy"), ("car", "automobile", "means the same as")],
)
def test_the_more_frequent_of_overlapping_classes_stays(
    frequent: str, rare: str, reason: str, wordnet: WordNetCorpusReader
) -> None:
    counted = count_hashtags(posts([[frequent]] * 9 + [[rare]] * 8), wordnet)
    first, second = select_classes(counted, wordnet, SelectionRules())
    assert first.accepted
    assert not second.accepted
    assert second.reason.startswith(reason)


@pytest.mark.req("R-CLS-1")
def test_supply_decides_last(wordnet: WordNetCorpusReader) -> None:
    counted = count_hashtags(
        [*posts([["cat"]] * 4), *posts([["dog"]] * 9, authors=2), *posts([["love"]])], wordnet
    )
    reasons = {c.lemma: c.reason for c in select_classes(counted, wordnet, SelectionRules())}
    assert reasons["cat"] == "too few posts: 4, at least 5 are wanted"
    assert reasons["dog"] == "too few authors: 2, at least 3 are wanted"
    assert reasons["love"].startswith("abstract"), "what a word means outweighs how often it is met"


def test_an_accepted_class_knows_its_sense_and_its_spellings(
    counts: TagCounts, wordnet: WordNetCorpusReader
) -> None:
    cat = _by_lemma(select_classes(counts, wordnet, SelectionRules()))["cat"]
    assert (cat.synset, cat.posts, cat.authors) == ("cat.n.01", 55, 55)
    assert cat.query_tags == ("cat", "CatsOfPixelfed")


def test_an_empty_sample_has_no_candidates(wordnet: WordNetCorpusReader) -> None:
    assert select_classes(count_hashtags([], wordnet), wordnet, SelectionRules()) == []


@pytest.mark.req("R-CLS-11")
def test_named_classes_are_accepted_as_they_are(
    counts: TagCounts, wordnet: WordNetCorpusReader
) -> None:
    named = named_classes(["cat", "sunset", "fox"], counts, wordnet)
    assert [(c.lemma, c.accepted, c.posts) for c in named] == [
        ("cat", True, 55),
        ("sunset", True, 36),
        ("fox", True, 0),
    ]
    assert named[0].rank == 2
    assert named[2].rank == 0
    assert named[2].query_tags == ("fox",)


@pytest.mark.parametrize("sample", [True, False])
def test_a_named_plural_is_the_class_and_one_of_its_spellings(
    sample: bool, wordnet: WordNetCorpusReader
) -> None:
    counted = count_hashtags(posts([["cat"]]), wordnet) if sample else None
    (cat,) = named_classes(["Cats"], counted, wordnet)
    assert (cat.lemma, cat.query_tags) == ("cat", ("cat", "Cats"))


def test_a_word_that_wordnet_does_not_know_is_allowed_with_a_warning(
    wordnet: WordNetCorpusReader,
) -> None:
    (caturday,) = named_classes(["caturday"], None, wordnet)
    assert caturday.accepted
    assert caturday.synset == ""
    assert "WordNet does not know" in caturday.reason


@pytest.mark.parametrize(
    ("names", "sentence"),
    [
        ([], "No class was named"),
        (["cat", " "], "cannot name a class"),
        (["CatsOfMastodon"], "cannot name a class"),
        (["the"], "cannot name a class"),
        (["cat 2"], "cannot name a class"),
        (["cat", "Cats"], "The class cat is named twice"),
        (["car", "automobile"], "means the same as the class car"),
        pytest.param(
            ["animal", "cat"], "a kind of the class animal", marks=pytest.mark.req("R-CLS-8")
        ),
        pytest.param(["cat", "animal"], "includes the class cat", marks=pytest.mark.req("R-CLS-8")),
    ],
)
def test_names_that_make_no_classes_are_refused_in_a_sentence(
    names: list[str], sentence: str, wordnet: WordNetCorpusReader
) -> None:
    with pytest.raises(RedsError, match=sentence):
        named_classes(names, None, wordnet)
