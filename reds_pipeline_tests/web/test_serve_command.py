"""What `reds serve` says when it starts."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from reds_pipeline.commands.serving import greeting
from reds_pipeline.settings import load_settings

ADDRESS = "http://127.0.0.1:8080"


@pytest.mark.parametrize(
    ("host", "changed", "is_open"),
    [
        pytest.param("127.0.0.1", {}, True, id="this machine"),
        pytest.param("0.0.0.0", {}, False, id="other machines"),
        pytest.param("127.0.0.1", {"page_hosts": ("tags.example",)}, False, id="by a name"),
        pytest.param("127.0.0.1", {"trusted_proxies": ("127.0.0.1",)}, False, id="by a proxy"),
        pytest.param("0.0.0.0", {"operator_password_hash": "a hash"}, True, id="with a password"),
        pytest.param("0.0.0.0", {"operator_token": "a" * 20}, False, id="for programs only"),
    ],
)
def test_a_closed_review_gallery_is_said_with_what_opens_it(
    tmp_path: Path, host: str, changed: dict[str, Any], is_open: bool
) -> None:
    """An operator would otherwise be sent to an address that refuses to answer."""
    said = greeting(load_settings(home=tmp_path, **changed), host, ADDRESS)
    assert f"Tag photos: {ADDRESS}\n" in said
    assert (f"{ADDRESS}/review" in said) == is_open
    assert ("`reds password`" in said) != is_open
