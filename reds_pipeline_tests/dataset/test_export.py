from __future__ import annotations

import hashlib
import json
import multiprocessing
import os
import resource
import signal
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pytest

from reds_pipeline.dataset.export import (
    FORMATS,
    ExportReport,
    ExportRequest,
    export_dataset,
    withdrawn_from,
)
from reds_pipeline.dataset.remembered import exports_holding, forget_deleted, remembered_exports
from reds_pipeline.errors import RedsError
from reds_pipeline.storage.home import Home
from reds_pipeline.storage.images import ImageStore
from reds_pipeline.storage.tables import CURATED, read_rows, write_rows
from reds_pipeline_tests.dataset.dataset_home import facts_of, make_dataset_home


@pytest.fixture
def own(tmp_path: Path) -> Home:
    return make_dataset_home(tmp_path / "home")


@pytest.mark.parametrize("name", FORMATS)
def test_the_list_of_files_is_complete_and_true(
    exports: dict[str, ExportReport], name: str
) -> None:
    directory = exports[name].directory
    manifest = json.loads((directory / "manifest.json").read_text(encoding="utf-8"))
    there = {
        path.relative_to(directory).as_posix(): path
        for path in directory.rglob("*")
        if path.is_file() and path.name != "manifest.json"
    }
    assert set(manifest["files"]) == set(there)
    assert {"README.md", "croissant.json"} < set(there)
    for path, entry in manifest["files"].items():
        data = there[path].read_bytes()
        assert entry == {"sha256": hashlib.sha256(data).hexdigest(), "bytes": len(data)}
    assert exports[name].total_bytes == sum(entry["bytes"] for entry in manifest["files"].values())
    assert len(manifest["pictures"]) == exports[name].pictures == 48
    assert manifest["export_id"] in (directory / "README.md").read_text(encoding="utf-8")


def test_the_default_takes_open_licences_and_says_what_that_means(
    own: Home, tmp_path: Path
) -> None:
    report = export_dataset(own, facts_of(own), ExportRequest(tmp_path / "out"))
    assert (report.pictures, report.left_out) == (36, {"licence": 12})
    assert report.by_class == {"cat": 12, "dog": 12, "sea shore": 12}
    assert any("do not publish" in note for note in report.notes)
    assert any("12 pictures were left out" in note for note in report.notes)
    card = (report.directory / "README.md").read_text(encoding="utf-8")
    assert "\n36 of the 48 pictures of 3 classes" in card, "what is in this export comes first"


def test_an_export_is_remembered(own: Home, tmp_path: Path) -> None:
    report = export_dataset(own, facts_of(own), ExportRequest(tmp_path / "out", "parquet", "free"))
    (remembered,) = remembered_exports(own)
    assert remembered.export_id == report.export_id
    assert (remembered.format, remembered.sharing, remembered.directory) == (
        "parquet",
        "free",
        "out",
    )
    manifest = json.loads((tmp_path / "out" / "manifest.json").read_text(encoding="utf-8"))
    assert remembered.sha256s == set(manifest["pictures"])
    assert str(tmp_path) not in repr(remembered)


def test_an_empty_directory_may_be_there_already(own: Home, tmp_path: Path) -> None:
    (tmp_path / "out").mkdir()
    export_dataset(own, facts_of(own), ExportRequest(tmp_path / "out"))
    assert (tmp_path / "out" / "manifest.json").exists()
    assert [path.name for path in tmp_path.iterdir() if path.name.startswith(".")] == []


@pytest.mark.parametrize("kind", ["directory with a file", "file"])
def test_nothing_is_written_over(own: Home, tmp_path: Path, kind: str) -> None:
    target = tmp_path / "out"
    precious = target if kind == "file" else target / "precious"
    precious.parent.mkdir(exist_ok=True)
    precious.write_text("mine")
    with pytest.raises(RedsError, match="is not empty"):
        export_dataset(own, facts_of(own), ExportRequest(target))
    assert precious.read_text() == "mine"
    assert remembered_exports(own) == []


def test_an_export_inside_the_home_is_refused(own: Home) -> None:
    with pytest.raises(RedsError, match="inside REDS_HOME"):
        export_dataset(own, facts_of(own), ExportRequest(own.root / "figures" / "out"))


def test_nothing_of_that_licence_is_an_error_with_a_way_out(own: Home, tmp_path: Path) -> None:
    table = own.table("curated_dataset")
    rows = read_rows(table, CURATED)
    # The first of four pictures is free; these have conditions.
    write_rows(table, [rows[number] for number in range(48) if number % 4 in {1, 3}], CURATED)
    with pytest.raises(RedsError, match=r"licences of all 24 pictures.*--licences"):
        export_dataset(own, facts_of(own), ExportRequest(tmp_path / "out", sharing="free"))
    assert not (tmp_path / "out").exists()


