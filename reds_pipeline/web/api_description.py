"""The description of the interface for programs, as OpenAPI.

What belongs here: putting the description together from the routes. What does not: the routes.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi

from reds_pipeline.web.api_models import Problem

API = "/api/v1"
_VERSION = "1"
_SCHEMAS = "#/components/schemas/"
_DESCRIPTION = (
    "Hashtags for photos, recommended by a model that learnt from public posts of the Fediverse. "
    "No login is needed. Photos are read in memory and forgotten with the answer. Every refusal "
    "is `{sentence, reason}`: the sentence is for people, the reason for programs."
)

_RETRY_AFTER = {
    "Retry-After": {
        "description": "Seconds after which the same request may be answered.",
        "schema": {"type": "integer", "minimum": 1},
    }
}


def problems(descriptions: Mapping[int, str]) -> dict[int | str, dict[str, Any]]:
    """Return how refusals are described in the OpenAPI document.

    Args:
        descriptions: Why, by HTTP status.
    """
    return {
        status: {
            "model": Problem,
            "description": description,
            **({"headers": _RETRY_AFTER} if status in {429, 503} else {}),
        }
        for status, description in descriptions.items()
    }


def describe_api(application: FastAPI) -> dict[str, Any]:
    """Return the OpenAPI document of all addresses below ``/api/v1``."""
    document = get_openapi(
        title="REDS", version=_VERSION, description=_DESCRIPTION, routes=application.routes
    )
    document["paths"] = {
        path: operations
        for path, operations in document["paths"].items()
        if path.startswith(f"{API}/")
    }
    for operations in document["paths"].values():
        for operation in operations.values():
            _without_foreign_errors(operation["responses"])
    schemas = document["components"]["schemas"]
    used = _used(document["paths"], schemas)
    document["components"]["schemas"] = {
        name: schema for name, schema in schemas.items() if name in used
    }
    return document


def _without_foreign_errors(responses: dict[str, Any]) -> None:
    """Drop FastAPI's own form of a 422, which is never sent here."""
    for status, response in list(responses.items()):
        if "HTTPValidationError" in str(response):
            del responses[status]


def _used(part: Any, schemas: dict[str, Any]) -> set[str]:
    """Return the names of the schemas that a part of the document leads to."""
    used: set[str] = set()
    parts = [part]
    while parts:
        looked_at = parts.pop()
        if isinstance(looked_at, list):
            parts += looked_at
        elif isinstance(looked_at, dict):
            parts += looked_at.values()
            name = str(looked_at.get("$ref", "")).removeprefix(_SCHEMAS)
            if name in schemas and name not in used:
                used.add(name)
                parts.append(schemas[name])
    return used
