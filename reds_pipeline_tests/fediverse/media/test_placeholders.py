from __future__ import annotations

import pytest

from reds_pipeline.fediverse.media.placeholders import Placeholders

PNG = b"\x89PNG\r\n\x1a\n no preview"
HOST = "https://pix.example:443"


class Files:
    def __init__(self, data: bytes) -> None:
        self.data = data
        self.asked: list[str] = []

    def read(self, address: str) -> bytes:
        self.asked.append(address)
        return self.data


def test_the_placeholder_is_known_by_its_bytes_and_read_once_per_host() -> None:
    files = Files(PNG)
    placeholders = Placeholders(files.read)
    assert placeholders.shows(HOST, "/storage/m/a.jpg", PNG)
    assert not placeholders.shows(HOST, "/storage/m/a.jpg", PNG + b"!")
    assert placeholders.shows("https://other.example:443", "/storage/m/b.png", PNG)
    assert files.asked == [
        f"{HOST}/storage/no-preview.png",
        "https://other.example:443/storage/no-preview.png",
    ]


@pytest.mark.parametrize(
    ("path", "data"),
    [("/storage/m/a.jpg", b"\xff\xd8\xff a JPEG"), ("/media/a.png", PNG)],
)
def test_a_host_that_cannot_have_sent_it_is_not_asked(path: str, data: bytes) -> None:
    files = Files(PNG)
    assert not Placeholders(files.read).shows(HOST, path, data)
    assert files.asked == []


def test_a_host_without_a_placeholder_shows_none() -> None:
    assert not Placeholders(Files(b"").read).shows(HOST, "/storage/m/a.png", PNG)
