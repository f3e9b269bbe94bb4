from __future__ import annotations

import stat
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reds_pipeline.errors import RedsError
from reds_pipeline.storage.home import Home, file_name
from reds_pipeline.storage.locks import exclusive


@pytest.mark.parametrize("name", ["cat", "golden-hour", "été", "猫", "35mm"])
def test_ordinary_names_of_any_script_are_their_own_file_name(name: str) -> None:
    assert file_name(name) == name


@given(left=st.text(max_size=100), right=st.text(max_size=100))
def test_file_names_are_safe_and_differ_for_different_names(left: str, right: str) -> None:
    name = file_name(left)
    assert "/" not in name
    assert name not in {"", ".", ".."}
    assert len(name.encode()) < 230
    if left != right:
        assert name != file_name(right)


@pytest.mark.parametrize("character", ["猫", "𐌰"], ids=["three bytes", "four bytes"])
def test_a_long_name_in_any_script_fits_into_a_file_system(tmp_path: Path, character: str) -> None:
    assert not Home(tmp_path).table("posts", 90 * character).exists()


def test_the_pseudonym_key_is_private_stable_and_framed(tmp_path: Path) -> None:
    first = Home(tmp_path).keyed_hash
    key_file = tmp_path / "pseudonym.key"
    assert stat.S_IMODE(key_file.stat().st_mode) == 0o600
    assert [path.name for path in tmp_path.iterdir()] == ["pseudonym.key"]
    assert Home(tmp_path).keyed_hash("ab", "c") == first("ab", "c")
    assert first("ab", "c") != first("a", "bc")
    assert Home(tmp_path / "other").keyed_hash("ab", "c") != first("ab", "c")


def test_a_second_holder_of_a_lock_is_refused_with_a_sentence(tmp_path: Path) -> None:
    path = Home(tmp_path).lock("collect cat")
    with (
        exclusive(path, "collecting cat"),
        pytest.raises(RedsError, match="already collecting cat"),
        exclusive(path, "collecting cat"),
    ):
        pass
    with exclusive(path, "collecting cat"):
        pass


def test_a_lost_pseudonym_key_is_a_sentence_and_not_a_new_key(tmp_path: Path) -> None:
    home = Home(tmp_path)
    assert home.keyed_hash("post")
    home.table("posts", "cat").parent.mkdir(parents=True)
    (tmp_path / "pseudonym.key").unlink()
    with pytest.raises(RedsError, match="put it back from a backup"):
        _ = Home(tmp_path).keyed_hash
