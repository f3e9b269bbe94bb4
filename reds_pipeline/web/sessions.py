"""Who is signed in.

What belongs here: sessions, from signing in to their end. What does not: passwords
(``password_hashes.py``), cookies (``login_routes.py``) and requests (``operator_gate.py``).

Sessions live in this process only: when it ends, everybody is signed out, and nothing on a disk
lets anybody in. Of a session's secret only the digest is held, so that what a memory dump or an
error report shows opens nothing (OWASP, "Session management cheat sheet").
"""

from __future__ import annotations

import hashlib
import hmac
import secrets
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass

HOURS = 12
"""How long a session lasts at most."""

IDLE_MINUTES = 60
"""After how long without a request it ends."""

_MOST_SESSIONS = 100
_SECRET_BYTES = 32


@dataclass(frozen=True)
class NewSession:
    """What the browser gets, once.

    Attributes:
        secret: The value of its cookie.
        form_token: What forms and scripts send beside it.
    """

    secret: str
    form_token: str


@dataclass
class _Session:
    began: float
    last_seen: float


class Sessions:
    """The sessions of one process; safe to be used from several threads.

    Args:
        clock: Gives seconds that never go back.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._sessions: dict[str, _Session] = {}
        self._lock = threading.Lock()
        self._key = secrets.token_bytes(_SECRET_BYTES)

    def begin(self) -> NewSession:
        """Begin a session; where there are too many, the one not used longest ends."""
        secret = secrets.token_urlsafe(_SECRET_BYTES)
        now = self._clock()
        with self._lock:
            self._forget_expired(now)
            if len(self._sessions) >= _MOST_SESSIONS:
                del self._sessions[min(self._sessions, key=self._last_seen)]
            self._sessions[_digest(secret)] = _Session(now, now)
        return NewSession(secret, self.form_token(secret))

    def is_valid(self, secret: str) -> bool:
        """Say whether a session goes on, and count this as a use of it."""
        now = self._clock()
        with self._lock:
            self._forget_expired(now)
            session = self._sessions.get(_digest(secret))
            if session is None:
                return False
            session.last_seen = now
            return True

    def end(self, secret: str) -> None:
        """End a session, if there is one of this secret."""
        with self._lock:
            self._sessions.pop(_digest(secret), None)

    def form_token(self, secret: str) -> str:
        """Return what forms send beside a cookie of this value; other sites cannot know it."""
        return hmac.new(self._key, _as_bytes(secret), hashlib.sha256).hexdigest()

    def is_form_token(self, secret: str, token: str) -> bool:
        """Say whether a form was made for the browser that holds this cookie."""
        return hmac.compare_digest(self.form_token(secret).encode(), _as_bytes(token))

    def _last_seen(self, digest: str) -> float:
        return self._sessions[digest].last_seen

    def _forget_expired(self, now: float) -> None:
        expired = [
            digest
            for digest, session in self._sessions.items()
            if now - session.began >= HOURS * 3600 or now - session.last_seen >= IDLE_MINUTES * 60
        ]
        for digest in expired:
            del self._sessions[digest]


def _digest(secret: str) -> str:
    return hashlib.sha256(_as_bytes(secret)).hexdigest()


def _as_bytes(text: str) -> bytes:
    # What browsers send may hold halves of characters.
    return text.encode("utf-8", "surrogatepass")
