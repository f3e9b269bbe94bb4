"""Photos that somebody gave, as the page would have kept them, for tests of learning from them."""

from __future__ import annotations

import hashlib

from reds_pipeline.feedback.contributions import (
    ContributedTag,
    Contribution,
    How,
    store_contribution,
)
from reds_pipeline.imaging.examine import examine_image
from reds_pipeline.storage.home import Home


def give(
    home: Home, data: bytes, tag: str = "cat", how: How = "unprompted", number: int = 0
) -> Contribution:
    """Keep a photo and what it was called.

    Args:
        home: Where.
        data: Of the file, which is cleaned first.
        tag: Its only tag.
        how: How the tag came about.
        number: 0 to 59; makes contributions differ, the higher the newer.
    """
    examined = examine_image(data)
    contribution = Contribution(
        id=hashlib.sha256(f"contribution {number}".encode()).hexdigest()[:32],
        sha256=hashlib.sha256(examined.data).hexdigest(),
        extension=examined.extension,
        at=f"2026-11-01T00:00:{number:02}Z",
        width=examined.width,
        height=examined.height,
        perceptual_hash=examined.perceptual_hash,
        mirrored_hash=examined.mirrored_hash,
        consent="test",
        delete_after="2999-01-01T00:00:00Z",
        tags=(ContributedTag(tag, how),),
    )
    store_contribution(home, contribution, examined.data)
    return contribution
