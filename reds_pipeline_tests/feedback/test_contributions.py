from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from reds_pipeline.errors import RedsError
from reds_pipeline.feedback.contributions import (
    ContributedTag,
    Contribution,
    contributions,
    read_contributed_photo,
    remove_contribution,
    remove_unfinished,
    retag_contribution,
    store_contribution,
)
from reds_pipeline.storage.home import Home
from reds_pipeline_tests.held_home import everything

PHOTO = b"the bytes of a photo"
SAID = (ContributedTag("cat", "unprompted"), ContributedTag("dog", "accepted", 2, 0.25, "m", "1"))

# Dies at its n-th change of a file below the contributions, as a power cut would: nothing is
# tidied up. 7 says that it came to its end before.
_MORTAL = """
import os, sys
from pathlib import Path
from reds_pipeline.feedback import contributions as c
from reds_pipeline.storage.home import Home
home, work, left = Home(Path(sys.argv[1])), sys.argv[2], int(sys.argv[3])
def die(event, arguments):
    global left
    changes = event in {"os.rename", "os.remove", "os.rmdir", "os.mkdir"} or (
        event == "open" and isinstance(arguments[2], int) and arguments[2] & os.O_CREAT)
    if changes and "contributions" in str(arguments[0]) and "lock" not in str(arguments[0]):
        left -= 1
        if left < 0:
            os._exit(9)
    elif changes and isinstance(arguments[0], str) and event == "os.remove":
        # rmtree names files by their directory's descriptor.
        left -= 1
        if left < 0:
            os._exit(9)
mine = c.Contribution("a" * 32, "b" * 64, "jpg", "2026-11-21", 1, 1, "0" * 16, "0" * 16, "1", "2")
sys.addaudithook(die)
if work == "store":
    c.store_contribution(home, mine, b"the bytes of a photo")
else:
    c.remove_contribution(home, mine.id)
sys.stdout.flush()
os._exit(7)
"""


def made(number: int = 1, **facts: object) -> Contribution:
    name = f"{number:032x}"
    usual = Contribution(
        name, "b" * 64, "jpg", f"2026-11-{number:02}", 4, 3, "0" * 16, "0" * 16, "1", "2027-01-01"
    )
    return Contribution(**{**vars(usual), **facts})


@pytest.fixture
def home(tmp_path: Path) -> Home:
    return Home(tmp_path / "home")


def test_what_is_stored_is_read_back_and_the_code_is_not_kept(home: Home) -> None:
    one, two = made(1, tags=SAID, rejected=("zoo",), code="SECRET"), made(2)
    for each in (two, one):
        store_contribution(home, each, PHOTO)
    assert contributions(home) == [made(1, tags=SAID, rejected=("zoo",)), two], "oldest first"
    assert read_contributed_photo(home, one) == PHOTO
    assert "SECRET" not in everything(home)


def test_nobody_else_on_the_machine_may_look_into_a_contribution(home: Home) -> None:
    store_contribution(home, made(), PHOTO)
    assert (home.contributions / made().id).stat().st_mode & 0o077 == 0


def test_a_tag_that_comes_too_late_does_not_bring_a_photo_back(home: Home) -> None:
    store_contribution(home, made(), PHOTO)
    assert retag_contribution(home, made().id, SAID)
    assert contributions(home)[0].tags == SAID
    assert remove_contribution(home, made().id)
    assert not retag_contribution(home, made().id, SAID)
    assert not remove_contribution(home, made().id)
    assert list(home.contributions.iterdir()) == []


def test_tags_and_a_deletion_at_the_same_time_leave_nothing(home: Home) -> None:
    """Replacing a file makes its directory anew, which a deletion has just removed."""
    for number in range(1, 9):
        store_contribution(home, made(number), PHOTO)
    threads = [
        threading.Thread(target=work, args=arguments)
        for number in range(1, 9)
        for work, arguments in (
            (retag_contribution, (home, made(number).id, SAID)),
            (remove_contribution, (home, made(number).id)),
        )
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert list(home.contributions.iterdir()) == []


@pytest.mark.parametrize("work", ["store", "remove"])
def test_a_kill_at_any_point_leaves_a_whole_contribution_or_none(tmp_path: Path, work: str) -> None:
    killed = 0
    for changes in range(20):
        home = Home(tmp_path / f"home{changes}")
        whole = made(id="a" * 32, at="2026-11-21", width=1, height=1, delete_after="2")
        if work == "remove":
            store_contribution(home, whole, PHOTO)
        finished = subprocess.run(
            [sys.executable, "-c", _MORTAL, str(home.root), work, str(changes)], check=False
        )
        assert finished.returncode in {7, 9}
        assert contributions(home) in ([], [whole])
        if contributions(home):
            assert read_contributed_photo(home, whole) == PHOTO
        for path in home.contributions.rglob("*"):
            os.utime(path, (0, 0))
        remove_contribution(home, whole.id)
        remove_unfinished(home)
        assert PHOTO.decode() not in everything(home)
        if finished.returncode == 7:
            break
        killed += 1
    assert killed >= 3, "there are several moments to die at"
    assert finished.returncode == 7


def test_what_is_being_written_at_this_moment_is_no_leftover(home: Home) -> None:
    unfinished = home.contributions / ".writing-x"
    unfinished.mkdir(parents=True)
    assert remove_unfinished(home) == 0
    os.utime(unfinished, (0, 0))
    assert remove_unfinished(home) == 1


@pytest.mark.parametrize("damage", ["", "[]", '{"id": 1}', json.dumps({"tags": 3})], ids=str)
def test_a_damaged_file_is_told_and_not_passed_over(home: Home, damage: str) -> None:
    """Who reads nothing where something was given would erase what was made of it."""
    store_contribution(home, made(), PHOTO)
    (home.contributions / made().id / "contribution.json").write_text(damage)
    with pytest.raises(RedsError, match="is damaged"):
        contributions(home)
