"""Connections that send nothing, or heads of requests that have no end.

What belongs here: closing them. What does not: bodies (``body_limits.py``): only a request whose
head is complete gets as far as the application.

uvicorn waits for ever for the first head, and for every later one of which a byte has come; some
hundreds of such connections would take all places there are (the "slowloris" attack). Its parser
httptools keeps whatever comes before the end of a head, 100 MB in the ten seconds that are left for
it, and all requests that arrive before the first one is answered. h11, which takes its place where
it is not installed, keeps a limit of its own.
"""

from __future__ import annotations

import asyncio
from typing import Any

from uvicorn.protocols.http.auto import AutoHTTPProtocol

HEAD_SECONDS = 10.0
# As h11 has it; a browser's cookies and addresses come to a few kilobytes.
_MOST_BYTES = 65_536
_MOST_WAITING = 100
_TOO_LARGE = b"\r\n".join(
    (b"HTTP/1.1 431 Too Large", b"Connection: close", b"Content-Length: 0", b"", b"")
)
_IS_HTTPTOOLS = hasattr(AutoHTTPProtocol, "on_message_complete")


class ImpatientProtocol(AutoHTTPProtocol):  # type: ignore[valid-type, misc]
    """uvicorn's protocol for connections on which something has to happen.

    A connection is closed that is between two requests, or before the first one, twice in a row
    when it is looked at: uvicorn itself closes those that are merely idle. So is one that sends
    more than a head may have, before the body, behind it or instead of it.

    Attributes:
        head_seconds: Time between two looks.
    """

    head_seconds: float = HEAD_SECONDS

    def connection_made(self, transport: asyncio.Transport) -> None:
        """Begin to look."""
        super().connection_made(transport)
        self._unread_bytes = 0
        self._next_look = self.loop.call_later(self.head_seconds, self._look, None)

    def connection_lost(self, exc: Exception | None) -> None:
        """Stop looking."""
        self._next_look.cancel()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Read what came, unless it is too much of what is no body."""
        self._unread_bytes += len(data)
        super().data_received(data)
        if not _IS_HTTPTOOLS or self.transport.is_closing():
            return
        if self._unread_bytes > _MOST_BYTES or len(self.pipeline) > _MOST_WAITING:
            self.pipeline.clear()
            if self.cycle is None or self.cycle.response_complete:
                self.transport.write(_TOO_LARGE)
            self.transport.close()

    def on_body(self, body: bytes) -> None:
        """Forget what came before a part of a body, because the application counts from here."""
        self._unread_bytes = 0
        super().on_body(body)

    def on_message_complete(self) -> None:
        """Forget a request whose end has come."""
        self._unread_bytes = 0
        super().on_message_complete()

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
