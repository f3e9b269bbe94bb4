from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest

from reds_pipeline.lexicon.class_graph import class_graph
from reds_pipeline.lexicon.figures import similarity_figure, top_words_figure, word_columns_figure
from reds_pipeline.lexicon.graph_figure import class_graph_figure
from reds_pipeline_tests.figure_checks import ORANGE, assert_readable, coloured

if TYPE_CHECKING:
    from nltk.corpus.reader.wordnet import WordNetCorpusReader

RAW = [("Cats", 9), ("cat", 8), ("$dog_$", 7), ("日本", 3), ("عکاسی", 2)]
PROCESSED = [("cat", 17), ("dog", 7), ("a" * 60, 2)]


@pytest.mark.req("R-TAG-11")
def test_both_rankings_stand_side_by_side() -> None:
    figure = top_words_figure(RAW, PROCESSED, ["dog"], "What people tag")
    assert_readable(figure)
    assert coloured(figure, ORANGE) > 300, "the newcomer stands out"
    assert coloured(top_words_figure(RAW, PROCESSED, [], "What people tag"), ORANGE) == 0


@pytest.mark.req("R-TAG-13")
def test_a_hundred_words_have_room() -> None:
    words = [(f"word{number}", 200 - number) for number in range(100)]
    figure = word_columns_figure(words, ["word3"], "The 100 lemmas")
    assert_readable(figure)
    assert coloured(figure, ORANGE) > 300


def test_an_empty_sample_can_be_drawn() -> None:
    assert_readable(top_words_figure([], [], [], "nothing"))
    assert_readable(word_columns_figure([], [], "nothing"))


@pytest.mark.req("R-CLS-6")
@pytest.mark.parametrize("count", [2, 9])
def test_similarities_of_few_and_many_classes(count: int) -> None:
    matrix = np.eye(count)
    matrix[0, 1] = matrix[1, 0] = np.nan
    assert_readable(similarity_figure([f"class {n}" for n in range(count)], matrix, "How close"))


@pytest.mark.req("R-CLS-9")
def test_the_graph_is_drawn_and_ties_between_classes_are_red(
    wordnet: WordNetCorpusReader,
) -> None:
    apart = class_graph({"cat": "cat.n.01", "car": "car.n.01"}, wordnet)
    figure = class_graph_figure(apart, "apart")
    assert_readable(figure)
    overlapping = class_graph({"feline": "feline.n.01", "cat": "cat.n.01"}, wordnet)
    assert class_graph_figure(overlapping, "x") != class_graph_figure(
        type(overlapping)(overlapping.nodes, overlapping.edges, ()), "x"
    )


def test_a_class_without_kinds_is_drawn(wordnet: WordNetCorpusReader) -> None:
    assert_readable(class_graph_figure(class_graph({"manul": "manul.n.01"}, wordnet), "one"))
