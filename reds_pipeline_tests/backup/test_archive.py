from __future__ import annotations

import io
import json
import stat
import tarfile
import tempfile
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reds_pipeline.backup.archive import ArchiveReader, ArchiveWriter
from reds_pipeline.backup.manifest import FORMAT, MEMBER, Manifest
from reds_pipeline.errors import RedsError

TABLE = "tables/posts/cat.parquet"
TEXT = "reds.toml"
FILES = {TABLE: bytes(range(256)) * 40, TEXT: b"seed = 42\n" * 100, "images/ab/cd/x.jpg": b""}


def manifest(archive: ArchiveWriter) -> Manifest:
    return Manifest("id", "2026-11-21T10:00:00Z", "1", {}, True, (), archive.files)


def write(path: Path, files: dict[str, bytes]) -> Path:
    with ArchiveWriter(path) as archive, tempfile.TemporaryDirectory() as directory:
        for name, content in files.items():
            source = Path(directory) / "file"
            source.write_bytes(content)
            with source.open("rb") as opened:
                archive.add(name, opened)
        archive.finish(manifest(archive))
    return path


@pytest.fixture
def backup(tmp_path: Path) -> Path:
    return write(tmp_path / "saved.tar", FILES)


def extracted(path: Path, directory: Path) -> dict[str, bytes]:
    directory.mkdir()
    with ArchiveReader(path) as reader:
        reader.extract(directory)
    return {
        file.relative_to(directory).as_posix(): file.read_bytes()
        for file in directory.rglob("*")
        if file.is_file()
    }


Change = Callable[[tarfile.TarInfo, bytes], tuple[tarfile.TarInfo, bytes] | None]


def changed(path: Path, change: Change, *added: tuple[tarfile.TarInfo, bytes]) -> Path:
    """Write a backup anew with its members changed, as somebody with an editor would."""
    target = path.with_name("changed.tar")
    with tarfile.TarFile(path) as source, tarfile.TarFile(target, "w") as written:
        for member in source:
            content = source.extractfile(member)
            assert content is not None
            result = change(member, content.read())
            if result is not None:
                header, data = result
                header.size = len(data)
                written.addfile(header, io.BytesIO(data))
        for header, data in added:
            written.addfile(header, io.BytesIO(data))
    return target


def with_manifest(path: Path, edit: Callable[[dict[str, object]], None]) -> Path:
    def change(member: tarfile.TarInfo, content: bytes) -> tuple[tarfile.TarInfo, bytes]:
        if member.name != MEMBER:
            return member, content
        values = json.loads(content)
        edit(values)
        return member, json.dumps(values).encode()

    return changed(path, change)


def refused(path: Path) -> str:
    with pytest.raises(RedsError) as refusal, ArchiveReader(path) as reader:
        reader.check()
    return str(refusal.value)


@given(
    st.dictionaries(
        st.sampled_from(["tables/a.parquet", "reds.toml", "journals/b.jsonl", "images/c.jpg"]),
        st.binary(max_size=3000),
    )
)
def test_what_went_in_comes_out(files: dict[str, bytes]) -> None:
    with tempfile.TemporaryDirectory() as directory:
        path = write(Path(directory) / "saved.tar", files)
        assert extracted(path, Path(directory) / "out") == files


def test_nobody_but_its_owner_can_read_it(backup: Path, tmp_path: Path) -> None:
    assert stat.S_IMODE(backup.stat().st_mode) == 0o600
    extracted(backup, tmp_path / "out")
    assert stat.S_IMODE((tmp_path / "out" / TEXT).stat().st_mode) == 0o600


def test_text_is_packed_and_what_is_packed_already_is_not(backup: Path) -> None:
    with tarfile.TarFile(backup) as archive:
        sizes = {member.name: member.size for member in archive}
    assert sizes[f"home/{TABLE}"] == len(FILES[TABLE])
    assert sizes[f"home/{TEXT}.gz"] < len(FILES[TEXT]) / 5


