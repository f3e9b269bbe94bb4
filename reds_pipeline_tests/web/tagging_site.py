"""Asking a served application for tags."""

from __future__ import annotations

import time
from typing import Any

import requests

SECONDS = 60.0
"""Longest wait for an answer; how long it takes says how busy the machine is."""


def wait_until_ready(address: str, models: int = 1) -> None:
    """Wait until so many models tag photos.

    Args:
        address: Of the application.
        models: How many champions the home has.
    """
    deadline = time.monotonic() + SECONDS
    while len(_state(address)["models"]) < models:
        assert time.monotonic() < deadline, "no model came"
        time.sleep(0.02)


def tag(address: str, data: bytes, **query: Any) -> requests.Response:
    """Send a photo in a form."""
    files = {"photo": ("somebody's name.jpg", data)}
    return requests.post(f"{address}/api/v1/tags", params=query, files=files, timeout=SECONDS)


def _state(address: str) -> dict[str, Any]:
    answer: dict[str, Any] = requests.get(f"{address}/api/v1/model", timeout=SECONDS).json()
    return answer
