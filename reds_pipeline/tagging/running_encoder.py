"""One encoder that many requests share.

What belongs here: running what waits together, in one thread of its own, and never more than a
bounded amount of it. What does not: choosing how the encoder is run (``loading.py``).

One thread runs the encoder, because the libraries behind it keep threads and memory for every
thread that calls them, and share all cores within one call already. Whatever has come in by the
time it is free goes through the encoder together; it never waits for more to come.
"""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from reds_pipeline.embedding.encoder import Encoder
from reds_pipeline.tagging.live_state import TaggerBusy

Squares = NDArray[np.uint8]
Features = NDArray[np.float32]

MOST_TOGETHER = 16
"""Squares in the encoder at once; one more request is taken on before that than fits."""
MOST_WAITING = 256
"""Requests that wait at most; 128 small photos a second would wait two seconds."""


@dataclass(frozen=True)
class EncoderDescription:
    """Which encoder runs, and how.

    Attributes:
        encoder_id: Its embeddings' name.
        side: Of the squares that it takes, in pixels.
        engine: What runs it, such as ``pytorch``.
        reason: Why that, as a sentence.
    """

    encoder_id: str
    side: int
    engine: str
    reason: str


@dataclass(frozen=True, eq=False)
class _Request:
    squares: Squares
    answer: Future[Features]


class RunningEncoder:
    """An encoder that is ready to run; safe to use from many threads.

    Args:
        description: Which and how.
        run: Gives float32 features (n, dimension) of squares uint8 (n, side, side, 3).
        reference: Gives the encoder itself, for those who look into it; may have to load it.

    Attributes:
        description: As given.
    """

    def __init__(
        self,
        description: EncoderDescription,
        run: Callable[[Squares], Features],
        reference: Callable[[], Encoder],
    ) -> None:
        self.description = description
        self._run = run
        self._reference = reference
        self._waiting: queue.SimpleQueue[_Request | None] = queue.SimpleQueue()
        self._entrance = threading.Lock()
        self._alone = threading.Lock()
        self._is_retired = False
        self._thread = threading.Thread(
            target=self._work, name=f"encoder {description.encoder_id}", daemon=True
        )
        self._thread.start()

    @property
    def waiting(self) -> int:
        """Requests that wait now."""
        return self._waiting.qsize()

    def embed(self, squares: Squares) -> Features:
        """Return float32 (n, dimension) features of uint8 (n, side, side, 3), waiting for them.

        Raises:
            TaggerBusy: Too many wait already.
            ValueError: The squares have another size or type.
        """
        side = self.description.side
        if squares.dtype != np.uint8 or squares.shape[1:] != (side, side, 3):
            raise ValueError(f"the encoder takes uint8 (n, {side}, {side}, 3), not {squares.shape}")
        request = _Request(squares, Future())
        with self._entrance:
            is_retired = self._is_retired
            if not is_retired:
                if self.waiting >= MOST_WAITING:
                    raise TaggerBusy(
                        "Too many photos wait to be tagged already; try again in a few seconds."
                    )
                self._waiting.put(request)
        if is_retired:
            with self._alone:
                return self._run(squares)
        return request.answer.result()

    def reference(self) -> Encoder:
        """Return the encoder itself, loading it where something else runs in its place.

        Raises:
            RedsError: It cannot be had any more.
        """
        return self._reference()

    def retire(self) -> None:
        """Give the thread back once all that waits is done; requests that are late still run."""
        with self._entrance:
            if not self._is_retired:
                self._is_retired = True
                self._waiting.put(None)

    def _work(self) -> None:
        is_over = False
        while not is_over:
            first = self._waiting.get()
            if first is None:
                return
            requests, is_over = self._with_others(first)
            _answer(requests, self._run)

    def _with_others(self, first: _Request) -> tuple[list[_Request], bool]:
        """Return a request with those that wait behind it, and whether none will come any more."""
        requests, count = [first], len(first.squares)
        while count < MOST_TOGETHER:
            try:
                request = self._waiting.get_nowait()
            except queue.Empty:
                break
            if request is None:
                return requests, True
            requests.append(request)
            count += len(request.squares)
        return requests, False


def _answer(requests: list[_Request], run: Callable[[Squares], Features]) -> None:
    """Run requests together and give each its own part."""
    together = [request.squares for request in requests]
    try:
        features = run(together[0] if len(together) == 1 else np.concatenate(together))
    except BaseException as error:
        # Whoever waits is told, whatever it is.
        for request in requests:
            request.answer.set_exception(error)
        return
    start = 0
    for request in requests:
        stop = start + len(request.squares)
        request.answer.set_result(features[start:stop])
        start = stop
