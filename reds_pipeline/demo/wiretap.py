"""What tests do to the traffic of an instance: read every request, delay and spoil answers.

Belongs here: an ASGI layer that knows nothing of Pixelfed. It never keeps a token.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Mapping
from dataclasses import dataclass, field
from urllib.parse import parse_qsl, unquote_plus

from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

_ABOVE_EVERY_ID = 2**64


@dataclass(frozen=True)
class RequestRecord:
    """One answered request.

    Attributes:
        method: ``GET``, ``HEAD`` ...
        path: Decoded path.
        query: Query string as sent, without the question mark.
        has_authorization: Whether an ``Authorization`` header came along.
        status: Status of the answer.
        user_agent: The client's name for itself.
    """

    method: str
    path: str
    query: str
    has_authorization: bool
    status: int
    user_agent: str


@dataclass(frozen=True)
class Fault:
    """A wrong answer to the requests that match all of its conditions.

    Attributes:
        path_prefix: Beginning of the path; ``/`` spoils everything.
        status: Status to answer with.
        times: How many requests to spoil, ``None`` for all of them.
        body: What to send.
        content_type: What to call it; ``text/html`` for a bot wall or a proxy's error page.
        headers: Further headers, such as ``Location`` or ``Retry-After``.
        query_contains: A part of the decoded query string, such as ``limit=40``; ``""`` for any.
        cursor_above: Spoil only pages whose ``max_id`` is greater, and those without one, which
            are the newest; ``None`` for any.
        cursor_below: Spoil only pages whose ``max_id`` is smaller; ``None`` for any.
    """

    path_prefix: str
    status: int = 503
    times: int | None = 1
    body: str = '{"error":"Server Error"}'
    content_type: str = "application/json"
    headers: Mapping[str, str] = field(default_factory=dict)
    query_contains: str = ""
    cursor_above: int | None = None
    cursor_below: int | None = None

    def matches(self, path: str, query: str) -> bool:
        """Whether a request is to be spoilt.

        Args:
            path: Decoded path.
            query: Query string as sent, without the question mark.
        """
        cursor = dict(parse_qsl(query)).get("max_id", "")
        position = int(cursor) if cursor.isdecimal() else _ABOVE_EVERY_ID
        return (
            path.startswith(self.path_prefix)
            and self.query_contains in unquote_plus(query)
            and (self.cursor_above is None or position > self.cursor_above)
            and (self.cursor_below is None or position < self.cursor_below)
        )


class Wiretap:
    """An ASGI application around another one."""

    def __init__(self, application: ASGIApp, latency_seconds: float = 0.0) -> None:
        """Listen to ``application`` and delay each of its answers."""
        self._application = application
        self._latency_seconds = latency_seconds
        self._lock = threading.Lock()
        self._records: list[RequestRecord] = []
        self._faults: list[tuple[Fault, list[int]]] = []

    @property
    def records(self) -> list[RequestRecord]:
        """The requests answered since the start or the last reset, in order."""
        with self._lock:
            return list(self._records)

    def reset_records(self) -> None:
        """Forget the recorded requests."""
        with self._lock:
            self._records.clear()

    def spoil(self, fault: Fault) -> None:
        """Answer wrongly from now on; faults given earlier come first."""
        with self._lock:
            self._faults.append((fault, []))

    def heal(self) -> None:
        """Answer rightly again."""
        with self._lock:
            self._faults.clear()

    def _next_fault(self, scope: Scope) -> Response | None:
        query = scope["query_string"].decode("latin-1")
        with self._lock:
            for fault, spoilt in self._faults:
                is_due = fault.times is None or len(spoilt) < fault.times
                if is_due and fault.matches(scope["path"], query):
                    spoilt.append(fault.status)
                    return Response(
                        fault.body,
                        fault.status,
                        dict(fault.headers),
                        media_type=fault.content_type,
                    )
        return None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request; it is on record before its first byte leaves."""

        async def recording_send(message: Message) -> None:
            if message["type"] == "http.response.start":
                self._record(scope, message["status"])
            await send(message)

        if self._latency_seconds:
            await asyncio.sleep(self._latency_seconds)
        fault = self._next_fault(scope)
        await (fault or self._application)(scope, receive, recording_send)

    def _record(self, scope: Scope, status: int) -> None:
        headers = dict(scope["headers"])
        record = RequestRecord(
            method=scope["method"],
            path=scope["path"],
            query=scope["query_string"].decode("latin-1"),
            has_authorization=b"authorization" in headers,
            status=status,
            user_agent=headers.get(b"user-agent", b"").decode("latin-1"),
        )
        with self._lock:
            self._records.append(record)
