"""What one upload and one address may ask for.

What belongs here: the limits that people are told, and how they follow from the settings. What
does not: keeping to them (``body_limits.py``, ``photo_queue.py``, ``rate_limits.py``).
"""

from __future__ import annotations

from dataclasses import dataclass

from reds_pipeline.settings import Settings

_MEGABYTE = 1_000_000
_PHOTO_BYTES = 20 * _MEGABYTE
# What surrounds the photos of an upload: boundaries, headers of parts, and typed fields.
_FIELD_BYTES = _MEGABYTE


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
