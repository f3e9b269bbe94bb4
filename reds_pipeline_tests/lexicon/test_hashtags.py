from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from reds_pipeline.lexicon.hashtags import (
    hashtag_lemmas,
    lemmatise,
    letters_only,
    split_hashtag,
)
from reds_pipeline.lexicon.stopwords import is_stop_word
from reds_pipeline.lexicon.wordnet import load_wordnet

if TYPE_CHECKING:
    from nltk.corpus.reader.wordnet import WordNetCorpusReader


@pytest.mark.req("R-TAG-4")
@pytest.mark.parametrize(
    ("tag", "words"),
    [
        ("CatsOfMastodon", ["Cats", "Of", "Mastodon"]),
        ("FreePalestine", ["Free", "Palestine"]),
        ("NYCPhotography", ["NYC", "Photography"]),
        ("USA", ["USA"]),
        ("ABCat", ["AB", "Cat"]),
    ],
)
def test_cuts_before_a_capital_that_a_small_letter_follows(tag: str, words: list[str]) -> None:
    assert split_hashtag(tag) == words


@pytest.mark.req("R-TAG-5")
@pytest.mark.parametrize(
    ("tag", "words"),
    [
        ("catsNYC", ["catsNYC"]),
        ("iPhone", ["i", "Phone"]),
        ("MyCatIsABoss", ["My", "Cat", "IsA", "Boss"]),
        ("BirdsUK2024", ["BirdsUK"]),
        ("cat_photo", ["catphoto"]),
        ("35mmFilm", ["mm", "Film"]),
        ("Black_And_White", ["Black", "And", "White"]),
        ("caturday", ["caturday"]),
    ],
)
def test_consequences_of_the_split_rule(tag: str, words: list[str]) -> None:
    assert split_hashtag(tag) == words


@pytest.mark.req("R-TAG-3")
def test_splitting_comes_before_lower_casing(wordnet: WordNetCorpusReader) -> None:
    tag = "CatsOfMastodon"
    assert hashtag_lemmas(tag, wordnet) == ["cat", "mastodon"]
    swapped = [lemmatise(word, wordnet) for word in split_hashtag(tag.lower())]
    assert swapped == ["catsofmastodon"]


@pytest.mark.req("R-TAG-3")
def test_stripping_comes_before_splitting() -> None:
    # Split first, "C" would be followed by a digit and never start a word.
    assert split_hashtag("hotC4ats") == ["hot", "Cats"]


@pytest.mark.req("R-TAG-3")
def test_stop_words_are_dropped_before_lemmatising(wordnet: WordNetCorpusReader) -> None:
    assert hashtag_lemmas("ToDos", wordnet) == ["do"], "the lemma is a stop word, the word is not"
    assert is_stop_word("do")


@pytest.mark.req("R-TAG-6")
@pytest.mark.parametrize(
    ("tag", "lemmas", "reason"),
    [
        ("Été", ["été"], "accented capitals are letters"),
        ("E\u0301te\u0301", ["été"], "accents typed apart are the same word"),
        ("日本", ["日本"], "a script without case"),
        ("हिन्दी", ["हिन्दी"], "vowel signs belong to their letters"),
        ("Фото", ["фото"], "another script with case"),
        ("عکاسی", ["عکاسی"], "written from right to left"),
        ("\uff23\uff21\uff34\uff33", ["cat"], "full-width letters"),
        ("\U0001d4d2\U0001d4ea\U0001d4fd\U0001d4fc", ["cat"], "mathematical letters"),
        ("❤️Cat", ["cat"], "an emoji and its variation selector"),
        ("1️⃣", [], "a keycap is a digit with marks"),
        ("🌈", [], "an emoji alone"),
        ("2024", [], "digits alone"),
        ("\u0301", [], "an accent on nothing"),
        ("\u3164", [], "a letter by category that nobody sees"),
        ("", [], "nothing"),
        ("#Cats", ["cat"], "the number sign itself"),
    ],
)
def test_any_script_survives_and_signs_do_not(
    tag: str, lemmas: list[str], reason: str, wordnet: WordNetCorpusReader
) -> None:
    assert hashtag_lemmas(tag, wordnet) == lemmas, reason


@pytest.mark.req("R-TAG-8")
@pytest.mark.parametrize(
    ("word", "lemma"),
    [
        ("cats", "cat"),
        ("geese", "goose"),
        ("wolves", "wolf"),
        ("leaves", "leaf"),
        ("kitties", "kitty"),
        ("mice", "mouse"),
        ("bus", "bus"),
        ("glass", "glass"),
        ("news", "news"),
        ("texas", "texas"),
        ("christmas", "christmas"),
        ("running", "running"),
        ("pixelfedders", "pixelfedders"),
        ("boss", "bos"),
    ],
)
def test_noun_lemmas(word: str, lemma: str, wordnet: WordNetCorpusReader) -> None:
    assert lemmatise(word, wordnet) == lemma


@pytest.mark.req("R-TAG-5")
@pytest.mark.parametrize(
    ("tag", "lemmas", "reason"),
    [
        ("iPhone", ["phone"], "the single letter is a stop word"),
        ("ABCat", ["ab", "cat"], "an abbreviation stays"),
        ("MyCatIsABoss", ["cat", "isa", "bos"], "IsA is never cut, so it stays as a word"),
        ("ThisIsThe", [], "nothing but stop words"),
        ("DontPanic", ["panic"], "a contraction without its apostrophe"),
    ],
)
def test_short_words(
    tag: str, lemmas: list[str], reason: str, wordnet: WordNetCorpusReader
) -> None:
    assert hashtag_lemmas(tag, wordnet) == lemmas, reason


@pytest.mark.req("R-TAG-6")
@given(st.text(st.characters(exclude_categories=()), max_size=40))
@example("İstanbul")
@example("ΟΔΥΣΣΕΥΣ")
@example("ǅungla")
@example("\ud800Cat")
def test_no_text_breaks_the_steps(tag: str) -> None:
    for lemma in hashtag_lemmas(tag, load_wordnet()):
        assert lemma
        assert lemma == lemma.lower()
        assert letters_only(lemma) == lemma


@pytest.mark.req("R-TAG-4")
@given(st.text(max_size=40))
def test_splitting_loses_no_letter(tag: str) -> None:
    assert "".join(split_hashtag(tag)) == letters_only(tag)
