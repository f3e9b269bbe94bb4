"""Recommendations and photos for tests of feedback."""

from __future__ import annotations

from io import BytesIO

import numpy as np
from PIL import Image

from reds_pipeline.feedback.consent import CONSENT
from reds_pipeline.feedback.contributions import Contribution
from reds_pipeline.feedback.desk import FeedbackDesk
from reds_pipeline.imaging.photo import read_photo
from reds_pipeline.storage.home import Home
from reds_pipeline.storage.ledger import Ledger
from reds_pipeline.tagging.recommendation import Recommendation, SuggestedTag

KNOWN = frozenset({"cat", "golden retriever", "beach", "sunset"})
PLACE_OF_THE_PHOTO = "Lighthouse Lane 7"


def suggested(tag: str, rank: int, probability: float = 0.5) -> SuggestedTag:
    return SuggestedTag(tag, tag.title(), probability, "maybe", rank, "reds-tagger", "3")


def recommended(*tags: str) -> Recommendation:
    suggestions = tuple(suggested(tag, rank, 0.8 / rank) for rank, tag in enumerate(tags, start=1))
    return Recommendation(suggestions, True, "centre", (), None, 160, 160, False, ())


def desk_of(home: Home, ledger: Ledger, **settings: bool | float) -> FeedbackDesk:
    return FeedbackDesk(home, ledger, known_tags=lambda: KNOWN, **settings)  # type: ignore[arg-type]


def taken_photo(seed: int, quality: int = 90) -> bytes:
    """A JPEG of coloured blocks whose metadata say where it was taken."""
    blocks = np.random.default_rng(seed).integers(0, 256, (8, 8, 3), dtype=np.uint8)
    picture = Image.fromarray(blocks).resize((160, 160), Image.Resampling.BICUBIC)
    exif = Image.Exif()
    exif[0x010E] = PLACE_OF_THE_PHOTO
    file = BytesIO()
    picture.save(file, "JPEG", quality=quality, exif=exif)
    return file.getvalue()


def given(desk: FeedbackDesk, data: bytes) -> Contribution:
    return desk.contribute(read_photo(data), CONSENT.version)
