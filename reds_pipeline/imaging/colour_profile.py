"""Whether some bytes are an ICC colour profile worth keeping.

What belongs here: the one test that lets a profile through when metadata is stripped. What does
not: colour conversion. A profile is kept because the colours depend on it; anything that only
poses as one is metadata and goes.
"""

from __future__ import annotations

_HEADER_BYTES = 128
_SIGNATURE = slice(36, 40)


def is_colour_profile(profile: bytes) -> bool:
    """Return whether the bytes are an ICC profile by their header (ICC.1:2022, section 7.2)."""
    return (
        len(profile) >= _HEADER_BYTES
        and int.from_bytes(profile[:4], "big") == len(profile)
        and profile[_SIGNATURE] == b"acsp"
    )
