"""The gallery as the page reads it.

What belongs here: names and shape of the JSON. What does not: what the numbers mean
(``review.gallery``).
"""

from __future__ import annotations

import gzip
import json
import threading
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from reds_pipeline.review.decisions import RecordedDecision
from reds_pipeline.review.desk import Progress, ReviewedGallery
from reds_pipeline.review.gallery import GalleryPicture

# Ten thousand pictures are 5 MB of JSON; the fastest level leaves a tenth of it.
_FASTEST = 1


@dataclass(frozen=True)
class GalleryAnswer:
    """One state of the gallery, ready to be sent.

    Attributes:
        revision: Its name.
        plain: JSON in UTF-8.
        compressed: The same with gzip.
    """

    revision: str
    plain: bytes
    compressed: bytes


class GalleryAnswers:
    """The latest answer, made once for each revision; safe to use from several threads.

    Args:
        per_class: How many pictures a class is to have.
    """

    def __init__(self, per_class: int) -> None:
        self._per_class = per_class
        self._lock = threading.Lock()
        self._latest: GalleryAnswer | None = None

    def answer(self, reviewed: ReviewedGallery) -> GalleryAnswer:
        """Return what to send for a state of the gallery."""
        with self._lock:
            if self._latest is None or self._latest.revision != reviewed.revision:
                content = gallery_json(reviewed, self._per_class)
                plain = json.dumps(content, ensure_ascii=False, separators=(",", ":")).encode()
                compressed = gzip.compress(plain, _FASTEST, mtime=0)
                self._latest = GalleryAnswer(reviewed.revision, plain, compressed)
            return self._latest


def gallery_json(reviewed: ReviewedGallery, per_class: int) -> dict[str, Any]:
    """Return everything that the page shows.

    Args:
        reviewed: The pictures and what was decided.
        per_class: How many pictures a class is to have.
    """
    return {
        "classes": list(reviewed.gallery.classes),
        "per_class": per_class,
        "pictures": [
            picture_json(picture, reviewed.decisions.get(picture.sha256))
            for picture in reviewed.gallery.pictures
        ],
        "progress": progress_json(reviewed.progress),
        "revision": reviewed.revision,
    }


def picture_json(picture: GalleryPicture, recorded: RecordedDecision | None) -> dict[str, Any]:
    """Return one picture with what was decided about it."""
    decided = decision_json(recorded)
    return {
        "id": picture.sha256,
        "class": decided["label"] or picture.class_name,
        "class_in_set": picture.class_name,
        "collected_as": picture.collected_as,
        "state": "kept" if picture.is_kept else "dropped",
        "reason": picture.reason,
        "flags": picture.flags,
        **decided,
        "applied": picture.applied,
        "rank": picture.rank,
        "suspect": picture.is_suspect,
        "guess": picture.guess,
        "guess_probability": picture.guess_probability,
        "class_probability": picture.class_probability,
        "outlier": picture.is_outlier,
        "why": picture.why,
        "group": picture.group,
        "keeper": picture.is_keeper,
        "keeper_why": picture.keeper_why,
        "author": picture.author,
        "width": picture.width,
        "height": picture.height,
        "bytes": picture.bytes,
        "alt": picture.alt,
        "posted": picture.posted,
        "blurred": picture.is_blurred,
    }


def decision_json(recorded: RecordedDecision | None) -> Mapping[str, str]:
    """Return the part of a picture that decisions change."""
    if recorded is None:
        return {"decision": "", "label": ""}
    return {"decision": recorded.decision.verdict, "label": recorded.decision.label}


def progress_json(progress: Progress) -> Mapping[str, int]:
    """Return how far a review has come."""
    return {"decided": progress.decided, "total": progress.total}
