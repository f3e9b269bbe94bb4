"""How much each class is posted, as a figure (R-IMP-5).

What belongs here: drawing what ``supply`` measured. What does not: measuring.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from reds_pipeline.drawing import INK, PALETTE, can_be_drawn, new_figure, png, quiet_axes
from reds_pipeline.retraining.supply import ClassSupply

MOST_CLASSES = 24
_COLUMNS = 3


def supply_figure(supplies: Sequence[ClassSupply]) -> bytes:
    """Draw the posts a day of each class over the weeks that were walked, with intervals.

    Args:
        supplies: One for each class; the first ``MOST_CLASSES`` are drawn.
    """
    shown = list(supplies)[:MOST_CLASSES]
    columns = min(_COLUMNS, len(shown))
    lines = math.ceil(len(shown) / columns)
    figure = new_figure(1.0 + 2.7 * columns, 1.3 + 1.9 * lines)
    figure.suptitle("Posts a day that may be used, by class", color=INK)
    panels = np.ravel(figure.subplots(lines, columns, squeeze=False))
    for axes in panels[len(shown) :]:
        axes.set_visible(False)
    for axes, supply in zip(panels, shown, strict=False):
        name = supply.class_name if can_be_drawn(supply.class_name) else "(other letters)"
        axes.set_title(
            f"{name}: {supply.posts.per_day:.2g} a day{_trend(supply)}\n"
            f"{supply.pictures_a_week:.2g} usable pictures a week",
            color=INK,
            size=9,
            loc="left",
            parse_math=False,
        )
        ago = [-(len(supply.weeks) - 1 - number) for number in range(len(supply.weeks))]
        rates = [rate.per_day for _, rate in supply.weeks]
        axes.vlines(
            ago,
            [rate.low for _, rate in supply.weeks],
            [rate.high for _, rate in supply.weeks],
            color=PALETTE[0],
            linewidth=2,
            alpha=0.4,
        )
        axes.plot(ago, rates, color=PALETTE[0], marker="o", markersize=4, linewidth=1.4)
        if not rates:
            axes.axhspan(supply.posts.low, supply.posts.high, color=PALETTE[0], alpha=0.25, lw=0)
        axes.set_ylim(bottom=0)
        axes.margins(x=0.08)
        axes.xaxis.get_major_locator().set_params(integer=True, nbins=4)
        quiet_axes(axes, grid="y")
        axes.tick_params(labelsize=8)
    figure.supxlabel(
        "weeks before the last walk; 95 % intervals of a Poisson count", size=9, color=INK
    )
    return png(figure)


def _trend(supply: ClassSupply) -> str:
    if supply.trend_low > 1:
        return ", rising"
    return ", falling" if supply.trend_high < 1 else ""
