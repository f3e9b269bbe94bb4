"""Rows of the images and clean images tables for these tests."""

from __future__ import annotations

from typing import Any


def image_row(number: int, **changes: Any) -> dict[str, Any]:
    """Return the row of a stored colour image that is like no other; lower numbers are older.

    Args:
        number: 0 to 59.
        changes: Columns that differ from the usual.
    """
    row: dict[str, Any] = {
        "media_key": f"media-{number:02}",
        "post_key": f"post-{number:02}",
        "author_key": f"author-{number:02}",
        "created_at": f"2025-01-01T00:00:{number:02}Z",
        "tags": ["cat"],
        "position": 0,
        "album": False,
        "alt_text": "",
        "licence": "",
        "url": f"http://127.0.0.1/{number}.jpg",
        "collected_at": "2025-02-01T00:00:00Z",
        "status": "stored",
        "reason": "",
        "bytes": 1000,
        "width": 640,
        "height": 480,
        "sha256": f"sha-{number:02}",
        "extension": "jpg",
        "perceptual_hash": look(number),
        "colour_spread": 90.0,
        "mirrored_hash": look(number + 64),
        "scores": None,
    }
    return {**row, **changes}


def look(number: int, changed_bits: int = 0) -> str:
    """Return a perceptual hash, with some of its lowest bits flipped.

    Two numbers below 128 differ in 32 bits or in all (they are words of a Hadamard code and
    their complements).
    """
    word = sum(1 << place for place in range(64) if (place & number).bit_count() % 2)
    if number >= 64:
        word ^= (1 << 64) - 1
    return f"{word ^ ((1 << changed_bits) - 1):016x}"
