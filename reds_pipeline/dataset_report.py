"""What there is to say and to show about the data set, put together from the tables of a home.

What belongs here: reading the tables and asking for the numbers and figures of the source
report's data chapter (R-IMG-1, 2, 6 to 9, 11, 13), the funnel and the balance. What does not: how
any of them is computed or drawn, and Dagster, which shows them (``assets/reports.py``).

Photographs are JPEG files and drawings PNG files, because a withdrawal takes photographs out of
the run history by that difference (``run_history.py``).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from reds_pipeline.balance import ClassBalance, ReviewCounts, raw_posts_needed, review_counts
from reds_pipeline.funnel import ClassFunnel, class_funnels, funnel_problems
from reds_pipeline.imaging.resize import RESIZE_RULE
from reds_pipeline.imaging.square_statistics import SquareStatistics, square_statistics
from reds_pipeline.imaging.statistics import (
    ClassStatistics,
    DiskSizes,
    class_statistics,
    disk_sizes,
)
from reds_pipeline.kept_drawings import KeptDrawings
from reds_pipeline.stage_inputs import learnt_classes
from reds_pipeline.storage.home import Home
from reds_pipeline.storage.tables import CLEAN_IMAGES, CURATED, read_rows

if TYPE_CHECKING:
    from reds_pipeline.storage.arrays import ArrayStore

Row = Mapping[str, Any]

EXAMPLES_A_CLASS = 5
_AT_ONCE = 256
_LARGE_SIDE = 224


@dataclass(frozen=True, eq=False)
class DatasetReport:
    """The numbers and pictures of a data set.

    Attributes:
        funnels: Where the pictures went, by class.
        problems: Where the funnel does not add up, one sentence each; none is right.
        balances: How full each class is.
        reviews: What people have said about each class.
        shapes: Of the original pictures, by class and together.
        files: Bytes on disk, by class and together.
        squares: What is stored to learn from.
        figures: Files for people by name, PNG and JPEG.
    """

    funnels: dict[str, ClassFunnel]
    problems: list[str]
    balances: list[ClassBalance]
    reviews: list[ReviewCounts]
    shapes: list[ClassStatistics]
    files: list[DiskSizes]
    squares: SquareStatistics
    figures: dict[str, bytes] = field(default_factory=dict)


def dataset_report(home: Home, images_per_class: int) -> DatasetReport:
    """Measure and draw the data set of a home.

    Args:
        home: Curated, with the square of every picture to learn from.
        images_per_class: How many pictures a class should have (R-SCR-10).

    Raises:
        ValueError: There is no picture to learn from.
    """
    names = learnt_classes(home)
    curated = read_rows(home.table("curated_dataset"), CURATED)
    places = {name: place for place, name in enumerate(names)}
    kept = sorted(
        (row for row in curated if row["kept"]),
        key=lambda row: (places.get(row["class_name"], len(places)), row["created_at"] or ""),
    )
    store = home.tensors(RESIZE_RULE)
    class_of = {row["sha256"]: row["class_name"] for row in kept}
    squares = square_statistics(
        ([class_of[key] for key in keys], batch)
        for keys, batch in store.batches(list(class_of), _AT_ONCE)
    )
    funnels = class_funnels(home, names)
    return DatasetReport(
        funnels=funnels,
        problems=funnel_problems(home, names),
        balances=[raw_posts_needed(name, funnels[name], images_per_class) for name in names],
        reviews=review_counts(curated, names),
        shapes=class_statistics(kept),
        files=disk_sizes(kept, _file_bytes(home, names)),
        squares=squares,
        figures=_figures(kept, store, squares, funnels, KeptDrawings(home.figures / "kept")),
    )


def _file_bytes(home: Home, names: Sequence[str]) -> dict[str, int]:
    return {
        row["sha256"]: row["bytes"] or 0
        for name in names
        for row in read_rows(home.table("clean_images", name), CLEAN_IMAGES)
    }


def _figures(
    kept: Sequence[Row],
    store: ArrayStore,
    squares: SquareStatistics,
    funnels: Mapping[str, ClassFunnel],
    drawings: KeptDrawings,
) -> dict[str, bytes]:
    from reds_pipeline.funnel_figure import funnel_figure
    from reds_pipeline.imaging.contact_sheet import contact_sheet
    from reds_pipeline.imaging.figures import size_figure

    by_class: dict[str, list[Row]] = {}
    for row in kept:
        by_class.setdefault(row["class_name"], []).append(row)
    # What a person has looked at shows a class best.
    shown = [
        sorted(rows, key=lambda row: not row["decision"])[:EXAMPLES_A_CLASS]
        for rows in by_class.values()
    ]
    examples = store.read([row["sha256"] for rows in shown for row in rows])
    one_each = store.read([rows[0]["sha256"] for rows in shown])
    means = np.stack([squares.mean_images[name] for name in by_class])
    captions = [f"{name}, {len(rows):,} pictures" for name, rows in by_class.items()]
    sizes = {
        name: [(row["width"], row["height"]) for row in rows] for name, rows in by_class.items()
    }
    return {
        "funnel.png": drawings.drawing(
            "funnel",
            funnels,
            lambda: funnel_figure(funnels, "Where the pictures went"),
            *("reds_pipeline.drawing", "reds_pipeline.funnel_figure"),
        ),
        "image_sizes.png": drawings.drawing(
            "image_sizes",
            sizes,
            lambda: size_figure(sizes, "Sizes of the pictures to learn from"),
            *("reds_pipeline.drawing", "reds_pipeline.imaging.figures"),
        ),
        "class_examples.jpg": contact_sheet(one_each, list(by_class), thumbnail_side=_LARGE_SIDE),
        "mean_images.jpg": contact_sheet(means, captions, thumbnail_side=_LARGE_SIDE),
        "examples.jpg": contact_sheet(examples, columns=EXAMPLES_A_CLASS),
    }
