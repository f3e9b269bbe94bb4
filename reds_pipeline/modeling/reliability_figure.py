"""The reliability diagram: do chances mean what they say?

What belongs here: drawing it. What does not: the bins (``calibration_error``).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from reds_pipeline.drawing import FAINT, INK, PALETTE, QUIET, new_figure, png, quiet_axes
from reds_pipeline.modeling.abstention import NO_ANSWER

if TYPE_CHECKING:
    from reds_pipeline.modeling.calibration_error import ReliabilityBin

_MARKERS = ("o", "s", "^", "D")
_LARGEST_DOT = 160.0


def reliability_figure(
    measured: Mapping[str, Sequence[ReliabilityBin]], title: str, threshold: float | None = None
) -> bytes:
    """Draw the share of right answers against their chance, with 95 % intervals, as PNG.

    Args:
        measured: For each set of pictures, named as people know it, its bins.
        title: Printed above.
        threshold: Chance from which answers are given; marked if any are.
    """
    figure = new_figure(6.4, 5.6)
    axes = figure.add_subplot()
    axes.set_title(title, color=INK, pad=12, wrap=True)
    axes.plot([0, 1], [0, 1], color=QUIET, linewidth=1, linestyle=(0, (4, 4)), label="ideal")
    most = max((part.answers for bins in measured.values() for part in bins), default=1)
    for number, (name, bins) in enumerate(measured.items()):
        colour = PALETTE[number % len(PALETTE)]
        chances = [part.chance for part in bins]
        shares = [part.correct for part in bins]
        ends = [
            [part.correct - part.correct_interval[0] for part in bins],
            [part.correct_interval[1] - part.correct for part in bins],
        ]
        axes.errorbar(chances, shares, yerr=ends, fmt="none", ecolor=colour, alpha=0.55)
        axes.scatter(
            chances,
            shares,
            s=[max(18.0, _LARGEST_DOT * part.answers / most) for part in bins],
            color=colour,
            marker=_MARKERS[number % len(_MARKERS)],
            edgecolors="white",
            linewidths=0.8,
            zorder=3,
            label=f"{name} ({sum(part.answers for part in bins)} pictures)",
        )
    if threshold is not None and threshold < NO_ANSWER:
        axes.axvline(threshold, color=FAINT, linewidth=1.2)
        axes.annotate(
            "answers from here",
            (threshold, 0.02),
            xytext=(-4, 0),
            textcoords="offset points",
            rotation=90,
            ha="right",
            va="bottom",
            color=QUIET,
            size=8,
        )
    axes.set_xlim(-0.02, 1.02)
    axes.set_ylim(-0.02, 1.02)
    axes.set_aspect("equal")
    axes.set_xlabel("chance that the model gave to its answer")
    axes.set_ylabel("share of these answers that were right")
    quiet_axes(axes, grid="y")
    axes.legend(loc="upper left", frameon=False, markerscale=0.8)
    return png(figure)
