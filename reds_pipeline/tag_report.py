"""What there is to show about the hashtags of a sample and the classes chosen among them.

What belongs here: reading the tables and asking for the figures of the source report's first
chapters (R-TAG-11 to 13, R-CLS-6, R-CLS-9). What does not: how they are computed or drawn, and
Dagster, which shows them (``assets/reports.py``).

Words that one person alone uses are left out: a tag of one's own can be a name.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace

from reds_pipeline.kept_drawings import KeptDrawings
from reds_pipeline.lexicon.class_graph import ClassGraph
from reds_pipeline.lexicon.rank_changes import TOP, RankChange
from reds_pipeline.lexicon.trends import TagCounts
from reds_pipeline.storage.home import Home
from reds_pipeline.storage.tables import CLASS_SELECTION, POSTS, read_rows

TOP_LEMMAS = 100
_FEWEST_AUTHORS = 2
# What decides how the graph of the classes looks, beside the graph.
_CODE_OF_A_GRAPH = (
    "reds_pipeline.drawing",
    "reds_pipeline.lexicon.class_graph",
    "reds_pipeline.lexicon.graph_figure",
)
_CODE_OF_WORDS = ("reds_pipeline.drawing", "reds_pipeline.lexicon.figures")


@dataclass(frozen=True, eq=False)
class TagReport:
    """The figures and tables of what people tag.

    Attributes:
        changes: How the top lemmas stood as hashtags.
        graph: The classes and all kinds of them.
        left_out: Lemmas that one person alone uses, which are not shown.
        figures: Files by name: PNG, and the graph's nodes and edges as CSV.
        panels: The graph of each class as a figure of its own.
    """

    changes: list[RankChange]
    graph: ClassGraph
    left_out: int
    figures: dict[str, bytes] = field(default_factory=dict)
    panels: dict[str, bytes] = field(default_factory=dict)


def tag_report(home: Home) -> TagReport:
    """Draw the sample and the selection of a home."""
    from reds_pipeline.lexicon.class_graph import class_graph
    from reds_pipeline.lexicon.figures import (
        similarity_figure,
        top_words_figure,
        word_columns_figure,
    )
    from reds_pipeline.lexicon.graph_figure import class_graph_figure
    from reds_pipeline.lexicon.rank_changes import rank_changes
    from reds_pipeline.lexicon.semantics import wu_palmer_matrix
    from reds_pipeline.lexicon.trends import count_hashtags
    from reds_pipeline.lexicon.wordnet import load_wordnet

    wordnet = load_wordnet()
    everything = count_hashtags(read_rows(home.table("sample_posts"), POSTS), wordnet)
    counts = _shared_words(everything)
    changes = rank_changes(counts)
    selection = read_rows(home.table("class_selection"), CLASS_SELECTION)
    classes = {row["lemma"]: row["synset"] or "" for row in selection if row["accepted"]}
    graph = class_graph(classes, wordnet)
    kept = KeptDrawings(home.figures / "kept")

    def graph_figure(name: str, part: ClassGraph, title: str) -> bytes:
        return kept.drawing(
            name, (part, title), lambda: class_graph_figure(part, title), *_CODE_OF_A_GRAPH
        )

    def word_figure(name: str, draw: Callable[..., bytes], *shown: object) -> bytes:
        return kept.drawing(name, shown, lambda: draw(*shown), *_CODE_OF_WORDS)

    similarity = wu_palmer_matrix(list(classes.values()), wordnet)
    lemmas = [(count.lemma, count.posts) for count in counts.lemmas[:TOP_LEMMAS]]
    figures = {
        "top_hashtags.png": word_figure(
            "top_hashtags",
            top_words_figure,
            [(count.tag, count.posts) for count in counts.tags[:TOP]],
            lemmas[:TOP],
            [change.lemma for change in changes if change.newcomer],
            f"The {TOP} most frequent words of {counts.posts:,} posts",
        ),
        "top_lemmas.png": word_figure(
            "top_lemmas",
            word_columns_figure,
            lemmas,
            # A list, because sets are written down in any order.
            sorted(classes),
            f"The {len(lemmas)} most frequent lemmas of {counts.posts:,} posts",
        ),
        "class_similarity.png": kept.drawing(
            "class_similarity",
            # A list, because a large array is not written down in full.
            (list(classes), similarity.tolist()),
            lambda: similarity_figure(
                list(classes), similarity, "How close the classes are in meaning"
            ),
            *_CODE_OF_WORDS,
        ),
        "class_graph_nodes.csv": _table(
            ("class", "synset", "depth", "parent"),
            ((node.class_name, node.synset, node.depth, node.parent) for node in graph.nodes),
        ),
        "class_graph_edges.csv": _table(
            ("class", "synset", "kind"),
            ((edge.class_name, edge.synset, edge.kind) for edge in graph.edges),
        ),
    }
    if graph.nodes:
        title = "The classes and everything that is a kind of them"
        figures["class_graph.png"] = graph_figure("class_graph", graph, title)
    return TagReport(
        changes=changes,
        graph=graph,
        left_out=len(everything.lemmas) - len(counts.lemmas),
        figures=figures,
        panels={
            name: graph_figure(f"kinds_of_{name}", graph.only(name), f"Kinds of {name}")
            for name in graph.class_names
        },
    )


def _shared_words(counts: TagCounts) -> TagCounts:
    """Return the counts without what one person alone uses."""
    return replace(
        counts,
        tags=tuple(count for count in counts.tags if count.authors >= _FEWEST_AUTHORS),
        lemmas=tuple(count for count in counts.lemmas if count.authors >= _FEWEST_AUTHORS),
    )


def _table(columns: Sequence[str], rows: Iterable[Sequence[object]]) -> bytes:
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(columns)
    writer.writerows(rows)
    return text.getvalue().encode()
