"""Pseudonyms: keyed hashes that stand in for posts and people.

What belongs here: the key and the hash. What does not: deciding what has to be hashed. Without
the key, which never leaves ``REDS_HOME``, nobody can test whether a known account is in a table.
"""

from __future__ import annotations

import hashlib
import hmac
import os
import secrets
from contextlib import suppress
from pathlib import Path

from reds_pipeline.storage.atomic import replacing


class KeyedHash:
    """HMAC-SHA256 of text parts, cut to 128 bits.

    Args:
        secret: The key, at least 16 bytes.
    """

    def __init__(self, secret: bytes) -> None:
        if len(secret) < 16:
            raise ValueError("a keyed hash needs a secret of at least 16 bytes")
        self._secret = secret

    def __call__(self, *parts: str) -> str:
        """Return 32 hexadecimal digits; ("ab", "c") and ("a", "bc") give different ones."""
        framed = b"".join(
            len(data).to_bytes(8, "big") + data
            for data in (part.encode("utf-8", "surrogatepass") for part in parts)
        )
        return hmac.new(self._secret, framed, hashlib.sha256).hexdigest()[:32]


def load_or_create_secret(path: Path) -> bytes:
    """Return the secret kept in ``path``, made on first use and readable by its owner only.

    Two processes that start at once agree: the file appears whole and is never replaced.
    """
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        with replacing(path.with_suffix(".candidate")) as temporary:
            temporary.write_bytes(secrets.token_bytes(32))
            temporary.chmod(0o600)
            with suppress(FileExistsError):
                os.link(temporary, path)
        path.with_suffix(".candidate").unlink(missing_ok=True)
    return path.read_bytes()
