from __future__ import annotations

import os
import resource
import sqlite3
import threading
from contextlib import closing
from pathlib import Path

import pytest

from reds_pipeline.backup.archive import ArchiveReader
from reds_pipeline.backup.databases import copy_database
from reds_pipeline.backup.make import check_backup, make_backup
from reds_pipeline.backup.places import LEFT_OUT, PLACES
from reds_pipeline.backup.remembered import remembered_backups
from reds_pipeline.errors import RedsError
from reds_pipeline.resources import Platform
from reds_pipeline.settings import load_settings
from reds_pipeline.storage.ledger import Ledger
from reds_pipeline_tests.backup.conftest import Saved


def names_in(file: Path) -> set[str]:
    with ArchiveReader(file) as reader:
        return set(reader.manifest.files)


@pytest.mark.req("R-IMP-8")
def test_everything_that_nobody_could_make_again_is_in_it(saved: Saved) -> None:
    home = saved.platform.home
    there = {
        path.relative_to(home.root).as_posix()
        for path in home.root.rglob("*")
        if path.is_file() and not path.name.endswith(("-wal", "-shm"))
    }
    left_out = {name for name in there if name.partition("/")[0] in LEFT_OUT}
    assert any(name.startswith("tensors/") for name in left_out)
    assert names_in(saved.file) == there - left_out
    assert f"contributions/{saved.given.id}/contribution.json" in there


def test_every_place_of_a_home_is_backed_up_or_left_out_for_a_reason(saved: Saved) -> None:
    for path in saved.platform.home.root.iterdir():
        assert path.name.removesuffix("-wal").removesuffix("-shm") in PLACES | LEFT_OUT.keys()
    assert PLACES.isdisjoint(LEFT_OUT)


def test_it_says_what_it_is(saved: Saved) -> None:
    facts = check_backup(saved.file).as_dict()
    pictures = sum(1 for _ in saved.platform.home.images.files())
    assert (facts["pictures"], facts["given_photos"], facts["has_key"]) == (pictures, 1, True)
    assert facts["not_in_it"] == []
    assert facts["bytes"] == saved.file.stat().st_size
    [known] = remembered_backups(saved.platform.ledger)
    assert (known.file, known.is_outdated) == ("saved.tar", False)
    assert str(saved.file.parent) not in repr(saved.platform.ledger.events("backup"))


def test_without_pictures_it_holds_none(platform: Platform, tmp_path: Path) -> None:
    make_backup(platform, tmp_path / "small.tar", pictures=False)
    names = names_in(tmp_path / "small.tar")
    assert not any(name.startswith(("images/", "contributions/")) for name in names)
    assert any(name.startswith("embeddings/") for name in names)


def test_databases_are_whole_while_others_write(platform: Platform, tmp_path: Path) -> None:
    """The newest events stand in the log beside the file, which a plain copy would miss."""
    ledger = platform.ledger
    stop = threading.Event()
    written: list[int] = []

    def write() -> None:
        own = Ledger(platform.home.default_ledger_url)
        while not stop.is_set():
            own.append("test", str(len(written)), {"text": "x" * 1000})
            written.append(1)
        own.close()

    writer = threading.Thread(target=write)
    writer.start()
    try:
        while len(written) < 10:
            pass
        before = len(ledger.events("test"))
        make_backup(platform, tmp_path / "saved.tar")
        after = len(ledger.events("test"))
    finally:
        stop.set()
        writer.join()
    (tmp_path / "out").mkdir()
    with ArchiveReader(tmp_path / "saved.tar") as reader:
        reader.extract(tmp_path / "out")
    with closing(sqlite3.connect(tmp_path / "out" / "ledger.sqlite")) as copy:
        assert copy.execute("PRAGMA integrity_check").fetchone() == ("ok",)
        subjects = [
            int(subject)
            for (subject,) in copy.execute("SELECT subject FROM events WHERE kind = 'test'")
        ]
    assert before <= len(subjects) <= after
    assert subjects == list(range(len(subjects))), "and none in between is missing"


