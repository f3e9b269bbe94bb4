"""Figures about the shape and brightness of the images of a class.

What belongs here: the numbers of the source report's tables (R-IMG-2, R-IMG-6, R-IMG-8) as pure
functions. What does not: drawing them.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from reds_pipeline.imaging.resize import crop_box

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
class DynamicRange:
    """Largest minus smallest pixel value, over the images of a set (R-IMG-8).

    Attributes:
        mean: 0 to 255.
        standard_deviation: Of the images at hand (ddof = 0, as the source report's figures).
        maximum: 0 to 255.
    """

    mean: float
    standard_deviation: float
    maximum: int


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


def dynamic_range(tensors: NDArray[np.uint8]) -> DynamicRange:
    """Summarise how much of the range from black to white images use (R-IMG-8).

    Args:
        tensors: Shape (n, height, width, 3), n at least 1; all three channels count.

    Raises:
        ValueError: There are no images.
    """
    if not len(tensors):
        raise ValueError("the dynamic range of no images is not defined")
    flat = tensors.reshape(len(tensors), -1)
    ranges = flat.max(axis=1).astype(np.int64) - flat.min(axis=1)
    return DynamicRange(
        mean=float(ranges.mean()),
        standard_deviation=float(ranges.std()),
        maximum=int(ranges.max()),
    )
