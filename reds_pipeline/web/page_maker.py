"""How pages are made, whatever makes them.

What belongs here: the shape of the function. What does not: templates (``application.py``).
"""

from __future__ import annotations

from typing import Any, Protocol

from starlette.requests import Request
from starlette.responses import HTMLResponse


class PageMaker(Protocol):
    """Makes pages of templates."""

    def __call__(
        self, name: str, request: Request, context: dict[str, Any], status_code: int = 200
    ) -> HTMLResponse:
        """Return a page.

        Args:
            name: Of the template's file.
            request: That is answered.
            context: What the template needs.
            status_code: HTTP status.
        """
