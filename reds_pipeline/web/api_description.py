"""The description of the interface for programs, as OpenAPI.

What belongs here: putting the description together from the routes. What does not: the routes.
"""

from __future__ import annotations

from typing import Any

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi
from fastapi.routing import APIRoute

API = "/api/v1"
_VERSION = "1"
_DESCRIPTION = (
    "Hashtags for photos, recommended by a model that learnt from public posts of the Fediverse. "
    "No login is needed. Photos are read in memory and forgotten with the answer. Every refusal "
    "is `{sentence, reason}`: the sentence is for people, the reason for programs."
)


def describe_api(application: FastAPI) -> dict[str, Any]:
    """Return the OpenAPI document of all addresses below ``/api/v1``."""
    routes = [
        route
        for route in application.routes
        if isinstance(route, APIRoute) and route.path.startswith(API)
    ]
    document = get_openapi(
        title="REDS", version=_VERSION, description=_DESCRIPTION, routes=routes
    )
    # FastAPI's own form of a 422, which is never sent here.
    for name in ("HTTPValidationError", "ValidationError"):
        document.get("components", {}).get("schemas", {}).pop(name, None)
    return document