def test_a_file_that_grows_while_it_is_read_is_in_it_as_it_was_read(tmp_path: Path) -> None:
    growing = tmp_path / "growing.jsonl"
    growing.write_bytes(b"x" * 100)
    with ArchiveWriter(tmp_path / "saved.tar") as archive, growing.open("rb") as source:
        with growing.open("ab") as other:
            other.write(b"y" * 100)
        archive.add("journals/growing.jsonl", source)
        archive.finish(manifest(archive))
    assert len(extracted(tmp_path / "saved.tar", tmp_path / "out")["journals/growing.jsonl"]) == 200


def test_one_cut_short_anywhere_is_refused(backup: Path) -> None:
    whole = backup.read_bytes()
    cut = backup.with_name("cut.tar")
    with tarfile.TarFile(backup) as archive:
        end = archive.getmember(MEMBER)
    last = end.offset_data + end.size
    for length in {0, 1, 511, 512, 513, 4096, end.offset, end.offset_data, last // 2, last - 1}:
        cut.write_bytes(whole[:length])
        assert "another copy" in refused(cut), length


def test_one_changed_byte_is_found(backup: Path) -> None:
    with tarfile.TarFile(backup) as archive:
        places = [member.offset_data for member in archive if member.size]
    for place in places:
        data = bytearray(backup.read_bytes())
        data[place] ^= 1
        damaged = backup.with_name("damaged.tar")
        damaged.write_bytes(data)
        assert "another copy" in refused(damaged)


@pytest.mark.parametrize(
    "name",
    ["home/../../escaped", "home/tables/../../x", "/etc/passwd", "home/.ssh/keys", "home/\\x"],
)
def test_no_file_lands_anywhere_else(backup: Path, name: str) -> None:
    """Neither a member of that name nor one that the list of contents names so."""
    foreign = changed(backup, lambda *same: same, (tarfile.TarInfo(name), b""))
    assert "knows nothing" in refused(foreign)
    target = name.removeprefix("home/")

    def rename(values: dict[str, object]) -> None:
        files = values["files"]
        assert isinstance(files, dict)
        files[target] = files.pop(TABLE)

    assert "no file of a home" in refused(with_manifest(backup, rename))


@pytest.mark.parametrize("kind", [tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.FIFOTYPE])
def test_links_and_devices_are_refused(backup: Path, kind: bytes) -> None:
    link = tarfile.TarInfo("home/tables/link.parquet")
    link.type, link.linkname = kind, "/etc/passwd"
    assert "is a link, no plain file" in refused(changed(backup, lambda *same: same, (link, b"")))


def test_a_name_that_is_there_twice_is_refused(backup: Path) -> None:
    twice = changed(backup, lambda *same: same, (tarfile.TarInfo(f"home/{TABLE}"), b""))
    assert "there twice" in refused(twice)


def test_a_file_that_is_missing_is_named(backup: Path) -> None:
    lacking = changed(backup, lambda *each: None if TABLE in each[0].name else each)
    assert f"lacks 'home/{TABLE}'" in refused(lacking)


def test_a_newer_format_asks_for_a_newer_program(backup: Path) -> None:
    newer = with_manifest(backup, lambda values: values.update(format=FORMAT + 1, reds="9.9"))
    assert "a newer REDS (9.9)" in refused(newer)


@pytest.mark.parametrize("wrong", [{}, {"format": "x"}, {"format": 1}, {"format": 1, "files": []}])
def test_a_senseless_list_of_contents_is_one_sentence(
    backup: Path, wrong: dict[str, object]
) -> None:
    def edit(values: dict[str, object]) -> None:
        values.clear()
        values.update(wrong)

    assert "list of contents" in refused(with_manifest(backup, edit))


def test_a_file_that_unpacks_to_more_than_was_announced_is_not_unpacked(
    backup: Path, tmp_path: Path
) -> None:
    def edit(values: dict[str, object]) -> None:
        files = values["files"]
        assert isinstance(files, dict)
        files[TEXT]["size"] = 10

    with pytest.raises(RedsError, match="is not what it was"):
        extracted(with_manifest(backup, edit), tmp_path / "out")
    assert (tmp_path / "out" / TEXT).stat().st_size <= 11


@pytest.mark.parametrize("content", [b"", b"no archive at all", b"\0" * 20_000])
def test_what_is_no_backup_is_one_sentence(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "other.tar"
    path.write_bytes(content)
    assert "no whole backup" in refused(path)
    assert "could not be read" in refused(tmp_path / "absent.tar")
