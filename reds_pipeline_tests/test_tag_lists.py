from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from reds_pipeline.tag_lists import choose_tags, lists_of_pictures, never_learnt

if TYPE_CHECKING:
    from nltk.corpus.reader.wordnet import WordNetCorpusReader


@pytest.fixture(scope="module")
def wordnet() -> WordNetCorpusReader:
    from reds_pipeline.lexicon.wordnet import load_wordnet

    return load_wordnet()


def _row(sha256: str, *tags: str) -> dict[str, Any]:
    return {"sha256": sha256, "tags": list(tags)}


@pytest.mark.req("R-IMP-1")
def test_a_picture_has_the_lemmas_of_all_hashtags_of_all_its_posts(
    wordnet: WordNetCorpusReader,
) -> None:
    rows = [
        _row("one", "CatsOfPixelfed", "Caturday"),
        _row("one", "gardens", "cats"),
        _row("other", "sunset"),
        _row("", "rejected"),
    ]
    lists = lists_of_pictures(rows, ["one", "other", "unknown"], ["cat", "dog", "dog"], wordnet)
    assert lists == [
        {"cat", "pixelfed", "caturday", "garden"},
        {"dog", "sunset"},
        # A picture whose post was withdrawn meanwhile still has the class it is learnt as.
        {"dog"},
    ]


def test_a_persons_decision_wins_over_what_the_post_says(wordnet: WordNetCorpusReader) -> None:
    """Moved from cat to dog, a picture is no cat, however often its post says so."""
    rows = [_row("moved", "cats", "CatsAndDogs", "pets"), _row("cat", "cat")]
    lists = lists_of_pictures(rows, ["moved", "cat"], ["dog", "cat"], wordnet)
    assert lists[0] == {"dog", "pet"}


def test_a_post_without_tags_is_no_error(wordnet: WordNetCorpusReader) -> None:
    rows = [{"sha256": "one", "tags": None}]
    assert lists_of_pictures(rows, ["one"], ["cat"], wordnet) == [{"cat"}]


def _lists(**counts: int) -> list[frozenset[str]]:
    """Return 20 lists of which the first so many hold each tag."""
    return [
        frozenset(tag for tag, count in counts.items() if number < count) for number in range(20)
    ]


def test_a_tag_needs_pictures_and_half_as_many_authors() -> None:
    """One author's habit, in however many pictures, is not what a picture shows."""
    lists = _lists(cat=12, habit=12, rare=7, common=8)
    authors = [str(number) for number in range(20)]
    chosen = choose_tags(lists, authors, fewest_pictures=8, most_tags=10)
    assert chosen.tags == ("cat", "habit", "common")
    few_authors = [str(number % 3) for number in range(20)]
    assert choose_tags(lists, few_authors, fewest_pictures=8, most_tags=10).tags == ()


def test_the_most_frequent_tags_are_taken_and_ties_are_broken_by_name() -> None:
    chosen = choose_tags(
        _lists(b=9, a=9, c=11, d=8), [str(n) for n in range(20)], fewest_pictures=6, most_tags=3
    )
    assert chosen.tags == ("c", "a", "b")
    assert chosen.pictures == chosen.groups == (11, 9, 9)
    assert chosen.covered == pytest.approx((11 + 9 + 9) / 37)
    assert chosen.targets([frozenset({"a", "d"}), frozenset()]).tolist() == [
        [False, True, False],
        [False, False, False],
    ]


def test_a_tag_of_every_picture_is_not_learnt() -> None:
    """Nothing is without it that it could be told from."""
    chosen = choose_tags(
        _lists(all=20, some=10), [str(n) for n in range(20)], fewest_pictures=6, most_tags=9
    )
    assert chosen.tags == ("some",)


def test_words_that_may_not_be_learnt_are_counted_but_not_named() -> None:
    """Somebody who counts on them should know that they were left out."""
    chosen = choose_tags(
        _lists(cat=10, war=10, rare=2),
        [str(n) for n in range(20)],
        fewest_pictures=6,
        most_tags=9,
        never={"war", "rare"},
    )
    assert (chosen.tags, chosen.withheld) == (("cat",), 1)


def test_nothing_to_choose_from_is_no_error() -> None:
    chosen = choose_tags([], [], fewest_pictures=6, most_tags=9)
    assert (chosen.tags, chosen.covered) == ((), 0)


@pytest.mark.parametrize(
    ("word", "is_withheld"),
    [
        ("palestine", True),
        ("election", True),
        ("london", True),
        ("christian", True),
        ("woman", True),
        ("cat", False),
        ("caturday", False),
        ("photography", False),
        ("sunset", False),
    ],
)
def test_politics_people_and_places_are_never_learnt(
    word: str, is_withheld: bool, wordnet: WordNetCorpusReader
) -> None:
    """Nobody should have a machine guess from a photo what they believe or where they live."""
    assert never_learnt([word], set(), wordnet) == ({word} if is_withheld else set())


def test_a_class_that_the_operator_named_is_learnt(wordnet: WordNetCorpusReader) -> None:
    assert never_learnt(["woman"], {"woman"}, wordnet) == set()
