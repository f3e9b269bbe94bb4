from __future__ import annotations

import math
from itertools import pairwise
from typing import TYPE_CHECKING

import pytest

from reds_pipeline.lexicon.class_graph import (
    ClassGraph,
    branches,
    class_graph,
    kinds_of,
    leaf_counts,
    places,
)

if TYPE_CHECKING:
    from nltk.corpus.reader.wordnet import WordNetCorpusReader

CLASSES = {name: f"{name}.n.01" for name in ("cat", "dog", "flower", "bird", "car")}
KINDS = {"cat": 38, "dog": 189, "flower": 467, "bird": 871, "car": 40}


@pytest.fixture(scope="module")
def graph(wordnet: WordNetCorpusReader) -> ClassGraph:
    return class_graph(CLASSES, wordnet)


@pytest.mark.req("R-CLS-8")
@pytest.mark.req("R-CLS-9")
def test_the_five_classes_hold_all_their_kinds_and_no_edge_joins_two(graph: ClassGraph) -> None:
    assert {name: len(graph.group(name)) - 1 for name in graph.class_names} == KINDS
    assert graph.bridges == ()


@pytest.mark.req("R-CLS-9")
def test_every_node_hangs_on_an_edge_of_its_group(graph: ClassGraph) -> None:
    hanging = {(edge.class_name, edge.kind) for edge in graph.edges}
    for node in graph.nodes:
        assert (node.depth == 0) is (node.parent == "")
        if node.parent:
            assert (node.class_name, node.synset) in hanging
    senses = {(node.class_name, node.synset) for node in graph.nodes}
    assert len(senses) == len(graph.nodes), "each sense once a group"
    assert {(edge.class_name, edge.synset) for edge in graph.edges} <= senses


@pytest.mark.req("R-CLS-9")
def test_a_class_inside_another_shows_as_edges_between_the_groups(
    wordnet: WordNetCorpusReader,
) -> None:
    """A cat is an animal, so its kinds are in both groups (the negative example of R-CLS-8)."""
    overlapping = class_graph({"feline": "feline.n.01", "cat": "cat.n.01"}, wordnet)
    assert {edge.class_name for edge in overlapping.bridges} == {"feline", "cat"}
    assert "cat.n.01" in {edge.kind for edge in overlapping.bridges}


def test_a_class_that_wordnet_does_not_know_has_no_group(wordnet: WordNetCorpusReader) -> None:
    assert class_graph({"caturday": "", "cat": "cat.n.01"}, wordnet).class_names == ["cat"]
    assert class_graph({"caturday": ""}, wordnet).nodes == ()


@pytest.mark.parametrize("name", CLASSES)
def test_the_circle_is_shared_out_without_overlap(name: str, graph: ClassGraph) -> None:
    group = graph.group(name)
    where = places(group)
    assert set(where) == {node.synset for node in group}
    leaves = [
        where[synset]
        for synset, count in leaf_counts(group).items()
        if count == 1 and not kinds_of(group)[synset]
    ]
    angles = sorted(place.angle for place in leaves)
    gaps = [after - before for before, after in pairwise(angles)]
    assert min(gaps) == pytest.approx(2 * math.pi / len(leaves))
    for node in group:
        place = where[node.synset]
        assert place.depth == node.depth
        if node.parent:
            above = where[node.parent]
            assert abs(place.angle - above.angle) <= (above.width - place.width) / 2 + 1e-9


@pytest.mark.parametrize("name", CLASSES)
@pytest.mark.parametrize("most", [10, 40])
def test_branches_divide_a_group_without_nesting(name: str, most: int, graph: ClassGraph) -> None:
    group = graph.group(name)
    parents = {node.synset: node.parent for node in group}
    chosen = branches(group, most)
    direct = len(kinds_of(group)[group[0].synset])
    assert len(chosen) <= max(most, direct)
    for synset in chosen:
        above = parents[synset]
        while above:
            assert above not in chosen
            above = parents[above]
    leaves = leaf_counts(group)
    assert sum(leaves[synset] for synset in chosen) == leaves[group[0].synset]


def test_the_graph_of_one_class_keeps_its_own_edges(graph: ClassGraph) -> None:
    cat = graph.only("cat")
    assert cat.class_names == ["cat"]
    assert len(cat.nodes) == 39
    assert {edge.class_name for edge in cat.edges} == {"cat"}


def test_a_sense_reads_as_words(graph: ClassGraph) -> None:
    assert "siamese cat" in {node.name for node in graph.group("cat")}
