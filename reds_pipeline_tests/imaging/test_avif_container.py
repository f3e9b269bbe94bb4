"""An AVIF that claims another size than its streams have would take memory that nobody allowed."""

from __future__ import annotations

import struct

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from reds_pipeline.errors import ImageRejected
from reds_pipeline.imaging.av1_stream import most_pixels
from reds_pipeline.imaging.avif_container import avif_pixels
from reds_pipeline.imaging.decoding import open_image
from reds_pipeline.imaging.examine import ImageLimits, examine_image
from reds_pipeline.imaging.photo import read_photo
from reds_pipeline.imaging.photo_memory import memory_needed
from reds_pipeline_tests.hostile_files import hostile_files
from reds_pipeline_tests.imaging.pictures import encoded, scene

BLOCK = 128
LIAR = next(file.data for file in hostile_files() if file.name.endswith("that claims 64 x 64"))
FRAME = bytes([6 << 3 | 2, 1, 0])


def bits(*fields: tuple[int, int]) -> bytes:
    """Return numbers, each in so many bits, as bytes."""
    text = "".join(f"{number:0{count}b}" for number, count in fields)
    return int(text.ljust(-(-len(text) // 8) * 8, "0"), 2).to_bytes(-(-len(text) // 8), "big")


def unit(kind: int, payload: bytes) -> bytes:
    """Return a unit of an AV1 stream with its length."""
    return bytes([kind << 3 | 2, len(payload)]) + payload


def size_fields(width: int, height: int) -> tuple[tuple[int, int], ...]:
    """Return how a sequence header states its largest frame."""
    counts = (width - 1).bit_length(), (height - 1).bit_length()
    stated = ((width - 1, counts[0]), (height - 1, counts[1]))
    return (counts[0] - 1, 4), (counts[1] - 1, 4), *stated


def box(kind: bytes, *parts: bytes) -> bytes:
    """Return a box of a file."""
    content = b"".join(parts)
    return struct.pack(">I4s", 8 + len(content), kind) + content


def container(iloc: bytes, *more: bytes, items: int = 1, brand: bytes = b"avif") -> bytes:
    """Return the boxes of a file of AV1 pictures that lie where ``iloc`` says."""
    entries = [
        box(b"infe", bytes([2, 0, 0, 0]), struct.pack(">HH4sx", number, 0, b"av01"))
        for number in range(1, items + 1)
    ]
    list_of_items = box(b"iinf", bytes(4), struct.pack(">H", items), *entries)
    meta = box(b"meta", bytes(4), list_of_items, box(b"iloc", iloc), *more)
    return box(b"ftyp", brand, bytes(4), b"avif") + meta


def places(*lengths: int, source: int = 1) -> bytes:
    """Return an ``iloc`` of one item in parts that lie one behind the other."""
    starts = np.cumsum([0, *lengths])[:-1]
    parts = b"".join(map(struct.Struct(">II").pack, map(int, starts), lengths))
    return (
        bytes([1, 0, 0, 0, 0x44, 0]) + struct.pack(">HHHHH", 1, 1, source, 0, len(lengths)) + parts
    )


STILL = unit(1, bits((0, 3), (1, 1), (1, 1), (0, 5), *size_fields(1000, 300))) + FRAME


@pytest.mark.parametrize("options", [{}, {"subsampling": "4:4:4"}, {"quality": 100}], ids=str)
@settings(max_examples=10, deadline=None)
@given(width=st.integers(1, 400), height=st.integers(1, 400))
def test_an_honest_picture_is_what_it_claims(
    options: dict[str, object], width: int, height: int
) -> None:
    data = encoded(scene(width, height), "AVIF", speed=10, **options)
    blocks = -(-width // BLOCK) * -(-height // BLOCK)
    assert avif_pixels(data) == blocks * BLOCK**2


def test_alpha_counts_as_the_picture_that_it_is() -> None:
    picture = scene(200, 100)
    picture.putalpha(picture.convert("L"))
    assert avif_pixels(encoded(picture, "AVIF")) == 2 * 256 * 128


@pytest.mark.req("R-PRD-5")
def test_the_decoder_believes_the_claim_and_we_do_not() -> None:
    assert open_image(LIAR, "AVIF").size == (64, 64)
    for ask in (read_photo, memory_needed, examine_image):
        with pytest.raises(ImageRejected, match="too_many_pixels"):
            ask(LIAR)


def test_a_smaller_lie_needs_the_memory_of_the_truth() -> None:
    """Frames below the limit are let in, with as much room as they take."""
    data = encoded(scene(1024, 768), "AVIF", speed=10)
    place = data.index(b"ispe") + 8
    liar = data[:place] + struct.pack(">II", 64, 64) + data[place + 8 :]
    assert memory_needed(liar) == pytest.approx(memory_needed(data), rel=0.5)
    with pytest.raises(ImageRejected, match="too_many_pixels"):
        examine_image(liar, ImageLimits(max_pixels=700_000))


def test_a_still_picture_has_the_size_of_its_sequence() -> None:
    assert most_pixels(STILL) == 1024 * 384


def test_every_frame_counts() -> None:
    """Layers and references are kept side by side."""
    assert most_pixels(STILL + FRAME * 6 + unit(3, b"\0")) == 8 * 1024 * 384


TIMING = ((1, 1), (0, 64), (0, 1))
MODEL = ((1, 1), (9, 5), (0, 42))
POINT = ((0, 12), (5, 5))


@pytest.mark.parametrize(
    "fields",
    [
        pytest.param(((0, 1), (0, 1), (0, 5), *POINT), id="no timing"),
        pytest.param(((0, 1), (0, 1), (0, 5), (0, 12), (9, 5), (1, 1)), id="tier"),
        pytest.param((*TIMING, (0, 1), (0, 1), (0, 5), *POINT), id="timing"),
        pytest.param(
            ((1, 1), (0, 64), (1, 1), (1, 3), (0, 2), (0, 1), (0, 1), (0, 5), *POINT),
            id="equal intervals",
        ),
        pytest.param(
            (*TIMING, *MODEL, (0, 1), (0, 5), *POINT, (1, 1), (0, 21)), id="decoder model"
        ),
        pytest.param(((0, 1), (1, 1), (1, 5), *POINT, (1, 1), (9, 4), *POINT, (0, 1)), id="delays"),
    ],
)
def test_a_film_may_have_frames_as_large_as_its_numbers(
    fields: tuple[tuple[int, int], ...],
) -> None:
    """Such a frame states its own size, which decoders do not compare with the largest one."""
    header = bits((0, 3), (0, 1), (0, 1), *fields, *size_fields(1000, 300))
    assert most_pixels(unit(1, header) + FRAME) == 1024 * 512


@pytest.mark.parametrize(
    "stream",
    [
        pytest.param(unit(2, b"") * 1_001, id="units without end"),
        pytest.param(bytes([1 << 3 | 2, 100, 0]), id="a unit that is too long"),
        pytest.param(bytes([1 << 3 | 2]) + b"\xff" * 9, id="a length without end"),
        pytest.param(unit(1, b"\x18"), id="half a sequence header"),
        pytest.param(unit(1, b"\x00\xff\xff"), id="half of a film's"),
        pytest.param(
            unit(1, bits((0, 5), (1, 1), (0, 64), (1, 1)) + bytes(90)), id="a number of zeros"
        ),
    ],
)
def test_a_broken_stream_is_refused(stream: bytes) -> None:
    with pytest.raises(ImageRejected, match="undecodable"):
        most_pixels(stream)


def test_a_stream_may_lie_in_parts() -> None:
    """No search for the header in the file would find it."""
    where = places(1, 5, len(STILL) - 6)
    assert avif_pixels(container(where, box(b"idat", STILL))) == 1024 * 384


def test_a_claim_that_is_larger_than_the_stream_counts() -> None:
    """The decoder makes tiles as large as they claim to be."""
    claim = box(b"ispe", bytes(4), struct.pack(">II", 5000, 4000))
    said = box(b"ipma", bytes(4), struct.pack(">IHBB", 1, 1, 1, 0x81))
    properties = box(b"iprp", box(b"ipco", claim), said)
    file = container(places(len(STILL)), box(b"idat", STILL), properties)
    assert avif_pixels(file) == 5000 * 4000


@pytest.mark.parametrize(
    "data",
    [
        pytest.param(container(places(len(STILL))), id="no bytes"),
        pytest.param(container(places(len(STILL)), box(b"idat", STILL[:-1])), id="too few bytes"),
        pytest.param(container(places(0), box(b"idat", STILL)), id="no length"),
        pytest.param(container(places(9, source=2), box(b"idat", STILL)), id="in another item"),
        pytest.param(container(b"\x07" + bytes(20)), id="unknown version"),
        pytest.param(container(places(*[len(STILL)] * 9)[:30]), id="cut off"),
        pytest.param(
            container(places(len(STILL)), box(b"idat", STILL), box(b"idat", STILL)), id="two boxes"
        ),
        pytest.param(
            container(places(len(STILL)), box(b"idat", STILL))[:-1], id="last box cut off"
        ),
        pytest.param(box(b"ftyp", b"avif", bytes(4), b"avif"), id="no picture"),
        pytest.param(box(b"ftyp", b"avif", bytes(4), b"avif") + b"\0\0\0\1meta", id="half a box"),
    ],
)
def test_boxes_that_do_not_say_where_are_refused(data: bytes) -> None:
    with pytest.raises(ImageRejected, match="undecodable"):
        avif_pixels(data)


def test_a_track_is_played_and_so_refused() -> None:
    file = container(places(len(STILL)), box(b"idat", STILL), brand=b"avis")
    with pytest.raises(ImageRejected, match="animated"):
        avif_pixels(file + box(b"moov"))


def test_items_that_share_all_bytes_do_not_keep_us_busy() -> None:
    """A thousand items of the same 100 kB would have 100 MB read for a file of 130 kB."""
    count = 1_000
    shared = STILL + bytes([5 << 3]) + bytes(100_000)
    items = b"".join(
        struct.pack(">HHHHII", number, 1, 0, 1, 0, len(shared)) for number in range(1, count + 1)
    )
    where = bytes([1, 0, 0, 0, 0x44, 0]) + struct.pack(">H", count) + items
    with pytest.raises(ImageRejected, match="undecodable"):
        avif_pixels(container(where, box(b"idat", shared), items=count))


@settings(max_examples=200, deadline=None)
@given(data=st.data())
def test_no_damage_is_more_than_a_refusal(data: st.DataObject) -> None:
    file = bytearray(encoded(scene(), "AVIF", speed=10))
    for _ in range(data.draw(st.integers(1, 6))):
        file[data.draw(st.integers(12, 500))] = data.draw(st.integers(0, 255))
    try:
        assert avif_pixels(bytes(file)) >= 0
    except ImageRejected as refusal:
        assert refusal.reason in {"undecodable", "animated"}
