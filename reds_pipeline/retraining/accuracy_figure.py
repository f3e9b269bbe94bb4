"""How the model that serves has done on new pictures, as a figure (R-IMP-5).

What belongs here: drawing the measurements that were kept. What does not: measuring.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from itertools import groupby
from typing import Any

from reds_pipeline.drawing import INK, PALETTE, QUIET, new_figure, png, quiet_axes

MOST_SHOWN = 60


def accuracy_figure(measurements: Sequence[Mapping[str, Any]]) -> bytes:
    """Draw the accuracy of each champion on new pictures, and on its own test, over time.

    Args:
        measurements: Rows of ``retraining_advice``, oldest first; one holds an accuracy at least.
    """
    from matplotlib.dates import AutoDateLocator, DateFormatter, date2num
    from matplotlib.lines import Line2D

    rows = [row for row in measurements if row["accuracy_new"] is not None][-MOST_SHOWN:]
    figure = new_figure(7.2, 3.9)
    axes = figure.add_subplot()
    axes.set_title("The model that serves, on pictures newer than it", color=INK, pad=30)
    for number, (version, each) in enumerate(groupby(rows, lambda row: row["model_version"])):
        mine = list(each)
        moments = date2num([datetime.fromisoformat(row["at"]) for row in mine])
        colour = PALETTE[number % (len(PALETTE) - 1)]
        axes.vlines(
            moments,
            [100 * row["accuracy_new_low"] for row in mine],
            [100 * row["accuracy_new_high"] for row in mine],
            color=colour,
            linewidth=2,
            alpha=0.4,
        )
        axes.plot(
            moments,
            [100 * row["accuracy_new"] for row in mine],
            color=colour,
            marker="o",
            markersize=5,
            linewidth=1.6,
        )
        before = [
            (at, 100 * row["accuracy_before"])
            for at, row in zip(moments, mine, strict=True)
            if row["accuracy_before"] is not None
        ]
        if before:
            axes.plot(
                *zip(*before, strict=True),
                color=colour,
                marker="_",
                markersize=12,
                linewidth=1,
                linestyle=(0, (2, 2)),
            )
        axes.annotate(
            f"version {version}",
            (moments[0], 100 * mine[0]["accuracy_new_low"]),
            xytext=(0, -12),
            textcoords="offset points",
            ha="center",
            size=8,
            color=QUIET,
        )
    quiet_axes(axes, grid="y")
    axes.margins(x=0.08, y=0.15)
    axes.set_ylim(top=min(axes.get_ylim()[1], 103))
    axes.set_ylabel("right, in %", color=INK, size=9)
    locator = AutoDateLocator(maxticks=8)
    axes.xaxis.set_major_locator(locator)
    axes.xaxis.set_major_formatter(DateFormatter("%d %b"))
    new = Line2D([], [], color=QUIET, marker="o", linewidth=1.6)
    own = Line2D([], [], color=QUIET, marker="_", linewidth=1, linestyle="--")
    axes.legend(
        [new, own],
        ["on new pictures", "on its own test, same class shares"],
        frameon=False,
        fontsize=9,
        labelcolor=INK,
        loc="lower center",
        bbox_to_anchor=(0.5, 1),
        ncols=2,
    )
    figure.supxlabel(
        "Pictures of authors it has never seen, with the authors' own labels;\n"
        "95 % Wilson intervals, taking an author's pictures to be right or wrong together.",
        color=QUIET,
        size=8,
    )
    return png(figure)