def test_a_file_that_goes_meanwhile_does_not_stop_it(
    platform: Platform, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A picture that is withdrawn between the listing and the reading."""
    [*_, gone] = sorted(platform.home.images.files())
    walk = os.walk

    def walk_and_lose(top: Path) -> object:
        for found in walk(top):
            yield found
            gone.unlink(missing_ok=True)

    monkeypatch.setattr(os, "walk", walk_and_lose)
    make_backup(platform, tmp_path / "saved.tar")
    assert gone.relative_to(platform.home.root).as_posix() not in names_in(tmp_path / "saved.tar")


def test_a_damaged_database_is_named(platform: Platform, tmp_path: Path) -> None:
    database = platform.home.root / "mlflow.sqlite"
    data = bytearray(database.read_bytes())
    data[4096 : 4096 * 40] = b"\xff" * (4096 * 39)
    database.write_bytes(data)
    with pytest.raises(RedsError, match=r"mlflow.sqlite cannot be copied"):
        make_backup(platform, tmp_path / "saved.tar")


def test_one_that_fails_leaves_nothing_behind_and_is_not_remembered(
    platform: Platform, tmp_path: Path
) -> None:
    (platform.home.root / "images" / "linked").symlink_to(tmp_path)
    with pytest.raises(RedsError, match="is a link to another directory"):
        make_backup(platform, tmp_path / "saved.tar")
    assert [path.name for path in tmp_path.iterdir()] == ["home"]
    assert remembered_backups(platform.ledger) == []


def test_what_a_killed_one_left_goes_with_the_next(platform: Platform, tmp_path: Path) -> None:
    left = tmp_path / ".writing-saved.tar-abcdef_1"
    of_another_home = tmp_path / ".writing-saved.tar-2-abcdef_1"
    for each in (left, of_another_home):
        each.mkdir()
        (each / "backup").write_bytes(b"a picture that somebody may take back")
    make_backup(platform, tmp_path / "saved.tar")
    assert not left.exists()
    assert of_another_home.exists()


def test_nothing_is_overwritten_and_no_home_holds_its_own_backup(saved: Saved) -> None:
    home, before = saved.platform.home, saved.file.read_bytes()
    with pytest.raises(RedsError, match="is there already and is not overwritten"):
        make_backup(saved.platform, saved.file)
    assert saved.file.read_bytes() == before
    with pytest.raises(RedsError, match="inside the home"):
        make_backup(saved.platform, home.root / "tables" / "saved.tar")
    with pytest.raises(RedsError, match="is no directory"):
        make_backup(saved.platform, home.root.parent / "absent" / "saved.tar")


def test_a_home_without_its_key_or_without_anything_is_refused(
    platform: Platform, tmp_path: Path
) -> None:
    (platform.home.root / "pseudonym.key").unlink()
    with pytest.raises(RedsError, match="is gone, without which"):
        make_backup(platform, tmp_path / "saved.tar")
    empty = Platform(load_settings(home=tmp_path / "empty"))
    with pytest.raises(RedsError, match="holds nothing to back up"):
        make_backup(empty, tmp_path / "saved.tar")


def test_it_does_not_pretend_to_hold_what_lies_elsewhere(
    platform: Platform, tmp_path: Path
) -> None:
    elsewhere = tmp_path / "elsewhere"
    (elsewhere / "dagster").mkdir(parents=True)
    (elsewhere / "dagster" / "dagster.yaml").write_text("storage:\n  postgres: {}\n")
    settings = load_settings(
        home=platform.home.root,
        ledger_url=f"sqlite:///{elsewhere / 'ledger.sqlite'}",
        tracking_uri="postgresql://reds:secret@db/mlflow",
        dagster_home=elsewhere / "dagster",
    )
    notes = " ".join(make_backup(Platform(settings), tmp_path / "saved.tar").manifest.notes)
    assert "ledger is not in it" in notes
    assert "MLflow is postgresql://reds:***@db/mlflow; copy it with pg_dump" in notes
    assert "Dagster's history is not in it" in notes
    assert "secret" not in notes
    names = names_in(tmp_path / "saved.tar")
    assert "ledger.sqlite" not in names
    assert "dagster/dagster.yaml" in names, "what is a file of Dagster's goes in from anywhere"


def test_a_copy_without_room_is_not_taken_for_a_damaged_database(tmp_path: Path) -> None:
    source = tmp_path / "source.sqlite"
    with closing(sqlite3.connect(source)) as database, database:
        database.execute("CREATE TABLE said (words TEXT)")
        database.execute("INSERT INTO said VALUES (?)", ("x" * 100_000,))
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, before[1]))
    try:
        with pytest.raises(OSError, match="No space left") as raised:
            copy_database(source, tmp_path / "copy")
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    assert raised.value.filename == str(tmp_path / "copy")
