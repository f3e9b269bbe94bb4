"""Scripts and styles, under addresses that change whenever they do.

What belongs here: the address of a static file, and how long browsers may keep it. What does
not: the files. The version stands in the path and not behind it, so that a script which imports
another one by a relative path gets the same version of it.
"""

from __future__ import annotations

import hashlib
from pathlib import Path

from starlette.responses import Response
from starlette.staticfiles import StaticFiles
from starlette.types import Scope

STATIC_DIRECTORY = Path(__file__).parent / "static"
_FOR_EVER = "public, max-age=31536000, immutable"


def static_version(directory: Path = STATIC_DIRECTORY) -> str:
    """Return 16 hexadecimal digits that name all static files as they are now."""
    digest = hashlib.sha256()
    for path in sorted(path for path in directory.rglob("*") if path.is_file()):
        digest.update(path.relative_to(directory).as_posix().encode())
        digest.update(hashlib.sha256(path.read_bytes()).digest())
    return digest.hexdigest()[:16]


class VersionedFiles(StaticFiles):
    """Static files that browsers need not ask for twice."""

    async def get_response(self, path: str, scope: Scope) -> Response:
        """Return a file that may be kept for ever."""
        response = await super().get_response(path, scope)
        response.headers["Cache-Control"] = _FOR_EVER
        return response
