from __future__ import annotations

import threading
import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from reds_pipeline.errors import ImageRejected
from reds_pipeline.imaging.photo import PhotoLimits
from reds_pipeline.imaging.photo_memory import PhotoGate, PhotoGateFull, memory_needed
from reds_pipeline_tests.hostile_files import heic
from reds_pipeline_tests.imaging.pictures import encoded, png_header, scene

LONG = 60.0


def test_a_progressive_jpeg_needs_its_coefficients() -> None:
    """Two bytes of each of 1.5 samples a pixel, which the decoder keeps until the last scan."""
    picture = scene(1600, 1200)
    plain = encoded(picture, quality=60)
    progressive = encoded(picture, quality=60, progressive=True)
    extra = memory_needed(progressive) - memory_needed(plain)
    assert extra == pytest.approx(3 * 1600 * 1200 + 2 * (len(progressive) - len(plain)))


def test_a_large_baseline_jpeg_needs_less_than_its_pixels() -> None:
    assert memory_needed(encoded(scene(4000, 3000))) < 4000 * 3000 * 5


@pytest.mark.parametrize("side", [224, 448])
def test_larger_squares_need_more_of_a_jpeg(side: int) -> None:
    data = encoded(scene(3000, 3000))
    assert memory_needed(data, side=2 * side) > memory_needed(data, side=side)


def test_what_fits_into_the_usual_memory() -> None:
    """50 million pixels of PNG and HEIC, as they are collected and as phones make them."""
    assert memory_needed(png_header(7000, 7000) + bytes(99)) < 768_000_000
    assert memory_needed(heic()) < 20_000_000


def test_what_needs_more_than_is_allowed_is_refused_by_its_header() -> None:
    with pytest.raises(ImageRejected, match="too_many_pixels"):
        memory_needed(encoded(scene(900, 900), "PNG"), PhotoLimits(max_memory=10_000_000))


def test_the_sum_of_what_is_let_in_stays_within_the_bound() -> None:
    gate = PhotoGate(100)
    most = 0
    lock = threading.Lock()

    def look(needed: int) -> None:
        nonlocal most
        with gate.room(needed, LONG), lock:
            most = max(most, gate.taken)

    with ThreadPoolExecutor(16) as pool:
        list(pool.map(look, [7, 60, 33, 100, 1, 45] * 50))
    assert 0 < most <= 100
    assert (gate.taken, gate.waiting) == (0, 0)


def test_a_large_photo_is_not_overtaken_for_ever() -> None:
    """Small ones that come later wait behind it, although they would fit."""
    gate = PhotoGate(100)
    order: list[str] = []

    def look(name: str, needed: int) -> None:
        with gate.room(needed, LONG):
            order.append(name)

    with ThreadPoolExecutor(2) as pool, gate.room(60, LONG):
        for waiting, (name, needed) in enumerate((("large", 90), ("small", 20)), start=1):
            pool.submit(look, name, needed)
            while gate.waiting < waiting:
                time.sleep(0.001)
        assert order == []
    assert order == ["large", "small"]


def test_who_waits_in_vain_leaves_no_trace() -> None:
    gate = PhotoGate(100)
    with gate.room(80, LONG):
        with pytest.raises(PhotoGateFull, match="try again"), gate.room(30, 0.01):
            pass
        assert (gate.taken, gate.waiting) == (80, 0)
        with gate.room(20, LONG):
            assert gate.taken == 100


def test_an_error_inside_gives_the_room_back() -> None:
    gate = PhotoGate(100)
    with pytest.raises(ValueError, match="broken"), gate.room(80, LONG):
        raise ValueError("broken")
    assert gate.taken == 0


def test_what_can_never_get_in_does_not_wait() -> None:
    with pytest.raises(ImageRejected, match="too_many_pixels"), PhotoGate(100).room(101, LONG):
        pass
