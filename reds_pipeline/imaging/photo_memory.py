"""How much memory reading a photo takes, and a gate that keeps the sum of it bounded.

What belongs here: the estimate from the header alone and the waiting. What does not: decoding.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from threading import Condition

from reds_pipeline.errors import ImageRejected, RedsError
from reds_pipeline.imaging.photo import USUAL_LIMITS, PhotoLimits, checked_header
from reds_pipeline.imaging.resize import SIDE


class PhotoGateFull(RedsError):
    """There was no room within the time that the caller wanted to wait."""

    retryable = True

    def __init__(self) -> None:
        super().__init__(
            "REDS is looking at as many photos as fit into its memory; try again in some seconds."
        )


def memory_needed(data: bytes, limits: PhotoLimits = USUAL_LIMITS, *, side: int = SIDE) -> int:
    """Return the bytes that a photo takes from reading to forgetting, besides the file itself.

    Nothing is decoded, so a bomb costs whoever asks no more than its bytes.

    Args:
        data: The file.
        limits: What is acceptable.
        side: Of the squares that will be asked for, in pixels.

    Raises:
        ImageRejected: The header is enough to refuse it; see ``photo.checked_header``.
    """
    return checked_header(data, limits, side=side).memory(side)


class PhotoGate:
    """Lets photos in as long as what they need together stays within a bound.

    First come, first in: small photos do not overtake a large one, which would never get in
    otherwise.

    Args:
        capacity: In bytes.
    """

    def __init__(self, capacity: int) -> None:
        self._capacity = capacity
        self._taken = 0
        self._queue: deque[object] = deque()
        self._changed = Condition()

    @property
    def taken(self) -> int:
        """Bytes that are held now."""
        return self._taken

    @property
    def waiting(self) -> int:
        """Photos that wait now."""
        return len(self._queue)

    @contextmanager
    def room(self, needed: int, timeout: float) -> Iterator[None]:
        """Hold memory for as long as the block runs; the calling thread waits for it.

        Args:
            needed: From ``memory_needed``, in bytes.
            timeout: Seconds to wait at most.

        Raises:
            PhotoGateFull: There was no room within the timeout.
            ImageRejected: ``too_many_pixels`` when it needs more than there is at all.
        """
        if needed > self._capacity:
            raise ImageRejected("too_many_pixels")
        self._enter(needed, timeout)
        try:
            yield
        finally:
            with self._changed:
                self._taken -= needed
                self._changed.notify_all()

    def _enter(self, needed: int, timeout: float) -> None:
        ticket = object()
        with self._changed:
            self._queue.append(ticket)
            try:
                has_room = self._changed.wait_for(
                    lambda: self._queue[0] is ticket and self._taken + needed <= self._capacity,
                    timeout,
                )
                if not has_room:
                    raise PhotoGateFull
                self._taken += needed
            finally:
                self._queue.remove(ticket)
                self._changed.notify_all()
