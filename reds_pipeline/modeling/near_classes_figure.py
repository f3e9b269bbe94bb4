"""Near classes as a figure: is what is near in meaning also confused (R-CLS-13, R-IMP-7)?

What belongs here: drawing pairs that ``near_classes`` measured. What does not: measuring.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from reds_pipeline.drawing import FAINT, INK, PALETTE, QUIET, new_figure, png, quiet_axes
from reds_pipeline.modeling.near_classes import NearPair

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_MOST_NAMED = 12
# With more pairs their intervals would hide the points.
_MOST_INTERVALS = 60


def near_classes_figure(pairs: Sequence[NearPair], title: str) -> bytes:
    """Draw the most confused pairs by name, and all pairs by their nearness in meaning.

    Args:
        pairs: As ``near_classes`` gives them, the most confused first.
        title: Printed above.
    """
    named = pairs[:_MOST_NAMED]
    figure = new_figure(9.6, max(2.0 + 0.3 * len(named), 3.6))
    figure.suptitle(title, color=INK)
    left, right = figure.subplots(1, 2, width_ratios=(1.2, 1))
    _draw_named(left, named)
    _draw_all(right, [pair for pair in pairs if pair.similarity is not None])
    return png(figure)


def _draw_named(axes: Axes, pairs: Sequence[NearPair]) -> None:
    from matplotlib.ticker import PercentFormatter

    rows = np.arange(len(pairs))
    axes.hlines(rows, [pair.low for pair in pairs], [pair.high for pair in pairs], color=FAINT)
    axes.scatter([pair.rate for pair in pairs], rows, s=36, color=PALETTE[0], zorder=3)
    labels = [f"{pair.first} / {pair.second}" for pair in pairs]
    axes.set_yticks(rows, labels=labels, size=9)
    axes.set_ylim(len(pairs) - 0.4, -0.6)
    axes.set_xlim(left=0)
    quiet_axes(axes, grid="x")
    axes.locator_params(axis="x", nbins=5)
    axes.xaxis.set_major_formatter(PercentFormatter(1, symbol=" %"))
    axes.set_xlabel("taken for the other class, 95 % interval", color=INK, size=9)
    axes.set_title("the most confused pairs", color=QUIET, size=9)


def _draw_all(axes: Axes, pairs: Sequence[NearPair]) -> None:
    from matplotlib.ticker import PercentFormatter

    near = np.asarray([pair.similarity for pair in pairs], np.float64)
    if len(pairs) <= _MOST_INTERVALS:
        low, high = [pair.low for pair in pairs], [pair.high for pair in pairs]
        axes.vlines(near, low, high, color=FAINT)
    rates = [pair.rate for pair in pairs]
    axes.scatter(near, rates, s=26, color=PALETTE[0], alpha=0.7, linewidths=0, zorder=3)
    axes.set_xlim(0, 1)
    axes.set_ylim(bottom=0)
    quiet_axes(axes, grid="y")
    axes.locator_params(axis="y", nbins=6)
    axes.yaxis.set_major_formatter(PercentFormatter(1, symbol=" %"))
    axes.set_xlabel("nearness in meaning (Wu-Palmer)", color=INK, size=9)
    axes.set_title(f"every pair that WordNet knows ({len(pairs)})", color=QUIET, size=9)
