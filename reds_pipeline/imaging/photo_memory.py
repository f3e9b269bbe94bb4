"""How much memory reading a photo takes, and a gate that keeps the sum of it bounded.

What belongs here: the estimate from the header alone and the waiting. What does not: decoding.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from reds_pipeline.errors import RedsError
from reds_pipeline.imaging.photo import USUAL_LIMITS, PhotoLimits


class PhotoGateFull(RedsError):
    """No room within the time that the caller wanted to wait."""

    retryable = True


def memory_needed(data: bytes, limits: PhotoLimits = USUAL_LIMITS) -> int:
    """Return the bytes that ``read_photo`` and all views take at their peak, besides the file.

    Decodes nothing, so that whoever asks has spent nothing on a bomb.

    Args:
        data: The file.
        limits: What is acceptable.

    Raises:
        ImageRejected: What the header says is enough to refuse it.
    """
    raise NotImplementedError


class PhotoGate:
    """Lets photos in as long as what they need together stays below a bound; first come first.

    Args:
        capacity: In bytes.
    """

    def __init__(self, capacity: int) -> None:
        self._capacity = capacity

    @contextmanager
    def room(self, needed: int, timeout: float) -> Iterator[None]:
        """Hold ``needed`` bytes for as long as the block runs; blocks the thread until then.

        Args:
            needed: From ``memory_needed``.
            timeout: Seconds to wait at most.

        Raises:
            PhotoGateFull: Not within the timeout.
            ImageRejected: ``too_many_pixels`` when it needs more than there is at all.
        """
        raise NotImplementedError
        yield
