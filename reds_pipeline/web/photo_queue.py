"""Where photos wait for their turn, so that many at once make REDS slow and never ill.

What belongs here: how many photos are worked on at once, how many may wait and how long, and the
memory that they take together. What does not: what is done with a photo.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import TypeVar

import anyio
import anyio.to_thread

from reds_pipeline.errors import ImageRejected
from reds_pipeline.imaging.photo import Photo, PhotoLimits, read_photo
from reds_pipeline.imaging.photo_memory import PhotoGate, PhotoGateFull, memory_needed
from reds_pipeline.tagging.live_state import NoModelYet, TaggerBusy
from reds_pipeline.web.sentences import Refusal, photo_refusal
from reds_pipeline.web.site_limits import SiteLimits

Answer = TypeVar("Answer")

_MODEL_SECONDS = 10
_BUSY_SECONDS = 5


class PhotoQueue:
    """Reads photos and works on them in threads, a few at a time.

    Args:
        limits: Of the site.
        side: Tells which squares the encoders that serve now will ask a photo for.
        workers: Photos that are worked on at once.
    """

    def __init__(self, limits: SiteLimits, side: Callable[[], int], workers: int) -> None:
        self._side = side
        self._patience = limits.patience_seconds
        self._most_waiting = limits.waiting_photos
        self._gate = PhotoGate(limits.decoded_bytes)
        self._photo_limits = PhotoLimits(
            max_bytes=limits.photo_bytes, max_memory=limits.decoded_bytes
        )
        self._workers = workers
        self._turns = asyncio.Semaphore(workers)
        self._threads: anyio.CapacityLimiter | None = None
        self._waiting = 0

    @property
    def waiting(self) -> int:
        """Photos whose turn has not come."""
        return self._waiting

    async def work(self, data: bytes, action: Callable[[Photo], Answer]) -> Answer:
        """Read a photo and do something with it, when its turn has come.

        Args:
            data: The file.
            action: Called in a thread, which may take its time.

        Raises:
            Refusal: It is no usable photo, too many wait, or there is no model yet.
        """
        if self._waiting >= self._most_waiting:
            raise _busy()
        self._waiting += 1
        try:
            await asyncio.wait_for(self._turns.acquire(), self._patience)
        except TimeoutError:
            raise _busy() from None
        finally:
            self._waiting -= 1
        try:
            # Made here because it belongs to the event loop that serves.
            self._threads = self._threads or anyio.CapacityLimiter(self._workers)
            return await anyio.to_thread.run_sync(
                self._read_and_act, data, action, limiter=self._threads
            )
        finally:
            self._turns.release()

    def _read_and_act(self, data: bytes, action: Callable[[Photo], Answer]) -> Answer:
        try:
            side = self._side()
            needed = memory_needed(data, self._photo_limits, side=side)
            with self._gate.room(needed, self._patience):
                return action(read_photo(data, self._photo_limits, side=side))
        except ImageRejected as error:
            raise photo_refusal(error) from error
        except (PhotoGateFull, TaggerBusy) as error:
            raise _busy() from error
        except NoModelYet as error:
            raise Refusal(503, "no_model", str(error), retry_after=_MODEL_SECONDS) from error


def _busy() -> Refusal:
    return Refusal(
        503,
        "busy",
        "The photo was not tagged because many others wait already; send it again in "
        f"{_BUSY_SECONDS} seconds.",
        retry_after=_BUSY_SECONDS,
    )
