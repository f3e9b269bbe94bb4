"""Failures that nobody foresaw, answered and written down.

What belongs here: the innermost wall, so that its answer gets the headers of all others. What does
not: errors that have a sentence of their own (``sentences.py``).
"""

from __future__ import annotations

import structlog
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from reds_pipeline.web.sentences import Explainer

_FAILED = 500
_SENTENCE = (
    "Something went wrong inside REDS; what it printed where it was started says what, and "
    "nothing of this request was kept."
)


class FailuresExplained:
    """Middleware that turns what nobody foresaw into a sentence and a line of the log.

    Args:
        application: What answers.
        explainer: Makes the answer.
        logger: Where the line goes, with the traceback.
    """

    def __init__(
        self,
        application: ASGIApp,
        explainer: Explainer,
        logger: structlog.typing.FilteringBoundLogger,
    ) -> None:
        self._application = application
        self._explainer = explainer
        self._logger = logger

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on; answer it in any case."""
        if scope["type"] != "http":
            await self._application(scope, receive, send)
            return
        has_begun = False

        async def noting_send(message: Message) -> None:
            nonlocal has_begun
            has_begun = True
            await send(message)

        try:
            await self._application(scope, receive, noting_send)
        except ClientDisconnect:
            # Somebody closed the page; there is nobody to answer.
            return
        except Exception:
            self._logger.exception("failure")
            if has_begun:
                raise
            answer = self._explainer.answer(Request(scope), HTTPException(_FAILED, _SENTENCE))
            await answer(scope, receive, send)
