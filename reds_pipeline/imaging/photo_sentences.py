"""Why a photo cannot be looked at, in words for the person who chose it.

What belongs here: one clause for each reason of ``ImageRejected``. What does not: the sentence
around it, which belongs to the page, the interface or the command that says it.
"""

from __future__ import annotations

from collections.abc import Mapping

SENTENCES: Mapping[str, str] = {
    "empty": "it holds no bytes; choose another file",
    "too_many_bytes": "it is larger than 20 MB; save it smaller",
    "not_an_image": "it is not a picture that can be read; choose a JPEG, PNG, WebP or HEIC file",
    "unsupported_format": "its format is not supported; save it as JPEG, PNG, WebP or HEIC",
    "heic_not_installed": "it is a HEIC photo, which cannot be opened here; export it as JPEG "
    "and choose that file",
    "too_many_pixels": "it has too many pixels; save it with at most 50 million",
    "too_small": "it is smaller than 32 pixels; choose a larger picture",
    "animated": "it is an animation; save one frame as a picture",
    "truncated": "it is cut off; copy or download it again",
    "undecodable": "it is damaged; copy or download it again",
}
"""Clauses by reason; each says what is wrong with "it" and what to do, without a full stop."""


def photo_sentence(reason: str) -> str:
    """Return what is wrong with a photo and what to do.

    Args:
        reason: Of an ``ImageRejected``.

    Returns:
        A clause that goes on from a colon: ``it is cut off; copy or download it again``.
    """
    return SENTENCES.get(reason, f"it was refused as {reason}; choose another file")
