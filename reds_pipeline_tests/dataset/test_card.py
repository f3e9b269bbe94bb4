from __future__ import annotations

import re
from dataclasses import replace

import pytest
import yaml

from reds_pipeline.dataset.card import ExportFacts, citation, front_matter, render_card
from reds_pipeline.dataset.card_files import write_card
from reds_pipeline.dataset.card_template import table_cell
from reds_pipeline.dataset.collect_facts import curated_table
from reds_pipeline.dataset.facts import ContributionFacts, DatasetFacts
from reds_pipeline.dataset.records import choose_records
from reds_pipeline.dataset.splits import split_dataset
from reds_pipeline.fediverse.consent import ConsentPolicy
from reds_pipeline.feedback.curation import FeedbackRules
from reds_pipeline.storage.home import Home
from reds_pipeline_tests.dataset.dataset_home import CLASSES, RULES, SECRETS


@pytest.fixture(scope="module")
def card(facts: DatasetFacts) -> str:
    return render_card(facts)


def free_export(home: Home, facts: DatasetFacts) -> ExportFacts:
    rows = curated_table(home)
    choice = choose_records(home, rows, split_dataset(rows, facts.split.seed), "free")
    return ExportFacts(
        export_id="2026-11-21-abcd",
        format="parquet",
        sharing="free",
        records=choice.records,
        classes=choice.classes,
        left_out=choice.left_out,
        data_files={"train": "data/train-*.parquet", "test": "data/test-*.parquet"},
        layout=("`data`: the pictures.",),
    )


def yaml_of(card: str) -> dict[str, object]:
    return dict(yaml.safe_load(card.split("---\n")[1]))


def section(card: str, title: str) -> str:
    return card.split(f"\n## {title}\n")[1].split("\n## ", maxsplit=1)[0]


def table_rows(text: str) -> list[list[str]]:
    lines = [line for line in text.splitlines() if line.startswith("|")]
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in lines]


def test_a_card_has_the_parts_that_people_look_for(card: str) -> None:
    titles = re.findall(r"^## (.+)$", card, re.MULTILINE)
    assert titles == [
        "Uses",
        "Classes",
        "Split",
        "Where the pictures come from",
        "Whose pictures are in",
        "Getting out of it",
        "What it says about people",
        "Licences",
        "How it was made",
        "Statistics",
        "Gaps and biases",
        "How to cite",
    ]


def test_a_card_names_nobody(card: str, facts: DatasetFacts, home: Home) -> None:
    for text in (card, render_card(facts, free_export(home, facts))):
        assert [secret for secret in SECRETS if secret in text] == []


def test_no_line_of_a_table_is_torn(card: str) -> None:
    """A stray line break or bar in a cell would move every number after it to another column."""
    tables = re.findall(r"(?:^\|.*\n)+", card, re.MULTILINE)
    assert len(tables) >= 10
    for table in tables:
        assert len({len(cells) for cells in table_rows(table)}) == 1, table


@pytest.mark.req("R-SCR-13")
def test_the_funnel_in_a_card_adds_up(card: str, facts: DatasetFacts) -> None:
    rows = table_rows(section(card, "How it was made"))
    seen = {row[0]: (int(row[1]), int(row[2])) for row in rows[2:5]}
    assert list(seen) == list(CLASSES)
    dropped = {row[0]: [int(cell) for cell in row[1:]] for row in rows[7:11]}
    assert dropped == {
        "account locked": [1, 1, 1, 3],
        "near duplicate": [2, 0, 0, 2],
        "relabelled": [0, 1, 0, 1],
        "reviewed out": [1, 0, 0, 1],
    }
    for place, name in enumerate(CLASSES):
        assert seen[name][0] == seen[name][1] + sum(row[place] for row in dropped.values())
        assert seen[name][1] == facts.funnel[name].kept


@pytest.mark.req("R-IMG-2")
@pytest.mark.req("R-IMG-6")
def test_shapes_of_every_class_and_of_all_together_are_in_a_card(card: str) -> None:
    rows = table_rows(section(card, "Statistics"))
    assert rows[2] == ["cat", "16", "1.33", "1.33", "1.33", "100.0%"]
    assert [row[0] for row in rows[2:]] == [*CLASSES, "all"]
    assert rows[-1][1] == "48"


@pytest.mark.req("R-SCR-11")
def test_licences_are_counted_and_explained(card: str) -> None:
    text = section(card, "Licences")
    counts = {row[0]: row[1:] for row in table_rows(text)[2:]}
    assert counts == {
        "all rights reserved, or not stated": ["12", "12"],
        "CC BY 4.0": ["12", "12"],
        "CC BY-SA 4.0": ["12", "12"],
        "CC0 1.0": ["15", "12"],
    }
    assert "12 pictures may be passed on as they are" in text
    assert "24 pictures may be passed on only with credit" in text
    assert "authors of 12 pictures kept all rights" in text


