"""Who is the operator: the one rule that every guarded address asks.

What belongs here: deciding from a request whether the operator sent it. What does not: signing in
(``login_routes.py``), keeping sessions (``sessions.py``), and refusing other sites
(``security.py``).
"""

from __future__ import annotations

from fastapi.routing import APIRoute
from starlette.requests import Request

from reds_pipeline.settings import Settings


class OperatorGate:
    """Lets the operator through to what is not for everybody.

    Args:
        settings: With the hash of the password and the token, either or both of them empty.
        is_public: Whether other machines can reach the pages.

    Attributes:
        has_login: Whether a password is set.
        is_open: Whether nobody has to sign in, because only this machine reaches the pages and
            no password is set.

    Raises:
        RedsError: The hash is none of ``reds password``, or the token is too short.
    """

    def __init__(self, settings: Settings, *, is_public: bool) -> None:
        self._settings = settings
        self.has_login = False
        self.is_open = not is_public

    def is_operator(self, request: Request) -> bool:
        """Say whether a request comes from the operator: session, token, or an open gate."""
        raise NotImplementedError

    def is_operator_or_local(self, request: Request) -> bool:
        """Say whether a request comes from the operator or from a program on this machine.

        For what holds nothing personal, such as ``/metrics``.
        """
        raise NotImplementedError

    @property
    def route_class(self) -> type[APIRoute]:
        """Routes that answer the operator only: ``APIRouter(route_class=gate.route_class)``.

        A request is refused before its body is read: pages are sent to ``/login``, programs get
        401 or 403 with a sentence.
        """
        raise NotImplementedError

    def require_local(self, request: Request) -> None:
        """Refuse whoever is neither the operator nor on this machine; a FastAPI dependency.

        Raises:
            HTTPException: 401 or 403 with a sentence.
        """
        raise NotImplementedError
