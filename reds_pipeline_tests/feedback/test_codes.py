from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reds_pipeline.feedback.codes import contribution_id_of, new_code
from reds_pipeline.storage.keys import KeyedHash

KEY = KeyedHash(b"a secret of a home")
CODE = "ABCD-EFGH-IJKO-MNOP-QRST-UVWX-YB"


@pytest.mark.parametrize(
    "typed",
    [
        *("abcd-efgh-ijko-mnop-qrst-uvwx-yb", "ABCDEFGHIJKOMNOPQRSTUVWXYB"),
        *(" ABCD EFGH IJKO MNOP QRST UVWX YB\n", "ABCD-EFGH-1JK0-MNOP-QRST-UVWX-Y8"),
    ],
    ids=["small letters", "no dashes", "spaces", "digits that look like letters"],
)
def test_a_code_is_understood_however_it_is_copied(typed: str) -> None:
    assert contribution_id_of(typed, KEY) == contribution_id_of(CODE, KEY) != ""


@pytest.mark.parametrize("typed", ["", "ABCD", CODE + "A", "Ä" * 26, "../" * 9], ids=str)
def test_what_cannot_be_a_code_names_nothing(typed: str) -> None:
    assert contribution_id_of(typed, KEY) == ""


@given(st.text(max_size=60))
def test_an_id_is_a_plain_name_of_a_directory_whatever_is_typed(typed: str) -> None:
    name = contribution_id_of(typed, KEY)
    assert name == "" or (len(name) == 32 and set(name) <= set("0123456789abcdef"))


def test_codes_do_not_repeat_and_an_id_depends_on_the_home() -> None:
    codes = {new_code() for _ in range(200)}
    assert len(codes) == 200
    assert {len(code.replace("-", "")) for code in codes} == {26}
    other = KeyedHash(b"a secret of another home")
    assert contribution_id_of(CODE, KEY) != contribution_id_of(CODE, other)
