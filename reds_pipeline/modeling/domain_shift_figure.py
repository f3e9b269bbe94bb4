"""How near the photographs are to what the backbones know, and how they drift, as a figure.

What belongs here: drawing what ``domain_shift`` and ``feature_drift`` measured (R-IMP-8). What
does not: measuring.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from reds_pipeline.drawing import FAINT, INK, PALETTE, QUIET, new_figure, png, quiet_axes
from reds_pipeline.modeling.domain_shift import Share
from reds_pipeline.modeling.feature_drift import Period

MARKERS = ("o", "s", "^", "D", "v", "P", "X")


def answers_figure(answers: Mapping[str, Mapping[str, Share]], title: str) -> bytes:
    """Draw what each backbone answers rightly, by how much was learnt for it.

    Args:
        answers: For each backbone, for each way to answer, its share of right answers.
        title: Printed above.
    """
    ways = list(dict.fromkeys(way for shares in answers.values() for way in shares))
    labels: list[str] = []
    figure = new_figure(7.2, 1.6 + 0.3 * sum(len(shares) + 1 for shares in answers.values()))
    axes = figure.add_subplot()
    axes.set_title(title, color=INK, pad=12, wrap=True)
    for backbone, shares in answers.items():
        # A line of its own, on which nothing is drawn.
        labels.append(f"{backbone}:")
        for way, share in shares.items():
            row, number = len(labels), ways.index(way)
            colour = PALETTE[number % len(PALETTE)]
            axes.hlines(row, share.low, share.high, color=colour, linewidth=2, alpha=0.6)
            axes.scatter(share.accuracy, row, s=40, color=colour, marker=MARKERS[number], zorder=3)
            labels.append(f"{way}  {share.accuracy:.3f}")
    axes.set_ylim(len(labels) - 0.4, -0.6)
    axes.set_yticks(range(len(labels)), labels=labels, size=9)
    quiet_axes(axes, grid="x")
    axes.locator_params(axis="x", nbins=6)
    axes.set_xlim(right=min(axes.get_xlim()[1], 1.01))
    axes.set_xlabel("share of pictures answered rightly, 95 % interval", color=INK, size=9)
    return png(figure)


def drift_figure(drifts: Mapping[str, Sequence[Period]], title: str) -> bytes:
    """Draw how far each month's pictures lie from all, backbones side by side.

    Args:
        drifts: For each backbone its periods, oldest first; those without any are left out.
        title: Printed above.
    """
    shown = {name: periods for name, periods in drifts.items() if periods}
    columns = max(len(shown), 1)
    figure = new_figure(1.2 + 4.2 * columns, 3.9)
    figure.suptitle(title, color=INK)
    panels = np.ravel(figure.subplots(1, columns, sharey=True))
    for axes, (name, periods) in zip(panels, shown.items(), strict=False):
        places = np.arange(len(periods))
        chance = [period.chance for period in periods]
        axes.fill_between(places, 0, chance, color=FAINT, alpha=0.45, linewidth=0, label="chance")
        axes.plot(
            places,
            [period.distance for period in periods],
            color=PALETTE[0],
            marker="o",
            markersize=5,
            label="months",
        )
        step = -(-len(periods) // 8)
        axes.set_xticks(
            places[::step],
            labels=[period.name.replace(" to ", "\nto ") for period in periods[::step]],
            rotation=30,
            ha="right",
            size=8,
        )
        axes.set_title(name, color=INK, size=10)
        axes.set_ylim(bottom=0)
        quiet_axes(axes, grid="y")
    if shown:
        panels[0].set_ylabel("distance, in spreads of a class", color=INK)
        panels[0].legend(frameon=False, fontsize=8)
    else:
        panels[0].set_axis_off()
        panels[0].text(0.5, 0.5, "too few months to compare", ha="center", color=QUIET)
    return png(figure)
