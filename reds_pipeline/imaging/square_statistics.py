"""Numbers about the 224 squares, found in one pass over batches of them.

What belongs here: sides, pixels, dynamic range, the channels' extremes and the mean picture of
each class (R-IMG-7, R-IMG-8, R-IMG-9, R-IMG-11). What does not: numbers about the original files
(``statistics.py``) and drawing. Memory is that of one batch, however many pictures there are.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

WHITE = 255
"""The largest value of a channel; squares stay bytes until a backbone divides by it (R-IMG-10)."""

CHANNELS = ("red", "green", "blue")


@dataclass(frozen=True)
class DynamicRange:
    """Largest minus smallest value of a picture, over many pictures (R-IMG-8).

    Attributes:
        mean: 0 to 255.
        standard_deviation: Of the pictures at hand (ddof = 0, as the source report's figures).
        maximum: 0 to 255.
    """

    mean: float
    standard_deviation: float
    maximum: int


@dataclass(frozen=True)
class ChannelExtremes:
    """Smallest and largest value of one channel over all pictures (R-IMG-9).

    Attributes:
        channel: ``red``, ``green`` or ``blue``.
        lowest: As stored, 0 to 255.
        highest: As stored, 0 to 255.
        scaled_lowest: Divided by 255, as a backbone first sees it.
        scaled_highest: Divided by 255.
    """

    channel: str
    lowest: int
    highest: int
    scaled_lowest: float
    scaled_highest: float


@dataclass(frozen=True, eq=False)
class SquareStatistics:
    """What ``square_statistics`` found.

    Attributes:
        images: How many squares there were.
        smallest: Smallest height and width, in pixels (R-IMG-7: 224 both).
        largest: Largest height and width, in pixels.
        dynamic_range: Over all squares.
        channels: Red, green, blue.
        mean_images: For each class its mean picture, uint8 (height, width, 3), rounded.
    """

    images: int
    smallest: tuple[int, int]
    largest: tuple[int, int]
    dynamic_range: DynamicRange
    channels: tuple[ChannelExtremes, ...]
    mean_images: dict[str, NDArray[np.uint8]] = field(default_factory=dict)

    @property
    def pixels(self) -> int:
        """Pixels of the largest square (R-IMG-7: 50,176)."""
        return self.largest[0] * self.largest[1]


def square_statistics(
    batches: Iterable[tuple[Sequence[str], NDArray[np.uint8]]],
) -> SquareStatistics:
    """Read the squares once and sum them up.

    Args:
        batches: Class names and squares of as many pictures each: n names, and uint8
            (n, height, width, 3). All of one call have the same height and width.

    Raises:
        ValueError: There are no pictures, or they are not bytes of three channels.
    """
    ranges: list[NDArray[np.int64]] = []
    sums: dict[str, NDArray[np.int64]] = {}
    counts: dict[str, int] = {}
    sides: set[tuple[int, int]] = set()
    lowest, highest = np.full(3, WHITE), np.zeros(3, np.int64)
    for names, squares in batches:
        if squares.dtype != np.uint8 or squares.ndim != 4 or squares.shape[3] != 3:
            raise ValueError(
                f"squares are bytes of three channels, not {squares.dtype} {squares.shape}"
            )
        if not len(squares):
            continue
        sides.add((squares.shape[1], squares.shape[2]))
        # Rows first: one pass over the bytes gives the extremes of each channel of each picture.
        lows = squares.min(axis=1).min(axis=1).astype(np.int64)
        highs = squares.max(axis=1).max(axis=1).astype(np.int64)
        ranges.append(highs.max(axis=1) - lows.min(axis=1))
        lowest, highest = np.minimum(lowest, lows.min(axis=0)), np.maximum(highest, highs.max(0))
        labels = np.asarray(names, dtype=str)
        for name in np.unique(labels):
            of_class = squares[labels == name]
            # Four bytes hold the sum of a batch and take half the time of eight.
            sums[str(name)] = sums.get(str(name), 0) + of_class.sum(axis=0, dtype=np.uint32).astype(
                np.int64
            )
            counts[str(name)] = counts.get(str(name), 0) + len(of_class)
    if not ranges:
        raise ValueError("the statistics of no pictures are not defined")
    all_ranges = np.concatenate(ranges)
    return SquareStatistics(
        images=len(all_ranges),
        smallest=(min(height for height, _ in sides), min(width for _, width in sides)),
        largest=(max(height for height, _ in sides), max(width for _, width in sides)),
        dynamic_range=DynamicRange(
            mean=float(all_ranges.mean()),
            standard_deviation=float(all_ranges.std()),
            maximum=int(all_ranges.max()),
        ),
        channels=tuple(
            ChannelExtremes(name, int(low), int(high), float(low / WHITE), float(high / WHITE))
            for name, low, high in zip(CHANNELS, lowest, highest, strict=True)
        ),
        mean_images={
            name: np.rint(sums[name] / counts[name]).astype(np.uint8) for name in sorted(sums)
        },
    )
