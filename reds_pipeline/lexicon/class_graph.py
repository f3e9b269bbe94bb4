"""The classes and everything that is a kind of them, as a graph (R-CLS-9).

What belongs here: nodes, edges, which of them tie two classes together, and where each stands
around its class. What does not: reading WordNet's senses (``semantics.py``) and drawing
(``graph_figure.py``).
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from nltk.corpus.reader.wordnet import WordNetCorpusReader


@dataclass(frozen=True)
class GraphNode:
    """One sense in the group of one class.

    Attributes:
        class_name: The class.
        synset: WordNet's name of the sense, such as ``siamese_cat.n.01``.
        depth: Steps from the class, whose own sense has 0.
        parent: The sense it was reached from first; "" for the class itself.
    """

    class_name: str
    synset: str
    depth: int
    parent: str

    @property
    def name(self) -> str:
        """The sense in words."""
        return self.synset.rsplit(".", 2)[0].replace("_", " ")


@dataclass(frozen=True)
class GraphEdge:
    """A sense and one of its kinds; ``class_name`` is the group of the first."""

    class_name: str
    synset: str
    kind: str


@dataclass(frozen=True)
class ClassGraph:
    """All groups together.

    Attributes:
        nodes: By class, the class itself first, then by depth.
        edges: Every tie between a sense and its kinds; a sense may be a kind of several.
        bridges: Those of the edges that lead into another group. Classes that can be told apart
            have none (R-CLS-8, 9).
    """

    nodes: tuple[GraphNode, ...]
    edges: tuple[GraphEdge, ...]
    bridges: tuple[GraphEdge, ...]

    def group(self, class_name: str) -> list[GraphNode]:
        """The nodes of one class."""
        return [node for node in self.nodes if node.class_name == class_name]

    def only(self, class_name: str) -> ClassGraph:
        """The group of one class as a graph of its own; its bridges stay."""
        return ClassGraph(
            tuple(node for node in self.nodes if node.class_name == class_name),
            tuple(edge for edge in self.edges if edge.class_name == class_name),
            tuple(edge for edge in self.bridges if edge.class_name == class_name),
        )

    @property
    def class_names(self) -> list[str]:
        """The classes that have a group, in their order."""
        return list(dict.fromkeys(node.class_name for node in self.nodes))


@dataclass(frozen=True)
class Place:
    """Where a node stands around its class.

    Attributes:
        angle: In radians, from 0 to 2 pi; the middle of its share of the circle.
        width: Radians that it and its kinds share.
        depth: Steps from the class.
    """

    angle: float
    width: float
    depth: int


def class_graph(classes: Mapping[str, str], wordnet: WordNetCorpusReader) -> ClassGraph:
    """Collect the kinds of each class.

    Args:
        classes: The pinned sense of each class; one without a sense ("") has no group.
        wordnet: The reader of ``load_wordnet``.
    """
    nodes: list[GraphNode] = []
    edges: list[GraphEdge] = []
    groups: dict[str, set[str]] = {}
    for class_name, synset in classes.items():
        if not synset:
            continue
        reached = {synset: GraphNode(class_name, synset, 0, "")}
        waiting = [wordnet.synset(synset)]
        for sense in waiting:
            for kind in sorted(sense.hyponyms(), key=lambda found: found.name()):
                edges.append(GraphEdge(class_name, sense.name(), kind.name()))
                if kind.name() not in reached:
                    depth = reached[sense.name()].depth + 1
                    reached[kind.name()] = GraphNode(class_name, kind.name(), depth, sense.name())
                    waiting.append(kind)
        nodes.extend(reached.values())
        for name in reached:
            groups.setdefault(name, set()).add(class_name)
    return ClassGraph(
        tuple(nodes),
        tuple(edges),
        tuple(edge for edge in edges if groups[edge.kind] != {edge.class_name}),
    )


def places(group: Sequence[GraphNode]) -> dict[str, Place]:
    """Give each node of one class its share of a circle around the class.

    Kinds without kinds of their own get equal shares and every other node lies in the middle of
    its own, so no two branches cross.

    Args:
        group: The nodes of one class, the class first, as ``ClassGraph.group`` gives them.

    Returns:
        The place of each synset.
    """
    kinds = kinds_of(group)
    leaves = leaf_counts(group)
    total = leaves[group[0].synset]
    found: dict[str, Place] = {}
    waiting = [(group[0].synset, 0.0, 0)]
    while waiting:
        synset, start, depth = waiting.pop()
        width = 2 * math.pi * leaves[synset] / total
        found[synset] = Place(start + width / 2, width, depth)
        for kind in kinds[synset]:
            waiting.append((kind, start, depth + 1))
            start += 2 * math.pi * leaves[kind] / total
    return found


def kinds_of(group: Sequence[GraphNode]) -> dict[str, list[str]]:
    """For each node of a group those that were reached from it, in order."""
    kinds: dict[str, list[str]] = {node.synset: [] for node in group}
    for node in group:
        if node.parent:
            kinds[node.parent].append(node.synset)
    return kinds


def leaf_counts(group: Sequence[GraphNode]) -> dict[str, int]:
    """For each node of a group how many nodes without kinds hang below it, itself if it is one."""
    counts = {node.synset: 0 for node in group}
    kinds = kinds_of(group)
    # Deeper ones stand later, so that going backwards every sum is complete when it is passed on.
    for node in reversed(group):
        counts[node.synset] = counts[node.synset] or int(not kinds[node.synset])
        if node.parent:
            counts[node.parent] += counts[node.synset]
    return counts


def branches(group: Sequence[GraphNode], most: int) -> list[str]:
    """Choose the senses that name the parts of a group best: each node is below one at most.

    The largest part is replaced by its parts as long as there are no more than ``most``.

    Returns:
        Synsets, those with the most leaves first; those of equal size by name.
    """
    kinds, leaves = kinds_of(group), leaf_counts(group)
    chosen = set(kinds[group[0].synset])
    settled: set[str] = set()
    while open_ones := [name for name in chosen if kinds[name] and name not in settled]:
        largest = min(open_ones, key=lambda name: (-leaves[name], name))
        if len(chosen) - 1 + len(kinds[largest]) > most:
            settled.add(largest)
        else:
            chosen = (chosen - {largest}) | set(kinds[largest])
    return sorted(chosen, key=lambda name: (-leaves[name], name))
