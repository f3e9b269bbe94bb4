"""The addresses at which the operator signs in and out.

What belongs here: the form, its answer, and the cookie. What does not: who is the operator
(``operator_gate.py``).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from fastapi import APIRouter

if TYPE_CHECKING:
    from reds_pipeline.web.site import Site


def login_router(site: Site) -> APIRouter:
    """Return the routes ``/login`` and ``/logout``.

    Args:
        site: Whose gate it is.
    """
    raise NotImplementedError
