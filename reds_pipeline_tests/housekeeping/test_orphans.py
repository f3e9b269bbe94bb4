"""Each kind of thing that no table names, and what is left alone."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from reds_pipeline.housekeeping import orphans
from reds_pipeline.housekeeping.chore import Chore
from reds_pipeline.housekeeping.encoders import encoders_in_use, unused
from reds_pipeline.imaging.resize import RESIZE_RULE, resize_rule
from reds_pipeline.storage.arrays import ArrayStore
from reds_pipeline.storage.home import Home
from reds_pipeline.storage.tables import EMBEDDING_RUNS, IMAGES, read_rows, write_rows
from reds_pipeline_tests.held_home import CLASSES, embeddings, fill, sha_of

STRANGER = "f" * 64


@pytest.fixture(scope="module")
def filled(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return fill(tmp_path_factory.mktemp("held") / "home").root


@pytest.fixture
def home(filled: Path, tmp_path: Path) -> Home:
    shutil.copytree(filled, tmp_path / "home")
    return Home(tmp_path / "home")


def aged(*paths: Path) -> None:
    """Make files look as if nobody had written them lately."""
    for path in paths:
        for each in (path, *path.rglob("*")):
            os.utime(each, (0, 0))


def found(home: Home, *forgotten: str) -> dict[str, Chore]:
    chores = orphans.chores(home, CLASSES, home.array_stores(), forgotten)
    return {chore.what: chore for chore in chores}


def tidied(home: Home) -> dict[str, int]:
    """Remove what is found, make sure that nothing is left, and return how many there were."""
    chores = found(home)
    for chore in chores.values():
        chore.remove()
    assert found(home) == {}
    return {what: chore.count for what, chore in chores.items()}


def files(home: Home) -> Iterator[Path]:
    return (path for path in sorted(home.root.rglob("*")) if path.is_file())


def test_a_home_in_order_has_no_orphans(home: Home) -> None:
    """Pictures that only work in progress names are none either."""
    write_rows(home.table("images", "cat"), [], IMAGES)
    write_rows(home.table("clean_images", "cat"), [], IMAGES)
    aged(home.root)
    before = {path: path.read_bytes() for path in files(home)}
    assert found(home) == {}
    home.table("curated_dataset").unlink()
    named = orphans.named_pictures(home)
    assert sha_of(1) in named, "the journal of a collection that was killed names it"
    before.pop(home.table("curated_dataset"))
    assert {path: path.read_bytes() for path in files(home)} == before, "nothing is changed"


def test_pictures_that_no_row_names_go_once_nobody_can_be_writing_their_row(home: Home) -> None:
    lost = home.images.path(home.images.put(b"a picture that no row names", "jpg"), "jpg")
    assert found(home) == {}
    aged(lost)
    assert tidied(home) == {"pictures that no table names": 1}
    assert not lost.exists()
    assert len(list(home.images.files())) == 5


def test_a_picture_that_is_stored_again_in_that_moment_stays(home: Home) -> None:
    """Its bytes are there already, so that whoever stores it writes nothing but its time."""
    data = b"a picture that no row names yet"
    lost = home.images.path(home.images.put(data, "jpg"), "jpg")
    aged(lost)
    [chore] = found(home).values()
    home.images.put(data, "jpg")
    chore.remove()
    assert lost.read_bytes() == data


def test_numbers_of_pictures_that_no_row_names_go(home: Home) -> None:
    embeddings(home).append([STRANGER], np.ones((1, 4), np.float32))
    home.tensors("rule").append([STRANGER], np.zeros((1, 224, 224, 3), np.uint8))
    assert found(home) == {}, "what was written a moment ago may be entered in the next one"
    aged(home.embeddings, home.root / "tensors")
    assert tidied(home) == {"rows of embeddings encoder": 1, "rows of tensors rule": 1}
    assert embeddings(home).missing([sha_of(1), STRANGER]) == [STRANGER]


def test_shards_without_an_index_go(home: Home) -> None:
    unindexed = home.root / "tensors" / "rule" / "0123.npy"
    shutil.copy(next(unindexed.parent.glob("*.npy")), unindexed)
    assert found(home) == {}
    aged(unindexed)
    assert tidied(home) == {"shards of tensors rule": 1}


@pytest.mark.parametrize(
    "place",
    [
        "tables/posts/.writing-abc.parquet",
        "images/ab/cd/.writing-abc.jpg",
        "embeddings/encoder/.writing-abc.npy",
        "engines/encoder/tmpabc/network.xml",
        ".writing-abc-mlflow.sqlite",
    ],
)
def test_what_a_kill_left_half_written_goes(home: Home, place: str) -> None:
    path = home.root / place
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(b"half")
    assert found(home) == {}
    aged(path.parent if "tmp" in place else path)
    assert tidied(home) == {"half-written files": 1}
    assert not path.exists()


def test_drawings_of_classes_that_left_go(home: Home) -> None:
    kept = home.figures / "kept"
    kept.mkdir()
    drawings = [kept / f"{name}.0123.png" for name in ("kinds_of_cat", "kinds_of_tram", "graph")]
    for path in drawings:
        path.write_bytes(b"drawing")
    aged(home.figures)
    assert tidied(home) == {"figures of classes that left": 1}
    assert [path.exists() for path in drawings] == [True, False, True]


def test_pictures_that_only_a_forgotten_class_has_are_orphans(home: Home) -> None:
    aged(home.root)
    shutil.rmtree(home.root / "journals")
    for name in ("curated_dataset", "contributed_images"):
        home.table(name).unlink(missing_ok=True)
    in_cat = {row["sha256"] for row in read_rows(home.table("images", "cat"))}
    in_sea = {row["sha256"] for row in read_rows(home.table("images", "sea shore"))}
    chore = found(home, "cat")["pictures that no table names"]
    assert chore.count == len(in_cat - in_sea) > 0


@pytest.mark.parametrize("loss", ["lost", "damaged"])
def test_where_the_tables_cannot_be_read_no_picture_is_an_orphan(home: Home, loss: str) -> None:
    aged(home.root)
    shutil.rmtree(home.root / "journals")
    if loss == "lost":
        shutil.rmtree(home.root / "tables")
    else:
        home.table("images", "cat").write_bytes(b"not a table")
    [chore] = found(home).values()
    assert chore.left_alone
    assert chore.count == 0


def test_only_encoders_that_somebody_uses_keep_their_directories(home: Home) -> None:
    """A store stays for a configured backbone, whatever engine made it, or for a version."""
    used, of_model, old = "vit-new-1", "vgg-kept-2", "vit-old-1"
    run = {"encoder_id": used, "embeddings_id": f"{used}-onnx", "input_size": 448}
    write_rows(home.table("embedding_runs", "vit"), [run], EMBEDDING_RUNS)
    shutil.rmtree(home.embeddings)
    stores = [used, f"{used}-onnx-int8", of_model, old, f"{old}-onnx"]
    for name in stores:
        store = ArrayStore(home.embeddings / name, (4,), "float32")
        store.append([sha_of(1)], np.ones((1, 4), np.float32))
    for name in (used, old):
        (home.engines / name).mkdir(parents=True)
        (home.engines / name / "network.onnx").write_bytes(b"network")
    for rule in (RESIZE_RULE, resize_rule(448), resize_rule(336)):
        (home.root / "tensors" / rule).mkdir(exist_ok=True)
    shutil.rmtree(home.root / "tensors" / "rule")
    assert encoders_in_use(home, ["vit"]) == {used}
    assert unused(home, ["vit"], [of_model]) == {}, "somebody may be at work on what is new"
    aged(home.root)
    found = unused(home, ["vit"], [of_model])
    assert {what: [path.name for path in paths] for what, paths in found.items()} == {
        "stores of embeddings": [old, f"{old}-onnx"],
        "converted networks": [old],
        "squares": [resize_rule(336)],
    }
    assert unused(home, ["none"], []) == {}, "nobody knows what is in use"
