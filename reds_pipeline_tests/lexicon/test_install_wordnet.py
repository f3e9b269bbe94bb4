from __future__ import annotations

import shutil
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from reds_pipeline.lexicon.install_wordnet import (
    Command,
    Commands,
    Machine,
    Remedy,
    default_commands,
    install,
    main,
    remedies_for,
    run_all,
    this_machine,
    unpack_package,
)
from reds_pipeline.lexicon.wordnet import wordnet_location

_EVERYTHING = Machine(is_root=True, has_apt_get=True, has_dpkg_deb=True)


def _python(script: str, *arguments: str, seconds: float = 20) -> Command:
    return Command((sys.executable, "-c", script, *arguments), seconds)


_FAILS = (_python("raise SystemExit(1)"),)
_NOTHING_WORKS = Commands(_FAILS, _FAILS, _FAILS)


def _creates(path: Path) -> tuple[Command, ...]:
    return (_python("import pathlib, sys; pathlib.Path(sys.argv[1]).mkdir()", str(path)),)


@pytest.mark.parametrize(
    ("machine", "remedies"),
    [
        (
            _EVERYTHING,
            (Remedy.NLTK_DOWNLOAD, Remedy.PACKAGE_INSTALL, Remedy.PACKAGE_UNPACK),
        ),
        (
            replace(_EVERYTHING, is_root=False),
            (Remedy.NLTK_DOWNLOAD, Remedy.PACKAGE_UNPACK),
        ),
        (
            replace(_EVERYTHING, has_dpkg_deb=False),
            (Remedy.NLTK_DOWNLOAD, Remedy.PACKAGE_INSTALL),
        ),
        (replace(_EVERYTHING, has_apt_get=False), (Remedy.NLTK_DOWNLOAD,)),
    ],
)
def test_only_remedies_that_can_work_are_tried(
    machine: Machine, remedies: tuple[Remedy, ...]
) -> None:
    assert remedies_for(machine) == remedies


def test_nothing_is_done_when_a_dictionary_is_there(tmp_path: Path) -> None:
    mark = tmp_path / "ran"
    commands = Commands(_creates(mark), _creates(mark), _creates(mark))
    found, sentence = install(_EVERYTHING, commands, tmp_path / "wordnet", lambda: "/some/where")
    assert (found, sentence) == (True, "WordNet is already there: /some/where")
    assert not mark.exists()


@pytest.mark.parametrize(
    ("field", "remedy"),
    [
        ("nltk_download", Remedy.NLTK_DOWNLOAD),
        ("package_install", Remedy.PACKAGE_INSTALL),
    ],
)
def test_the_first_remedy_that_leaves_a_dictionary_is_the_last_one_tried(
    field: str, remedy: Remedy, tmp_path: Path
) -> None:
    dictionary, later = tmp_path / "dictionary", tmp_path / "later"
    commands = replace(
        replace(_NOTHING_WORKS, package_download=_creates(later)), **{field: _creates(dictionary)}
    )
    found, sentence = install(
        _EVERYTHING,
        commands,
        tmp_path / "wordnet",
        lambda: str(dictionary) if dictionary.exists() else None,
    )
    assert found
    assert sentence == f"WordNet was {remedy.value}: {dictionary}"
    assert not later.exists()


def test_when_nothing_works_one_sentence_says_what_to_do(tmp_path: Path) -> None:
    found, sentence = install(_EVERYTHING, _NOTHING_WORKS, tmp_path / "wordnet", lambda: None)
    assert not found
    assert "with a network" in sentence
    assert "apt-get install wordnet-base" in sentence


def test_a_package_is_unpacked_without_root(tmp_path: Path) -> None:
    """The very path a user without root takes, with a package built here instead of fetched."""
    destination = tmp_path / "environment" / "share" / "wordnet"
    package = _built_package(tmp_path, "usr/share/wordnet/data.noun")
    if package is None:
        assert Remedy.PACKAGE_UNPACK not in remedies_for(this_machine())
        return
    copy = _python("import shutil, sys; shutil.copy(sys.argv[1], '.')", str(package))
    found, sentence = install(
        replace(_EVERYTHING, is_root=False),
        replace(_NOTHING_WORKS, package_download=(copy,)),
        destination,
        lambda: str(destination) if (destination / "data.noun").exists() else None,
    )
    assert found, sentence
    assert "unpacked" in sentence
    assert [path.name for path in destination.parent.iterdir()] == ["wordnet"]


def test_a_package_without_a_dictionary_leaves_nothing_behind(tmp_path: Path) -> None:
    destination = tmp_path / "environment" / "share" / "wordnet"
    package = _built_package(tmp_path, "usr/share/something/else")
    assert not unpack_package(package or tmp_path / "absent.deb", destination)
    assert list(destination.parent.iterdir()) == []


def test_a_file_that_is_no_package_leaves_nothing_behind(tmp_path: Path) -> None:
    (tmp_path / "broken.deb").write_bytes(b"<html>not found</html>")
    destination = tmp_path / "environment" / "share" / "wordnet"
    assert not unpack_package(tmp_path / "broken.deb", destination)
    assert list(destination.parent.iterdir()) == []


@pytest.mark.parametrize(
    ("commands", "outcome", "reason"),
    [
        ([_python("pass")], True, "all succeed"),
        ([_FAILS[0], _python("pass")], False, "one that must succeed fails"),
        (
            [replace(_FAILS[0], must_succeed=False), _python("pass")],
            True,
            "one that may fail does",
        ),
        ([Command(("no-such-program-anywhere",), 5)], False, "the program is not there"),
        ([_python("import time; time.sleep(60)", seconds=0.2)], False, "it takes too long"),
    ],
)
def test_running_commands(
    commands: list[Command], outcome: bool, reason: str, tmp_path: Path
) -> None:
    assert run_all(commands, tmp_path) is outcome, reason


def test_an_offline_machine_is_not_kept_waiting(tmp_path: Path) -> None:
    """The long download is only begun when a short question to the same host was answered."""
    question, download = default_commands(tmp_path).nltk_download
    assert question.must_succeed
    assert question.seconds <= 10 < download.seconds


def test_no_command_of_the_rootless_path_writes_to_the_system(tmp_path: Path) -> None:
    for command in default_commands(tmp_path).package_download:
        if command.arguments[0] == "apt-get":
            assert {"Dir::State=./state", "Dir::Cache=./cache"} <= set(command.arguments)
            assert "install" not in command.arguments


def test_run_again_it_says_where_the_dictionary_is(capsys: pytest.CaptureFixture[str]) -> None:
    assert main() == 0
    output = capsys.readouterr()
    assert output.out == f"WordNet is already there: {wordnet_location()}\n"
    assert output.err == ""


def _built_package(directory: Path, file: str) -> Path | None:
    """A Debian package with one file in it, or None where no package can be built."""
    if shutil.which("dpkg-deb") is None:
        return None
    tree = directory / "tree"
    (tree / "DEBIAN").mkdir(parents=True)
    (tree / "DEBIAN" / "control").write_text(
        "Package: drawn-words\nVersion: 1\nArchitecture: all\n"
        "Maintainer: nobody <nobody@example.org>\nDescription: words drawn for a test\n"
    )
    (tree / file).parent.mkdir(parents=True)
    (tree / file).write_text("  a dictionary\n")
    package = directory / "drawn-words.deb"
    subprocess.run(
        ["dpkg-deb", "--root-owner-group", "--build", str(tree), str(package)],
        check=True,
        capture_output=True,
    )
    return package