def test_facts_of_another_data_set_are_refused(own: Home, tmp_path: Path) -> None:
    """Its card would count other pictures than it lies beside."""
    facts = facts_of(own)
    table = own.table("curated_dataset")
    write_rows(table, read_rows(table, CURATED)[1:], CURATED)
    with pytest.raises(RedsError, match="changed while"):
        export_dataset(own, facts, ExportRequest(tmp_path / "out"))


class EventfulStore(ImageStore):
    """A store of pictures in which something happens when one of them is looked up again.

    Args:
        store: The store to stand for.
        then: What happens, given where the picture lies.
        time: At which look-up of one and the same picture it happens, 1 for the first.
    """

    def __init__(self, store: ImageStore, then: Callable[[Path], None], time: int) -> None:
        super().__init__(store.root)
        self._then = then
        self._time = time
        self._seen: Counter[str] = Counter()

    def path(self, sha256: str, extension: str) -> Path:
        path = super().path(sha256, extension)
        self._seen[sha256] += 1
        if self._seen[sha256] == self._time:
            self._time = 0
            self._then(path)
        return path


@pytest.mark.parametrize("time", [2, 3], ids=["before it is copied", "after it was copied"])
def test_a_picture_withdrawn_while_it_is_exported_is_in_no_export(
    own: Home, tmp_path: Path, time: int
) -> None:
    facts = facts_of(own)
    own.images = EventfulStore(own.images, Path.unlink, time)
    with pytest.raises(RedsError, match="perhaps by a withdrawal"):
        export_dataset(own, facts, ExportRequest(tmp_path / "out"))
    assert sorted(path.name for path in tmp_path.iterdir()) == ["home"]
    assert remembered_exports(own) == []


def test_a_disk_that_takes_no_more_leaves_nothing_and_says_so(own: Home, tmp_path: Path) -> None:
    facts = facts_of(own)
    allowed = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, allowed[1]))
    try:
        with pytest.raises(RedsError, match=r"could not be written.*File too large.*make room"):
            export_dataset(own, facts, ExportRequest(tmp_path / "out", "parquet"))
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, allowed)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["home"]
    assert remembered_exports(own) == []


def export_and_die(root: Path, target: Path) -> None:
    """Export, and be killed when the first picture is about to be copied."""
    home = Home(root)
    facts = facts_of(home)
    home.images = EventfulStore(home.images, lambda _path: os.kill(os.getpid(), signal.SIGKILL), 2)
    export_dataset(home, facts, ExportRequest(target))


def test_what_a_kill_leaves_is_hidden_and_goes_with_the_next_export(
    own: Home, tmp_path: Path
) -> None:
    target = tmp_path / "out"
    process = multiprocessing.get_context("spawn").Process(
        target=export_and_die, args=(own.root, target)
    )
    process.start()
    process.join(300)
    assert process.exitcode == -signal.SIGKILL
    assert not target.exists()
    assert len([path for path in tmp_path.iterdir() if path.name.startswith(".writing-out-")]) == 1
    (unfinished,) = remembered_exports(own)
    assert len(unfinished.sha256s) == 36, "a withdrawal has to know of the copies"
    export_dataset(own, facts_of(own), ExportRequest(target))
    assert sorted(path.name for path in tmp_path.iterdir()) == ["home", "out"]
    (finished,) = remembered_exports(own)
    assert finished.export_id != unfinished.export_id


def test_what_a_kill_leaves_goes_when_the_export_is_noted_as_deleted(
    own: Home, tmp_path: Path
) -> None:
    target = tmp_path / "out"
    process = multiprocessing.get_context("spawn").Process(
        target=export_and_die, args=(own.root, target)
    )
    process.start()
    process.join(300)
    forget_deleted(own, target)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["home"]
    assert remembered_exports(own) == []


def test_an_export_can_be_asked_what_was_withdrawn_since(own: Home, tmp_path: Path) -> None:
    target = tmp_path / "out"
    export_dataset(own, facts_of(own), ExportRequest(target, "webdataset", "all"))
    rows = read_rows(own.table("curated_dataset"), CURATED)
    gone, back_again = rows[3]["sha256"], rows[4]["sha256"]
    erased = {gone, back_again, "f" * 64}.__contains__
    assert withdrawn_from(target, own, erased) == []
    write_rows(own.table("curated_dataset"), [*rows[:3], *rows[4:]], CURATED)
    assert withdrawn_from(target, own, erased) == [gone]
    assert [one.directory for one in exports_holding(own, [gone])] == ["out"]
    write_rows(own.table("curated_dataset"), [], CURATED)
    assert withdrawn_from(target, own, erased) == sorted((gone, back_again)), "also the last ones"


@pytest.mark.parametrize("manifest", [None, "", "[]", "{}"])
def test_what_is_no_export_cannot_be_asked(
    home: Home, tmp_path: Path, manifest: str | None
) -> None:
    if manifest is not None:
        (tmp_path / "manifest.json").write_text(manifest)
    with pytest.raises(RedsError, match="holds no export"):
        withdrawn_from(tmp_path, home, lambda _sha256: False)
