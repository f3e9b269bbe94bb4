from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest

from reds_pipeline.lexicon.semantics import (
    ancestors,
    closest_pair,
    first_sense,
    hyponym_closure,
    is_kind_of,
    sense_share,
    sense_warnings,
    wu_palmer_matrix,
)

if TYPE_CHECKING:
    from nltk.corpus.reader.wordnet import WordNetCorpusReader

CLASSES = ["cat", "dog", "flower", "bird", "car"]
SENSES = [f"{name}.n.01" for name in CLASSES]


@pytest.mark.req("R-CLS-6")
@pytest.mark.parametrize(
    ("first", "second", "similarity"),
    [
        ("cat", "dog", 0.857),
        ("cat", "bird", 0.750),
        ("dog", "bird", 0.783),
        ("cat", "flower", 0.480),
        ("dog", "flower", 0.600),
        ("flower", "bird", 0.571),
        ("cat", "car", 0.320),
        ("dog", "car", 0.400),
        ("flower", "car", 0.364),
        ("bird", "car", 0.381),
    ],
)
def test_similarity_of_the_reports_classes(
    first: str, second: str, similarity: float, wordnet: WordNetCorpusReader
) -> None:
    matrix = wu_palmer_matrix(SENSES, wordnet)
    row, column = CLASSES.index(first), CLASSES.index(second)
    assert matrix[row, column] == pytest.approx(similarity, abs=1e-3)
    assert matrix[column, row] == matrix[row, column]


@pytest.mark.req("R-CLS-7")
def test_everything_is_fully_similar_to_itself(wordnet: WordNetCorpusReader) -> None:
    dog = wordnet.synset("dog.n.01")
    assert dog.wup_similarity(dog) == pytest.approx(0.929, abs=1e-3), "what NLTK says"
    assert np.diag(wu_palmer_matrix(SENSES, wordnet)).tolist() == [1.0] * 5


def test_unknown_words_cannot_be_compared(wordnet: WordNetCorpusReader) -> None:
    matrix = wu_palmer_matrix(["cat.n.01", "", "dog.n.01"], wordnet)
    assert np.isnan(matrix[0, 1])
    assert np.isnan(matrix[1, 2])
    pair = closest_pair(["cat", "caturday", "dog"], matrix)
    assert pair is not None
    assert (pair.first, pair.second) == ("cat", "dog")


@pytest.mark.req("R-CLS-8")
@pytest.mark.parametrize(
    ("name", "kinds"), [("cat", 38), ("dog", 189), ("flower", 467), ("bird", 871), ("car", 40)]
)
def test_number_of_kinds(name: str, kinds: int, wordnet: WordNetCorpusReader) -> None:
    assert len(hyponym_closure(f"{name}.n.01", wordnet)) == kinds


@pytest.mark.req("R-CLS-8")
def test_the_reports_classes_neither_contain_nor_overlap_one_another(
    wordnet: WordNetCorpusReader,
) -> None:
    closures = [hyponym_closure(sense, wordnet) | {sense} for sense in SENSES]
    assert len(frozenset().union(*closures)) == sum(len(closure) for closure in closures)


@pytest.mark.req("R-CLS-8")
def test_a_cat_is_an_animal_but_not_the_other_way_round(wordnet: WordNetCorpusReader) -> None:
    assert is_kind_of("cat.n.01", "animal.n.01", wordnet)
    assert not is_kind_of("animal.n.01", "cat.n.01", wordnet)
    assert "animal.n.01" in ancestors("cat.n.01", wordnet)
    assert "cat.n.01" in hyponym_closure("animal.n.01", wordnet)


@pytest.mark.req("R-CLS-10")
def test_warns_when_other_senses_are_much_closer(wordnet: WordNetCorpusReader) -> None:
    warnings = sense_warnings(["cat", "car"], ["cat.n.01", "car.n.01"], wordnet)
    assert len(warnings) == 1
    assert warnings[0].pinned == pytest.approx(0.320, abs=1e-3)
    assert warnings[0].highest == pytest.approx(0.833, abs=1e-3)
    assert warnings[0].senses[0] == "caterpillar.n.02"


@pytest.mark.req("R-CLS-10")
def test_no_warning_when_the_pinned_senses_are_the_close_ones(wordnet: WordNetCorpusReader) -> None:
    assert sense_warnings(["cat", "bird"], ["cat.n.01", "bird.n.01"], wordnet) == []
    assert sense_warnings(["cat", "caturday"], ["cat.n.01", ""], wordnet) == []


@pytest.mark.req("R-CLS-13")
def test_the_closest_pair_of_the_report_is_cat_and_dog(wordnet: WordNetCorpusReader) -> None:
    pair = closest_pair(CLASSES, wu_palmer_matrix(SENSES, wordnet))
    assert pair is not None
    assert (pair.first, pair.second) == ("cat", "dog")
    assert pair.similarity == pytest.approx(0.857, abs=1e-3)


def test_one_class_has_no_closest_pair(wordnet: WordNetCorpusReader) -> None:
    assert closest_pair(["cat"], wu_palmer_matrix(["cat.n.01"], wordnet)) is None


@pytest.mark.req("R-CLS-3")
@pytest.mark.parametrize(
    ("lemma", "share"), [("dog", 1.0), ("flower", 31 / 39), ("sunset", None), ("caturday", None)]
)
def test_share_of_the_first_sense(
    lemma: str, share: float | None, wordnet: WordNetCorpusReader
) -> None:
    assert sense_share(lemma, wordnet) == (share if share is None else pytest.approx(share))


def test_unknown_words_have_no_sense(wordnet: WordNetCorpusReader) -> None:
    assert first_sense("caturday", wordnet) is None
