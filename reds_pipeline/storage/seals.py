"""Seals: text that only this installation can read back.

What belongs here: closing and opening a seal. What does not: deciding what has to be sealed.
Unlike a keyed hash (``keys.py``) a seal can be opened, by whoever holds the same key. It is for
what REDS needs again but nobody who sees a table should read, such as the address of a post,
which carries its author's handle.
"""

from __future__ import annotations

import base64
import hashlib
import hmac

from cryptography.fernet import Fernet, InvalidToken


class Seal:
    """Authenticated encryption (Fernet: AES-128-CBC with HMAC-SHA256) under a derived key.

    Args:
        secret: The installation's secret; the key derived from it is used for nothing else.
    """

    def __init__(self, secret: bytes) -> None:
        derived = hmac.new(secret, b"reds seal", hashlib.sha256).digest()
        self._fernet = Fernet(base64.urlsafe_b64encode(derived))

    def closed(self, text: str) -> str:
        """Return ``text`` under the seal, in letters; each time another one."""
        return self._fernet.encrypt(text.encode("utf-8")).decode("ascii")

    def opened(self, sealed: str) -> str:
        """Return what was sealed.

        Raises:
            ValueError: It was not sealed with this secret, or has been changed.
        """
        try:
            return self._fernet.decrypt(sealed.encode("ascii", "replace")).decode("utf-8")
        except InvalidToken as error:
            raise ValueError("not sealed by this installation") from error
