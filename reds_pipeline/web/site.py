"""What all pages and interfaces of one installation share.

What belongs here: the parts that routers are made from, and the limits that people are told.
What does not: making the parts (``application.py``) and using them (the routers).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

from starlette.requests import Request
from starlette.responses import HTMLResponse

from reds_pipeline.resources import Platform
from reds_pipeline.settings import Settings

if TYPE_CHECKING:
    from reds_pipeline.feedback.desk import FeedbackDesk
    from reds_pipeline.tagging.photo_tagger import PhotoTagger
    from reds_pipeline.web.metrics import Metrics
    from reds_pipeline.web.operator_gate import OperatorGate
    from reds_pipeline.web.photo_queue import PhotoQueue
    from reds_pipeline.web.rate_limits import RateLimits

_MEGABYTE = 1_000_000
_PHOTO_BYTES = 20 * _MEGABYTE
# What surrounds the photos of an upload: boundaries, headers of parts, and typed fields.
_FIELD_BYTES = _MEGABYTE


class PageMaker(Protocol):
    """Makes pages of templates."""

    def __call__(
        self, name: str, request: Request, context: dict[str, Any], status_code: int = 200
    ) -> HTMLResponse:
        """Return a page.

        Args:
            name: Of the template's file.
            request: That is answered.
            context: What the template needs.
            status_code: HTTP status.
        """


@dataclass(frozen=True)
class SiteLimits:
    """What one upload and one address may ask for.

    Attributes:
        photos_at_once: Photos that one upload may hold.
        photos_per_minute: Photos that one address may have tagged in a minute.
        photo_bytes: Largest file of one photo.
        upload_bytes: Largest upload, all its photos together.
        held_bytes: Largest sum of the uploads that are being received or answered.
        decoded_bytes: Memory that photos being read may take together.
        field_bytes: Largest sum of what was typed beside the photos.
        idle_seconds: Longest pause of an upload.
        upload_seconds: Longest upload.
        waiting_photos: Photos that may wait for others to be done.
        patience_seconds: Longest wait of a photo.
    """

    photos_at_once: int
    photos_per_minute: int
    photo_bytes: int
    upload_bytes: int
    held_bytes: int
    decoded_bytes: int
    field_bytes: int = _FIELD_BYTES
    idle_seconds: float = 20.0
    upload_seconds: float = 300.0
    waiting_photos: int = 100
    patience_seconds: float = 30.0

    @classmethod
    def of(cls, settings: Settings) -> SiteLimits:
        """Return the limits that follow from an operator's settings.

        A quarter of ``photo_memory_mb`` is for files as they were sent, the rest for their
        pixels; one upload may take half of that quarter, so that two never lock each other out.
        """
        memory = settings.photo_memory_mb * _MEGABYTE
        held = memory // 4
        all_photos = settings.photos_at_once * _PHOTO_BYTES + _FIELD_BYTES
        return cls(
            photos_at_once=settings.photos_at_once,
            photos_per_minute=settings.photos_per_minute,
            photo_bytes=_PHOTO_BYTES,
            upload_bytes=min(all_photos, held // 2),
            held_bytes=held,
            decoded_bytes=memory - held,
        )


@dataclass(frozen=True, eq=False)
class Site:
    """The parts of one installation as the routers get them.

    Attributes:
        platform: Home, ledger, tracking and settings.
        tagger: Asks the models that serve now.
        feedback: What people said about suggestions, and the photos they gave.
        operator: Who may see what is not for everybody.
        page: Makes pages.
        limits: What may be asked for.
        queue: Where photos wait for their turn.
        rates: How often one address may ask.
        metrics: What is counted for the operator.
        is_public: Whether other machines can reach the pages, directly or through a proxy.
    """

    platform: Platform
    tagger: PhotoTagger
    feedback: FeedbackDesk
    operator: OperatorGate
    page: PageMaker
    limits: SiteLimits
    queue: PhotoQueue
    rates: RateLimits
    metrics: Metrics
    is_public: bool
