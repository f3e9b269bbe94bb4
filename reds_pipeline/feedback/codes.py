"""Codes that delete a contributed photo.

What belongs here: making one, and finding out which contribution it names. What does not: deleting
(``deletion.py``).

A code is 128 random bits and stands nowhere: a contribution is named by its keyed hash. Whoever
can read all files of a home still cannot tell a code, and whoever knows a code finds the one
directory without trying all of them.
"""

from __future__ import annotations

import base64
import secrets

from reds_pipeline.storage.keys import KeyedHash

_BYTES = 16
_LETTERS = 26
_GROUP = 4
# Base 32 has no digits that look like these letters, so nobody means the digits.
_MISREAD = str.maketrans("018", "OIB")


def new_code() -> str:
    """Return a code as people copy it: 26 letters and digits in groups of four."""
    letters = base64.b32encode(secrets.token_bytes(_BYTES)).decode("ascii").rstrip("=")
    groups = [letters[start : start + _GROUP] for start in range(0, len(letters), _GROUP)]
    return "-".join(groups)


def contribution_id_of(code: str, key: KeyedHash) -> str:
    """Return the id of the contribution that a code names, or "" if it can be none.

    Args:
        code: As typed; case, spaces and dashes make no difference.
        key: The pseudonym function of the installation.
    """
    letters = "".join(filter(str.isalnum, code)).upper().translate(_MISREAD)
    if len(letters) != _LETTERS or not letters.isascii():
        return ""
    return key("contribution code", letters)
