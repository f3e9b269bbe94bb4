"""Processes that die at a chosen moment."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from reds_pipeline.fediverse.web.client import ApiClient
from reds_pipeline.storage.journal import Journal


class Killed(Exception):
    """Stands for the power cut."""


class FragileJournal(Journal):
    """A journal whose process dies at one append, just before or just after it."""

    def __init__(self, path: Path, appends_left: int, *, after: bool) -> None:
        super().__init__(path)
        self._appends_left = appends_left
        self._after = after

    def append(self, record: Mapping[str, Any]) -> None:
        self._appends_left -= 1
        if self._appends_left < 0 and not self._after:
            raise Killed
        super().append(record)
        if self._appends_left < 0:
            raise Killed


class MortalClient(ApiClient):
    """A client whose process dies at its n-th request."""

    requests_left = 10**9

    def get(self, *arguments: Any, **options: Any) -> Any:
        self.requests_left -= 1
        if self.requests_left < 0:
            raise Killed
        return super().get(*arguments, **options)
