"""Connections that send nothing, or the head of a request byte by byte.

What belongs here: closing them. What does not: bodies (``body_limits.py``): only a request whose
head is complete gets as far as the application.

uvicorn waits for ever for the first head, and for every later one of which a byte has come; some
hundreds of such connections would take all places there are (the "slowloris" attack).
"""

from __future__ import annotations

import asyncio
from typing import Any

from uvicorn.protocols.http.auto import AutoHTTPProtocol

HEAD_SECONDS = 10.0


class ImpatientProtocol(AutoHTTPProtocol):  # type: ignore[valid-type, misc]
    """uvicorn's protocol for connections on which something has to happen.

    A connection is closed that is between two requests, or before the first one, twice in a row
    when it is looked at: uvicorn itself closes those that are merely idle.

    Attributes:
        head_seconds: Time between two looks.
    """

    head_seconds: float = HEAD_SECONDS

    def connection_made(self, transport: asyncio.Transport) -> None:
        """Begin to look."""
        super().connection_made(transport)
        self._next_look = self.loop.call_later(self.head_seconds, self._look, None)

    def connection_lost(self, exc: Exception | None) -> None:
        """Stop looking."""
        self._next_look.cancel()
        super().connection_lost(exc)

    def _look(self, last_answered: Any) -> None:
        """Close, or look again.

        Args:
            last_answered: The request that was the last one to be answered a look ago; None if
                there was none, and this protocol itself if one was being answered.
        """
        request = self.cycle
        is_between = request is None or request.response_complete
        if is_between and request is last_answered:
            self.transport.close()
            return
        seen = request if is_between else self
        self._next_look = self.loop.call_later(self.head_seconds, self._look, seen)
