"""A password's hash lets in that password only, and tells it to nobody."""

from __future__ import annotations

import unicodedata

import pytest
from argon2 import extract_parameters
from argon2.low_level import Type

from reds_pipeline.errors import RedsError
from reds_pipeline.web.password_hashes import (
    FEWEST_CHARACTERS,
    MOST_CHARACTERS,
    hash_password,
    is_password,
    require_usable_hash,
)

PASSWORD = "vier Wörter, die niemand rät"


def test_a_hash_lets_its_password_in() -> None:
    kept = hash_password(PASSWORD)
    require_usable_hash(kept)
    assert PASSWORD not in kept
    assert is_password(PASSWORD, kept)
    assert not is_password(PASSWORD.lower(), kept)
    # Another keyboard writes the same letters as two characters each.
    assert is_password(unicodedata.normalize("NFD", PASSWORD), kept)


def test_a_stolen_hash_costs_whoever_guesses() -> None:
    """RFC 9106, second recommended option: 64 MiB, three passes; a salt of its own each time."""
    first, second = hash_password(PASSWORD), hash_password(PASSWORD)
    assert first != second
    parameters = extract_parameters(first)
    assert parameters.type is Type.ID
    assert parameters.memory_cost >= 64 * 1024
    assert parameters.time_cost >= 3


@pytest.mark.parametrize("length", [0, FEWEST_CHARACTERS - 1, MOST_CHARACTERS + 1])
def test_passwords_have_a_length(length: int) -> None:
    with pytest.raises(RedsError, match=f"{length} characters"):
        hash_password("x" * length)


@pytest.mark.parametrize(
    "kept",
    [
        pytest.param("secret", id="the password itself"),
        pytest.param("$2b$12$" + "x" * 53, id="bcrypt"),
        pytest.param("argon2id=19=65536,t=3,p=4", id="without its dollar signs"),
        pytest.param("=19=65536,t=3,p=4", id="as a shell leaves it"),
    ],
)
def test_what_is_no_hash_is_said_at_once(kept: str) -> None:
    """Otherwise an operator would find out by not getting in."""
    with pytest.raises(RedsError, match="reds password") as refusal:
        require_usable_hash(kept)
    assert kept not in str(refusal.value)
