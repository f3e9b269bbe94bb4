"""A reviewer's decisions reach the data set, its card, its exports and the model."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from reds_pipeline.demo.instance import EmbeddedInstance
from reds_pipeline.demo.town.town import Town
from reds_pipeline.storage.home import Home
from reds_pipeline.storage.tables import read_rows
from reds_pipeline_tests.end_to_end.conftest import Install, Reds

Row = dict[str, Any]


@dataclass(frozen=True)
class Reviewed:
    """A home before and after a review.

    Attributes:
        reds: The command on it.
        before: What the run before said.
        after: What the retraining said.
        discarded: A cat that was thrown out.
        moved: A cat that is a dog.
        rescued: A cat that a gate had dropped.
        said: What the retraining printed for people.
    """

    reds: Reds
    before: Row
    after: Row
    discarded: Row
    moved: Row
    rescued: Row
    said: str

    def verdict(self, picture: Row) -> Row:
        [row] = [
            row
            for row in read_rows(Home(self.reds.home).table("curated_dataset"))
            if row["sha256"] == picture["sha256"] and row["drop_reason"] != "exact_duplicate"
        ]
        return row


@pytest.fixture(scope="module")
def reviewed(tmp_path_factory: pytest.TempPathFactory, install: Install) -> Iterator[Reviewed]:
    with EmbeddedInstance(Town.build(images_per_class=16)) as instance:
        reds = install(
            tmp_path_factory.mktemp("review") / "home", instance, REDS_CLASSES="cat,dog,flower"
        )
        before = reds.json("run")
        cats = [
            row
            for row in read_rows(Home(reds.home).table("curated_dataset"))
            if row["collected_as"] == "cat"
        ]
        discarded, moved = [row for row in cats if row["kept"]][:2]
        rescued = next(row for row in cats if row["drop_reason"] == "greyscale")
        file = reds.home.parent / "decisions.csv"
        file.write_text(
            "sha256,verdict,label\n"
            f"{discarded['sha256']},discard,\n"
            f"{moved['sha256']},label,dog\n"
            f"{rescued['sha256']},keep,cat\n",
            encoding="utf-8",
        )
        said = reds("review", "--import", str(file)).stderr
        assert said.startswith("Recorded 3 decisions")
        requested = len(instance.requests)
        result = reds("retrain", "--json")
        pictures = [
            record for record in list(instance.requests)[requested:] if "/storage/" in record.path
        ]
        assert not pictures, "nothing is collected by a retraining"
        yield Reviewed(
            reds, before, json.loads(result.stdout), discarded, moved, rescued, result.stderr
        )


@pytest.mark.req("R-SCR-8")
def test_what_a_reviewer_says_is_what_is_learnt(reviewed: Reviewed) -> None:
    assert reviewed.verdict(reviewed.discarded)["drop_reason"] == "reviewed_out"
    moved = reviewed.verdict(reviewed.moved)
    assert (moved["kept"], moved["class_name"], moved["collected_as"]) == (True, "dog", "cat")
    rescued = reviewed.verdict(reviewed.rescued)
    assert (rescued["kept"], rescued["decision"]) == (True, "keep")
    assert "greyscale" in rescued["flags"], "the gate's opinion is kept beside the person's"
    stored = Home(reviewed.reds.home).images
    assert stored.path(reviewed.discarded["sha256"], reviewed.discarded["extension"]).exists(), (
        "a review deletes nothing"
    )


def test_the_funnel_follows_and_still_adds_up(reviewed: Reviewed) -> None:
    before, after = reviewed.before["funnel"], reviewed.after["funnel"]
    assert after["cat"]["dropped"]["reviewed_out"] == 1
    assert after["cat"]["dropped"]["relabelled"] == 1
    assert after["cat"]["kept"] == before["cat"]["kept"] - 2 + 1
    assert after["dog"]["kept"] == before["dog"]["kept"] + 1
    for counts in after.values():
        assert counts["seen"] == counts["kept"] + sum(counts["dropped"].values())


def test_the_models_are_trained_on_the_reviewed_data_set(reviewed: Reviewed) -> None:
    trained = {model["n_train"] + model["n_test"] for model in reviewed.after["models"]}
    assert trained == {sum(counts["kept"] for counts in reviewed.after["funnel"].values())}
    assert "2 models trained" in reviewed.said
    again = reviewed.reds("retrain")
    assert "Nothing was new" in again.stderr


def test_decisions_leave_as_a_file_that_says_the_same(reviewed: Reviewed, tmp_path: Path) -> None:
    file = tmp_path / "decisions.csv"
    reviewed.reds("review", "--export", str(file))
    again = reviewed.reds("review", "--import", str(file))
    assert again.stderr.startswith("Recorded 0 decisions; 3 were known already")
    refused = reviewed.reds("review", "--export", str(tmp_path / "decisions.txt"), expect=1)
    assert "does not say in which form" in refused.stderr


def test_the_card_tells_of_the_review(reviewed: Reviewed) -> None:
    card = reviewed.reds("card").stdout
    for name, counts in reviewed.after["funnel"].items():
        assert name in card
        assert str(counts["kept"]) in card
    assert "reviewed_out" in card or "reviewed out" in card
    described = json.loads(reviewed.reds("card", "--croissant").stdout)
    assert described["@type"] == "sc:Dataset"


def test_an_export_that_holds_a_withdrawn_picture_is_named(
    reviewed: Reviewed, tmp_path: Path
) -> None:
    """An export has left our reach, so whoever made it is told what to delete in it."""
    directory = tmp_path / "shared"
    report = reviewed.reds.json("export", str(directory), "--licences", "all")
    kept = sum(counts["kept"] for counts in reviewed.after["funnel"].values())
    assert report["pictures"] == kept
    sha256 = reviewed.moved["sha256"]
    assert list(directory.rglob(f"*{sha256}*"))
    withdrawn = reviewed.reds("withdraw", "--image", sha256)
    assert "shared (image_folder" in withdrawn.stdout
    assert reviewed.reds.json("export", str(directory), "--check") == [sha256]
    listed = reviewed.reds.json("status")["exports"]
    assert [(each["directory"], each["withdrawn"]) for each in listed] == [("shared", 1)]
    refused = reviewed.reds("export", str(directory), "--deleted", expect=1)
    assert "still holds the export" in refused.stderr
    shutil.rmtree(directory)
    reviewed.reds("export", str(directory), "--deleted")
    assert reviewed.reds.json("status")["exports"] == []
    home = reviewed.reds.home
    for place in (home / "tables", home / "card", home / "figures"):
        assert not [path for path in place.rglob("*") if _mentions(path, sha256)]


def _mentions(path: Path, text: str) -> bool:
    if path.suffix == ".parquet":
        return text in str(read_rows(path))
    return path.is_file() and text.encode() in path.read_bytes()
