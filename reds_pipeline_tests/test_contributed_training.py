"""A training that learns from contributed photos too, as MLflow and the tables see it (R-IMP-6)."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pytest

from reds_pipeline.modeling.heads import HeadParameters
from reds_pipeline.modeling.training_only import TrainingOnly
from reds_pipeline.resources import Platform
from reds_pipeline.settings import load_settings
from reds_pipeline.shared_test import compare_on_frozen_test, fair_rows, load_registered
from reds_pipeline.storage.tables import CONTRIBUTED, CURATED, TEST_PICTURES, write_rows
from reds_pipeline.tracking import Tracking
from reds_pipeline.training import Trained, train, training_key
from reds_pipeline.training_set import ContributedPictures, TrainingSet
from reds_pipeline_tests.made_up_training import made_up_set, own_tracking

PARAMETERS = HeadParameters(C=1e-3)
GIVEN = 12

pytestmark = pytest.mark.req("R-IMP-6")


def given_to(data: TrainingSet, weight: float = 0.5) -> TrainingSet:
    """Return the set with photos that somebody gave; the last is a copy of a test picture."""
    tested = int(np.flatnonzero(data.held_out)[0])
    rows = [*range(GIVEN - 1), tested]
    return replace(
        data,
        contributed=ContributedPictures(
            keys=[
                hashlib.sha256(f"given {number}".encode()).hexdigest() for number in range(GIVEN)
            ],
            pictures=TrainingOnly(
                features=data.features[rows] + np.float32(0.01),
                labels=[data.labels[row] for row in rows],
                groups=[*(f"upload {row}" for row in rows[:-1]), data.groups[tested]],
                sample_weights=np.full(GIVEN, weight),
            ),
            origins=["suggested"] * GIVEN,
        ),
    )


@dataclass
class Logged:
    tracking: Tracking
    plain: TrainingSet
    data: TrainingSet
    grouped: Trained
    report: Trained


@pytest.fixture(scope="module")
def logged(mlflow_database: Path, tmp_path_factory: pytest.TempPathFactory) -> Logged:
    directory = tmp_path_factory.mktemp("trained")
    tracking = own_tracking(mlflow_database, directory)
    plain = made_up_set(directory)
    data = given_to(plain)
    grouped = train(tracking, data, "grouped", PARAMETERS)
    report = train(tracking, data, "report", PARAMETERS)
    return Logged(tracking, plain, data, grouped, report)


def test_the_run_says_what_else_it_learnt_from(logged: Logged) -> None:
    run = logged.tracking.client.get_run(logged.grouped.row["run_id"])
    assert run.data.params["contributed_pictures"] == str(GIVEN)
    assert run.data.params["contributed_suggested"] == str(GIVEN)
    assert run.data.params["contributed_weights"] == "0.5"
    assert f"{GIVEN - 1} contributed photos train besides" in run.data.tags["mlflow.note.content"]
    assert logged.grouped.row["n_contributed"] == GIVEN - 1


def test_every_contributed_photo_is_named_where_a_withdrawal_looks(logged: Logged) -> None:
    """Even the one that no head learnt from, because its group is in the test."""
    assert logged.data.contributed is not None
    split = logged.tracking.read_json(logged.grouped.row["run_id"], "split.json")
    assert set(split["contributed"]) == set(logged.data.contributed.keys)
    assert split["contributed"][logged.data.contributed.keys[-1]] == -1
    assert not set(split["contributed"]) & {*split["test"], *split["fold"]}


def test_nothing_is_said_of_a_contributed_photo(logged: Logged) -> None:
    assert {row["sha256"] for row in logged.grouped.predictions} == set(logged.data.keys)


def test_the_plain_shuffle_of_the_report_learns_from_posts_only(logged: Logged) -> None:
    run = logged.tracking.client.get_run(logged.report.row["run_id"])
    assert "contributed_pictures" not in run.data.params
    assert logged.report.row["n_contributed"] == 0
    plain, given = (
        training_key(data, "report", PARAMETERS) for data in (logged.plain, logged.data)
    )
    assert plain == given


def test_another_weight_is_another_training(logged: Logged) -> None:
    sets = (logged.plain, logged.data, given_to(logged.plain, weight=0.4))
    assert len({training_key(data, "grouped", PARAMETERS) for data in sets}) == 3


def test_who_learnt_a_copy_of_a_test_picture_is_not_tested_with_it(logged: Logged) -> None:
    version = logged.tracking.register(logged.grouped.row["run_id"], {})
    learnt = load_registered(logged.tracking, version).learnt
    assert logged.data.contributed is not None
    assert learnt is not None
    assert set(logged.data.contributed.keys[:-1]) <= learnt
    assert logged.data.contributed.keys[-1] not in learnt
    rows = [
        {"sha256": name, "group": group, "class_name": "cat", "kept": kept, "author_key": ""}
        for name, group, kept in (
            ("a", "upload 0", True),
            ("b", "another", True),
            ("c", "another", False),
            ("d", "of an old picture", True),
            ("old", "of an old picture", False),
        )
    ]
    contributed = [{"sha256": "given", "group": "upload 0", "class_name": "cat"}]
    frozen, known = {"a", "b", "c", "d", "given"}, frozenset({"given", "old"})
    fair = fair_rows(rows, contributed, frozen, known, {"cat"})
    assert [row["sha256"] for row in fair] == ["b"]


def test_a_photo_that_a_post_has_replaced_since_still_counts_as_learnt(
    logged: Logged, tmp_path: Path
) -> None:
    """The post came later, and its picture tests now; the champion knows the copy."""
    platform = Platform(load_settings(home=tmp_path))
    given = {"sha256": "given", "group": "its author", "class_name": "class0", "kept": False}
    posts = [
        {"sha256": name, "group": group, "class_name": logged.data.labels[0], "kept": True}
        for name, group in (("copy", "its author"), ("other", "another"))
    ]
    write_rows(platform.home.table("contributed_dataset"), [given], CONTRIBUTED)
    write_rows(platform.home.table("curated_dataset"), posts, CURATED)
    tested = [{"sha256": row["sha256"], "class_name": row["class_name"]} for row in posts]
    write_rows(platform.home.table("test_pictures"), tested, TEST_PICTURES)
    version = logged.tracking.register(logged.grouped.row["run_id"], {})
    champion = replace(load_registered(logged.tracking, version), learnt=frozenset({"given"}))
    challenger = replace(champion, learnt=frozenset())
    said = compare_on_frozen_test(platform, challenger, champion)
    assert "only 1 frozen test pictures are new to both" in str(said)