def test_front_matter_is_what_hubs_read(facts: DatasetFacts, home: Home) -> None:
    values = yaml_of(render_card(facts, free_export(home, facts)))
    assert values["license"] == "cc0-1.0"
    assert values["task_categories"] == ["image-classification"]
    assert values["size_categories"] == ["n<1K"]
    assert values["configs"] == [
        {
            "config_name": "default",
            "data_files": [
                {"split": "train", "path": "data/train-*.parquet"},
                {"split": "test", "path": "data/test-*.parquet"},
            ],
        }
    ]


def test_many_licences_are_none_of_those_that_hubs_have_a_word_for(facts: DatasetFacts) -> None:
    values = yaml.safe_load(front_matter(facts, None))
    assert values["license"] == "other"
    assert "configs" not in values


def test_the_part_about_an_export_is_there_only_in_an_export(
    card: str, facts: DatasetFacts, home: Home
) -> None:
    exported = render_card(facts, free_export(home, facts))
    assert "## This export" not in card
    text = section(exported, "This export")
    assert "12 pictures as `parquet`, export `2026-11-21-abcd`." in text
    assert "Left out because of the licence: 36." in text
    numbers = [[int(cell) for cell in row[2:]] for row in table_rows(text)[2:]]
    assert sum(map(sum, numbers)) == 12


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"policy": ConsentPolicy(require_indexable="strict")}, "has said yes to being found"),
        ({}, "has not said no to being found"),
        ({"federated": True}, "or at another one that a person has approved"),
        ({"policy": ConsentPolicy(allowed_licences=frozenset({"CC BY"}))}, "licences: CC BY 4.0."),
        ({"obey_ai_robots": False}, "robots.txt and `X-Robots-Tag` of the host are obeyed.\n"),
        ({"contact": ""}, "Write to whoever gave you this."),
        ({"recheck_after_hours": 6.0}, "not seen for 6 hours"),
    ],
)
def test_the_rules_are_those_of_the_settings(
    facts: DatasetFacts, changed: dict[str, object], said: str
) -> None:
    rules = replace(RULES, **changed)  # type: ignore[arg-type]
    assert said in render_card(replace(facts, rules=rules))


def test_a_set_that_cannot_be_split_says_so_twice(facts: DatasetFacts) -> None:
    split = replace(facts.split, test=0, problem="There is too little.")
    card = render_card(replace(facts, split=split))
    assert "Nothing is held out: There is too little." in card
    assert "Nothing is held out for a test" in section(card, "Gaps and biases")


@pytest.mark.parametrize(
    ("value", "cell"),
    [("a|b", "a\\|b"), ("a\nb", "a b"), ("*x*", "\\*x\\*"), (3, "3"), ("<b>", "\\<b\\>")],
)
def test_a_cell_cannot_break_its_table(value: object, cell: str) -> None:
    assert table_cell(value) == cell


def test_a_class_name_cannot_break_the_citation(facts: DatasetFacts) -> None:
    classes = (replace(facts.classes[0], name="ca}t{"), *facts.classes[1:])
    cited = citation(replace(facts, classes=classes))
    assert cited.count("{") == cited.count("}")
    assert "Pictures of cat, dog" in cited


def test_the_card_of_a_home_is_written_whole(home: Home, facts: DatasetFacts, card: str) -> None:
    files = write_card(home, facts)
    assert files.card.read_text(encoding="utf-8") == card
    assert files.croissant.exists()


@pytest.mark.req("R-IMP-6")
def test_a_card_tells_of_the_photos_that_people_gave(card: str, facts: DatasetFacts) -> None:
    """They are not in the data set, so where there are none there is nothing to say."""
    title = "Photos that people gave"
    assert title not in card
    rules = replace(RULES, feedback=FeedbackRules(share=0.1, suggested_weight=0.25))
    given = ContributionFacts(given=9, learnt={"suggested": 4, "person": 2}, consents=("2026-11",))
    text = section(render_card(replace(facts, rules=rules, contributions=given)), title)
    assert "Of 9 photos that people gave on the page, models learn from 6." in text
    assert "An operator has looked at each" in text
    assert "At most 10% of a class's pictures" in text
    assert "agreed to: 2026-11" in text
    assert [row[1:] for row in table_rows(text)[2:]] == [["2", "1"], ["4", "0.25"]]
    unreviewed = replace(rules, feedback=FeedbackRules(needs_review=False))
    said = render_card(replace(facts, rules=unreviewed, contributions=given))
    assert "No operator had to look at them first." in said
