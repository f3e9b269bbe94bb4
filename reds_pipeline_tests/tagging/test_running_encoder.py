"""One encoder for many requests."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from numpy.typing import NDArray

from reds_pipeline.embedding.tiny import TinyEncoder
from reds_pipeline.tagging.live_state import TaggerBusy
from reds_pipeline.tagging.running_encoder import (
    MOST_TOGETHER,
    MOST_WAITING,
    EncoderDescription,
    RunningEncoder,
)

SIDE = 4
DESCRIPTION = EncoderDescription("means-1", SIDE, "numpy", "It is one.")

Squares = NDArray[np.uint8]
Features = NDArray[np.float32]


def means(squares: Squares) -> Features:
    return np.asarray(squares.mean(axis=(1, 2)), np.float32)


def square(value: int, count: int = 1) -> Squares:
    return np.full((count, SIDE, SIDE, 3), value, np.uint8)


def running(run: Callable[[Squares], Features] = means) -> RunningEncoder:
    return RunningEncoder(DESCRIPTION, run, TinyEncoder)


def test_every_request_gets_its_own_features_back() -> None:
    encoder = running()
    with ThreadPoolExecutor(16) as pool:
        values = list(range(200))
        answers = list(pool.map(lambda value: encoder.embed(square(value, 1 + value % 3)), values))
    encoder.retire()
    for value, answer in zip(values, answers, strict=True):
        assert answer.shape == (1 + value % 3, 3)
        assert (answer == value).all()


def test_what_waits_goes_through_together_but_not_too_much_of_it() -> None:
    """Together is faster, and memory stays bounded however many wait."""
    is_free, has_begun = threading.Event(), threading.Event()
    sizes: list[int] = []

    def waits_first(squares: Squares) -> Features:
        sizes.append(len(squares))
        has_begun.set()
        assert is_free.wait(30)
        return means(squares)

    encoder = running(waits_first)
    with ThreadPoolExecutor(41) as pool:
        pool.submit(encoder.embed, square(1))
        assert has_begun.wait(30)
        others = [pool.submit(encoder.embed, square(2)) for _ in range(40)]
        while encoder.waiting < len(others):
            threading.Event().wait(0.001)
        is_free.set()
        assert all((other.result() == 2).all() for other in others)
    encoder.retire()
    assert sizes == [1, MOST_TOGETHER, MOST_TOGETHER, 40 - 2 * MOST_TOGETHER]


def test_more_than_it_can_take_on_is_refused_at_once() -> None:
    is_free, has_begun = threading.Event(), threading.Event()

    def stuck(squares: Squares) -> Features:
        has_begun.set()
        assert is_free.wait(30)
        return means(squares)

    encoder = running(stuck)
    with ThreadPoolExecutor(MOST_WAITING + 1) as pool:
        first = pool.submit(encoder.embed, square(1))
        assert has_begun.wait(30)
        others = [pool.submit(encoder.embed, square(2)) for _ in range(MOST_WAITING)]
        while encoder.waiting < MOST_WAITING:
            threading.Event().wait(0.001)
        with pytest.raises(TaggerBusy, match="try again"):
            encoder.embed(square(3))
        is_free.set()
        assert len([future.result() for future in (first, *others)]) == MOST_WAITING + 1
    encoder.retire()


def test_a_failure_is_told_to_whoever_asked_and_to_nobody_after() -> None:
    def fails_on_black(squares: Squares) -> Features:
        if not squares.any():
            raise MemoryError
        return means(squares)

    encoder = running(fails_on_black)
    with pytest.raises(MemoryError):
        encoder.embed(square(0))
    assert (encoder.embed(square(9)) == 9).all()
    encoder.retire()


def test_a_retired_encoder_finishes_what_waits_and_answers_who_is_late() -> None:
    """A request that took its model just before another one served is not lost."""
    encoder = running()
    encoder.retire()
    encoder.retire()
    assert (encoder.embed(square(7)) == 7).all()


@pytest.mark.parametrize(
    "squares",
    [
        pytest.param(np.zeros((1, SIDE, SIDE + 1, 3), np.uint8), id="another size"),
        pytest.param(np.zeros((1, SIDE, SIDE, 3), np.float32), id="another type"),
    ],
)
def test_squares_that_are_none_are_refused_before_they_meet_others(squares: Squares) -> None:
    encoder = running()
    with pytest.raises(ValueError, match="the encoder takes uint8"):
        encoder.embed(squares)
    encoder.retire()


def test_the_encoder_itself_is_there_for_those_who_look_into_it() -> None:
    encoder = running()
    assert isinstance(encoder.reference(), TinyEncoder)
    encoder.retire()
