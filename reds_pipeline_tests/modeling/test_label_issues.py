from __future__ import annotations

from collections import Counter
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from reds_pipeline.modeling.label_issues import (
    Confusion,
    confusions,
    find_label_issues,
    label_issues_key,
)
from reds_pipeline.storage.tables import LABEL_SUSPECTS, read_rows, write_rows
from reds_pipeline_tests.modeling.clouds import clouds

WRONG = range(0, 300, 20)


@pytest.fixture(scope="module")
def planted() -> tuple[NDArray[np.float32], list[str], list[str]]:
    """Three clouds of 100, of which every 20th point carries the next class's label."""
    features, labels = clouds(classes=3, each=100, spread=1.2)
    for number in WRONG:
        labels[number] = f"class {(number // 100 + 1) % 3}"
    return features, labels, [f"{number:064x}" for number in range(300)]


@pytest.mark.req("R-SCR-8")
def test_planted_wrong_labels_come_first(
    planted: tuple[NDArray[np.float32], list[str], list[str]],
) -> None:
    """Whoever looks at the first 18 of 300 sees at least 13 of the 15 wrong ones."""
    features, labels, keys = planted
    issues = find_label_issues(features, labels, keys, keys, seed=1)
    wrong = {keys[number] for number in WRONG}
    assert len(wrong & {row["sha256"] for row in issues.rows[:18]}) >= 13
    suspects = {row["sha256"] for row in issues.rows if row["is_suspect"]}
    assert len(suspects & wrong) >= 10
    assert len(suspects - wrong) <= 3
    first = issues.rows[0]
    number = keys.index(first["sha256"])
    assert (first["reason"], first["class_name"]) == ("label", labels[number])
    assert first["guess"] == f"class {number // 100}"
    assert first["class_probability"] == first["label_quality"] < first["guess_probability"]
    assert f"{len(suspects)} of them because their label is probably wrong" in issues.sentence


def test_every_picture_is_ranked_once_and_the_table_holds_it(
    planted: tuple[NDArray[np.float32], list[str], list[str]], tmp_path: Path
) -> None:
    features, labels, keys = planted
    issues = find_label_issues(features, labels, keys, keys, seed=1)
    assert {row["sha256"] for row in issues.rows} == set(keys)
    assert [row["review_rank"] for row in issues.rows] == list(range(300))
    for row in issues.rows:
        assert (row["reason"] == "near_class") == (
            not row["is_suspect"] and row["guess"] != row["class_name"]
        )
    write_rows(tmp_path / "suspects.parquet", issues.rows, LABEL_SUSPECTS)
    stored = read_rows(tmp_path / "suspects.parquet")
    assert [{column: row[column] for column in issues.rows[0]} for row in stored] == issues.rows


def test_neither_the_order_nor_the_time_of_asking_matters(
    planted: tuple[NDArray[np.float32], list[str], list[str]],
) -> None:
    features, labels, keys = planted
    order = np.random.default_rng(5).permutation(300)
    mixed_keys = [keys[number] for number in order]
    once = find_label_issues(features, labels, keys, keys, seed=1)
    again = find_label_issues(
        features[order], [labels[number] for number in order], mixed_keys, mixed_keys, seed=1
    )
    assert again.rows == once.rows


def test_a_class_that_cannot_be_judged_is_named_and_comes_last() -> None:
    """Two authors are too few to say anything about labels, but pictures may still stand out."""
    features, labels = clouds(classes=3, each=30)
    keys = [f"{number:03}" for number in range(90)]
    groups = [*keys[:60], *(f"author {number % 2}" for number in range(30))]
    issues = find_label_issues(features, labels, groups, keys, seed=0)
    assert issues.unjudged == {"class 2": 2}
    assert "could not be judged" in issues.sentence
    assert "class 2 (2)" in issues.sentence
    unjudged = [row for row in issues.rows if row["class_name"] == "class 2"]
    for column in ("class_probability", "guess", "guess_probability", "label_quality"):
        assert {row[column] for row in unjudged} == {None}
    assert not any(row["is_suspect"] for row in unjudged)
    rest = [row for row in issues.rows if row["reason"] == ""]
    judged = [row["label_quality"] is not None for row in rest]
    assert judged == sorted(judged, reverse=True)
    assert not all(judged)


@pytest.mark.parametrize("pictures", [0, 1, 30])
def test_one_class_alone_or_nothing_has_no_suspects(pictures: int) -> None:
    features, labels = clouds(classes=1, each=pictures)
    keys = [f"{number:02}" for number in range(pictures)]
    issues = find_label_issues(features, labels, keys, keys, seed=0)
    assert len(issues.rows) == pictures
    assert not any(row["is_suspect"] for row in issues.rows)


@pytest.mark.parametrize(
    ("labels", "groups", "keys"),
    [
        (["a"], ["1", "2"], ["k", "l"]),
        (["a", "b"], ["1"], ["k", "l"]),
        (["a", "b"], ["1", "2"], ["k"]),
    ],
)
def test_lists_of_unequal_length_are_refused(
    labels: list[str], groups: list[str], keys: list[str]
) -> None:
    with pytest.raises(ValueError, match="one label"):
        find_label_issues(np.zeros((2, 3), np.float32), labels, groups, keys, seed=0)


def test_a_picture_given_twice_is_refused() -> None:
    """It would have two ranks."""
    with pytest.raises(ValueError, match="twice"):
        find_label_issues(np.zeros((2, 3)), ["a", "b"], ["1", "2"], ["k", "k"], seed=0)


def test_confused_classes_are_counted_most_pictures_first(
    planted: tuple[NDArray[np.float32], list[str], list[str]],
) -> None:
    features, labels, keys = planted
    rows = find_label_issues(features, labels, keys, keys, seed=1).rows
    counted = confusions(rows)
    assert sum(confusion.pictures for confusion in counted) == sum(
        row["guess"] != row["class_name"] or row["is_suspect"] for row in rows
    )
    assert counted == sorted(counted, key=lambda confusion: -confusion.pictures)
    some = [row for row in rows if row["class_name"] == "class 1" and row["reason"] == "label"]
    most, pictures = Counter(row["guess"] for row in some).most_common(1)[0]
    assert confusions(some)[0] == Confusion("class 1", most, pictures)


BASE = (["k", "l"], ["a", "b"], ["1", "2"], "tiny-1", 0)


@pytest.mark.parametrize(
    "changed",
    [
        (["k", "m"], ["a", "b"], ["1", "2"], "tiny-1", 0),
        (["k", "l"], ["a", "a"], ["1", "2"], "tiny-1", 0),
        (["k", "l"], ["a", "b"], ["1", "1"], "tiny-1", 0),
        (["k", "l"], ["a", "b"], ["1", "2"], "tiny-2", 0),
        (["k", "l"], ["a", "b"], ["1", "2"], "tiny-1", 1),
        (["k"], ["a"], ["1"], "tiny-1", 0),
    ],
)
def test_whatever_changes_the_table_changes_its_key(
    changed: tuple[list[str], list[str], list[str], str, int],
) -> None:
    assert label_issues_key(*changed) != label_issues_key(*BASE)


def test_the_order_of_the_pictures_does_not_change_the_key() -> None:
    keys, labels, groups, encoder_id, seed = BASE
    assert label_issues_key(keys[::-1], labels[::-1], groups[::-1], encoder_id, seed) == (
        label_issues_key(*BASE)
    )
