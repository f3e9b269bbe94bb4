"""One line of JSON for each request, and the counting of requests.

What belongs here: what is said about a request. What does not: the numbers themselves
(``metrics.py``).

A line never holds an address, a path as it was typed, a query, a name of a file, or a header:
the route is named by its template, such as ``/review/pictures/{sha256}``.
"""

from __future__ import annotations

import secrets
import sys
import time
from contextvars import ContextVar
from typing import Any, TextIO

import structlog
from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from reds_pipeline.web.metrics import Metrics

_FACTS: ContextVar[dict[str, Any]] = ContextVar("facts of the request being answered")
_NO_ROUTE = "none"
_FAILED = 500
# Nobody was left to answer; the number is nginx's.
_GONE = 499
_METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})
_ON_EVERY_LINE: list[structlog.typing.Processor] = [
    structlog.processors.add_log_level,
    structlog.processors.TimeStamper(fmt="iso", utc=True),
    structlog.processors.format_exc_info,
]


def note(**facts: Any) -> None:
    """Add facts to the line of the request that is being answered; none of a photo or a person."""
    _FACTS.get({}).update(facts)


def json_logger(stream: TextIO | None = None) -> structlog.typing.FilteringBoundLogger:
    """Return a logger that writes one JSON object a line.

    Args:
        stream: Where to; standard error by default.
    """
    return structlog.wrap_logger(
        structlog.PrintLogger(stream or sys.stderr),
        processors=[*_ON_EVERY_LINE, structlog.processors.JSONRenderer()],
    )


def logging_configuration() -> dict[str, Any]:
    """Return how what Python's ``logging`` is told becomes lines of the same form.

    That is what uvicorn and the watch of the models say.
    """
    formatter = {
        "()": structlog.stdlib.ProcessorFormatter,
        "processors": [
            structlog.stdlib.ProcessorFormatter.remove_processors_meta,
            structlog.processors.JSONRenderer(),
        ],
        "foreign_pre_chain": [structlog.stdlib.add_log_level, *_ON_EVERY_LINE[1:]],
    }
    return {
        "version": 1,
        "disable_existing_loggers": False,
        "formatters": {"json": formatter},
        "handlers": {
            "stderr": {
                "class": "logging.StreamHandler",
                "formatter": "json",
                "stream": "ext://sys.stderr",
            }
        },
        # Its warnings about broken forms quote what was sent, one for each byte if need be.
        "loggers": {"python_multipart": {"level": "ERROR"}},
        "root": {"handlers": ["stderr"], "level": "WARNING"},
    }


class RequestLog:
    """Middleware that counts each request and says how it went.

    Args:
        application: What answers.
        metrics: Where requests are counted.
        logger: Where lines go.
        is_quiet: Whether nothing is said of requests that are answered as they should.
    """

    def __init__(
        self,
        application: ASGIApp,
        metrics: Metrics,
        logger: structlog.typing.FilteringBoundLogger,
        *,
        is_quiet: bool = False,
    ) -> None:
        self._application = application
        self._metrics = metrics
        self._is_quiet = is_quiet
        self._logger = logger

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on and say how it went."""
        if scope["type"] != "http":
            await self._application(scope, receive, send)
            return
        # Ours alone: one that came with the request could be anything.
        request_id = secrets.token_hex(8)
        facts: dict[str, Any] = {}
        _FACTS.set(facts)
        status = _GONE
        bytes_in = 0
        started = time.perf_counter()

        async def counting_receive() -> Message:
            nonlocal bytes_in
            message = await receive()
            bytes_in += len(message.get("body", b""))
            return message

        async def noting_send(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                MutableHeaders(scope=message)["X-Request-ID"] = request_id
            await send(message)

        try:
            await self._application(scope, counting_receive, noting_send)
        finally:
            seconds = time.perf_counter() - started
            route = _template(scope)
            method = scope["method"] if scope["method"] in _METHODS else "other"
            self._metrics.request_done(method, route, status, seconds)
            if not self._is_quiet or status == _FAILED:
                say = self._logger.info if status < _FAILED else self._logger.warning
                say(
                    "request",
                    request_id=request_id,
                    method=method,
                    route=route,
                    status=status,
                    milliseconds=round(1000 * seconds, 1),
                    bytes_in=bytes_in,
                    **facts,
                )


def _template(scope: Scope) -> str:
    """Return the route of a request without anything that was typed."""
    if scope["path"].startswith("/static/"):
        return "/static"
    path: str = getattr(scope.get("route"), "path", _NO_ROUTE)
    return path
