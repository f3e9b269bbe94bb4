"""Numbers about the shapes and the files of the pictures to learn from.

What belongs here: the source report's tables about originals (R-IMG-2, R-IMG-6, R-IMG-13) as pure
functions. What does not: numbers about the 224 squares (``square_statistics.py``) and drawing.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from reds_pipeline.imaging.resize import SIDE, crop_box

ALL_CLASSES = "all"


@dataclass(frozen=True)
class ClassStatistics:
    """Shapes of the images of one class, or of all of them together.

    Attributes:
        class_name: The class, or ``all``.
        images: How many.
        aspect_mean: Mean of width / height; 0 when there are no images, like the next two.
        aspect_first_quartile: A quarter of the images are narrower.
        aspect_third_quartile: A quarter of the images are wider (the report misprints this as
            the fourth quartile, AUD-R10).
        cropped_share: Share of images, 0 to 1, that lose something to the centre crop.
    """

    class_name: str
    images: int
    aspect_mean: float
    aspect_first_quartile: float
    aspect_third_quartile: float
    cropped_share: float


@dataclass(frozen=True)
class DiskSizes:
    """What the pictures of one class, or of all together, take up on disk (R-IMG-13).

    The source report kept float64, eight times what there is to know (AUD-R13); what that and
    float32 would take is computed and never stored (R-IMG-10).

    Attributes:
        class_name: The class, or ``all``.
        images: How many.
        original_bytes: Their files as they were collected, without metadata.
        uint8_bytes: Their squares, as they are stored.
        float32_bytes: The squares if each channel of a pixel took four bytes.
        float64_bytes: The squares if it took eight.
    """

    class_name: str
    images: int
    original_bytes: int
    uint8_bytes: int
    float32_bytes: int
    float64_bytes: int


def shape_statistics(class_name: str, sizes: Sequence[tuple[int, int]]) -> ClassStatistics:
    """Summarise the shapes of images (R-IMG-2, R-IMG-6).

    Args:
        class_name: Only a label for the result.
        sizes: (width, height) in pixels of each upright image.
    """
    if not sizes:
        return ClassStatistics(class_name, 0, 0.0, 0.0, 0.0, 0.0)
    aspects = np.array([width / height for width, height in sizes])
    first_quartile, third_quartile = np.percentile(aspects, [25, 75])
    return ClassStatistics(
        class_name=class_name,
        images=len(sizes),
        aspect_mean=float(aspects.mean()),
        aspect_first_quartile=float(first_quartile),
        aspect_third_quartile=float(third_quartile),
        cropped_share=float(np.mean([crop_box(width, height)[1] for width, height in sizes])),
    )


def class_statistics(rows: Iterable[Mapping[str, Any]]) -> list[ClassStatistics]:
    """Summarise the kept images of each class, and of all classes together at the end.

    The last entry counts every image once, so classes weigh by their size (AUD-R9).

    Args:
        rows: Rows of the curated data set.

    Returns:
        One entry a class, in the order of first appearance, then the entry ``all``.
    """
    sizes: dict[str, list[tuple[int, int]]] = {}
    for row in rows:
        of_class = sizes.setdefault(row["class_name"], [])
        if row["kept"]:
            of_class.append((row["width"], row["height"]))
    everything = [size for of_class in sizes.values() for size in of_class]
    return [
        *(shape_statistics(class_name, of_class) for class_name, of_class in sizes.items()),
        shape_statistics(ALL_CLASSES, everything),
    ]


def disk_sizes(rows: Iterable[Mapping[str, Any]], file_bytes: Mapping[str, int]) -> list[DiskSizes]:
    """Sum up what kept images take on disk, before and after they become squares (R-IMG-13).

    Args:
        rows: Rows of the curated data set.
        file_bytes: Size of the stored file by SHA-256; a file that is missing counts nothing.

    Returns:
        One entry a class, in the order of first appearance, then the entry ``all``.
    """
    originals: dict[str, list[int]] = {}
    for row in rows:
        of_class = originals.setdefault(row["class_name"], [])
        if row["kept"]:
            of_class.append(file_bytes.get(row["sha256"], 0))
    everything = [size for of_class in originals.values() for size in of_class]
    return [
        *(_disk_sizes(class_name, of_class) for class_name, of_class in originals.items()),
        _disk_sizes(ALL_CLASSES, everything),
    ]


def _disk_sizes(class_name: str, file_sizes: Sequence[int]) -> DiskSizes:
    values = len(file_sizes) * SIDE * SIDE * 3
    return DiskSizes(class_name, len(file_sizes), sum(file_sizes), values, 4 * values, 8 * values)
