from __future__ import annotations

import csv
from pathlib import Path

import pytest

from reds_pipeline.storage.home import Home
from reds_pipeline.storage.tables import CLASS_SELECTION, POSTS, write_rows
from reds_pipeline.tag_report import TagReport, tag_report
from reds_pipeline_tests.figure_checks import assert_readable
from reds_pipeline_tests.lexicon.conftest import posts

CLASSES = {"cat": "cat.n.01", "car": "car.n.01", "caturday": ""}


@pytest.fixture(scope="module")
def report(tmp_path_factory: pytest.TempPathFactory) -> TagReport:
    home = Home(tmp_path_factory.mktemp("tags"))
    tags = [["Cats", "CatsOfMastodon"]] * 4 + [["cat", "car"]] * 3 + [["sunset"]] * 2
    sample = [*posts(tags), *({**row, "author_key": "one"} for row in posts([["mirasolveig"]] * 9))]
    write_rows(home.table("sample_posts"), sample, POSTS)
    write_rows(home.table("class_selection"), selection(), CLASS_SELECTION)
    return tag_report(home)


def selection() -> list[dict[str, object]]:
    chosen = [
        {"lemma": name, "synset": synset, "accepted": True} for name, synset in CLASSES.items()
    ]
    return [*chosen, {"lemma": "travel", "synset": "travel.n.01", "accepted": False}]


@pytest.mark.req("R-TAG-11")
@pytest.mark.req("R-TAG-13")
@pytest.mark.req("R-CLS-6")
def test_every_figure_of_the_first_chapters_is_drawn(report: TagReport) -> None:
    assert set(report.figures) == {
        "top_hashtags.png",
        "top_lemmas.png",
        "class_similarity.png",
        "class_graph.png",
        "class_graph_nodes.csv",
        "class_graph_edges.csv",
    }
    for name, data in report.figures.items():
        if name.endswith(".png"):
            assert_readable(data)
    assert set(report.panels) == {"cat", "car"}


@pytest.mark.req("R-TAG-12")
def test_the_rank_changes_are_told(report: TagReport) -> None:
    assert report.changes[0].lemma == "cat"
    assert report.changes[0].raw_tag == "Cats"


@pytest.mark.req("R-CLS-9")
def test_the_graph_is_also_a_table_of_nodes_and_one_of_edges(report: TagReport) -> None:
    nodes, edges = (
        list(csv.DictReader(report.figures[f"class_graph_{part}.csv"].decode().splitlines()))
        for part in ("nodes", "edges")
    )
    assert len(nodes) == 39 + 41
    assert {"class": "cat", "synset": "cat.n.01", "depth": "0", "parent": ""} in nodes
    groups = {node["synset"]: node["class"] for node in nodes}
    assert all(groups[edge["synset"]] == groups[edge["kind"]] for edge in edges)
    assert report.graph.bridges == ()


def test_a_word_that_one_person_alone_uses_is_not_shown(report: TagReport) -> None:
    """It may be that person's name."""
    assert "mirasolveig" not in {change.lemma for change in report.changes}
    assert report.left_out == 1


def test_classes_that_wordnet_does_not_know_leave_the_graph_out(tmp_path: Path) -> None:
    home = Home(tmp_path)
    rows = [{"lemma": name, "synset": "", "accepted": True} for name in ("fedi", "caturday")]
    write_rows(home.table("class_selection"), rows, CLASS_SELECTION)
    report = tag_report(home)
    assert "class_graph.png" not in report.figures
    assert report.panels == {}
