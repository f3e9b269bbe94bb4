from __future__ import annotations

from typing import Any

import pytest

from reds_pipeline.fediverse.attachments import (
    attachments_of,
    is_usable_picture,
    licence_of,
    media_url_refusal,
    size_of,
)


@pytest.mark.parametrize(
    ("url", "reason"),
    [
        ("https://pix.example/storage/m/_v2/1/a/b/c.jpg", ""),
        ("http://127.0.0.1:5000/storage/a.jpg?x=1", ""),
        ("https://m.example/media_proxy/12/original", "media_proxy"),
        ("https://pix.example/storage/no-preview.png", "placeholder"),
        ("https://pix.example/storage/No-Preview.JPG?v=1", "placeholder"),
        ("ftp://pix.example/a.jpg", "bad_url"),
        ("data:image/png;base64,AAAA", "bad_url"),
        ("/storage/a.jpg", "bad_url"),
        ("https://user@pix.example/a.jpg", "bad_url"),
        ("https://pix.example/a.jpg\r\nX: y", "bad_url"),
        ("https://[::1/a.jpg", "bad_url"),
        ("", "bad_url"),
    ],
)
def test_addresses_that_are_never_asked_for(url: str, reason: str) -> None:
    assert media_url_refusal(url) == reason


@pytest.mark.parametrize(
    ("attachment", "usable"),
    [
        ({"type": "image", "url": "https://pix.example/a.jpg"}, True),
        ({"type": "image", "url": None}, False),
        ({"type": "image", "preview_url": "https://pix.example/a.jpg"}, False),
        ({"type": "video", "url": "https://pix.example/a.mp4"}, False),
        ({"type": "gifv", "url": "https://pix.example/a.mp4"}, False),
        ({"type": "unknown", "url": "https://pix.example/a.jpg"}, False),
        ({}, False),
    ],
)
def test_only_still_pictures_with_an_address_are_usable(attachment: Any, usable: bool) -> None:
    assert is_usable_picture(attachment) is usable


@pytest.mark.parametrize(
    ("licence", "name"),
    [
        ({"id": 11, "title": "anything"}, "CC BY"),
        ({"id": "6"}, "CC0"),
        ({"id": 1}, ""),
        ({"id": 99}, ""),
        ({"id": True}, ""),
        ({"id": [11]}, ""),
        ("CC BY", ""),
        (None, ""),
    ],
)
def test_a_licence_is_known_or_reserves_all_rights(licence: Any, name: str) -> None:
    assert licence_of({"license": licence}) == name


@pytest.mark.parametrize(
    ("meta", "size"),
    [
        ({"original": {"width": 1920, "height": 1080}}, (1920, 1080)),
        ({"original": {"width": 1920}}, (1920, None)),
        ({"original": {"width": -1, "height": "9"}}, (None, None)),
        ({"original": {"width": True, "height": 2**40}}, (None, None)),
        ({"original": []}, (None, None)),
        (None, (None, None)),
    ],
)
def test_a_size_is_a_sensible_number_or_unknown(meta: Any, size: tuple[Any, Any]) -> None:
    assert size_of({"meta": meta}) == size


@pytest.mark.parametrize("value", [None, "x", 3, {"a": 1}])
def test_attachments_that_are_no_list_are_none(value: Any) -> None:
    assert attachments_of({"media_attachments": value}) == []
    assert attachments_of({"media_attachments": [value, {"id": 1}]})[-1] == {"id": 1}
