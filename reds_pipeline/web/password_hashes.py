"""The operator's password, of which only a hash is ever kept.

What belongs here: making a hash, telling a usable one, and checking a password against it. What
does not: asking for a password (``commands/password.py``) and who may try (``login_attempts.py``).

Argon2id with the parameters of RFC 9106's second recommendation, which is argon2-cffi's default:
64 MiB and three passes for each attempt.
"""

from __future__ import annotations

import unicodedata

from argon2 import PasswordHasher, extract_parameters
from argon2.exceptions import InvalidHashError, VerificationError
from argon2.profiles import RFC_9106_LOW_MEMORY

from reds_pipeline.errors import RedsError

FEWEST_CHARACTERS = 12
MOST_CHARACTERS = 1024
"""Longer ones are refused before any work is put into them."""

_HASHER = PasswordHasher.from_parameters(RFC_9106_LOW_MEMORY)


def hash_password(password: str) -> str:
    """Return the Argon2id hash of a password, for ``REDS_OPERATOR_PASSWORD_HASH``.

    Raises:
        RedsError: It is too short or too long.
    """
    if not FEWEST_CHARACTERS <= len(password) <= MOST_CHARACTERS:
        raise RedsError(
            f"The password has {len(password)} characters, so no hash was made; choose one of "
            f"{FEWEST_CHARACTERS} to {MOST_CHARACTERS}, such as four words that nobody would "
            "guess."
        )
    return _HASHER.hash(_as_bytes(password))


def require_usable_hash(password_hash: str) -> None:
    """Do nothing for a hash that passwords can be checked against.

    Raises:
        RedsError: It is something else, a password itself perhaps.
    """
    try:
        extract_parameters(password_hash)
    except InvalidHashError as error:
        raise RedsError(
            "The setting operator_password_hash holds no Argon2 hash, so nobody could sign in; "
            "run `reds password` and put in what it prints, dollar signs and all."
        ) from error


def is_password(password: str, password_hash: str) -> bool:
    """Say whether a password is the one that was hashed; takes the same time either way."""
    if len(password) > MOST_CHARACTERS:
        return False
    try:
        return _HASHER.verify(password_hash, _as_bytes(password))
    except VerificationError:
        return False


def _as_bytes(password: str) -> bytes:
    """Return a password as every keyboard gives it (RFC 8265: NFC)."""
    # A form can hold halves of characters, which are a wrong password and no error.
    return unicodedata.normalize("NFC", password).encode("utf-8", "surrogatepass")
