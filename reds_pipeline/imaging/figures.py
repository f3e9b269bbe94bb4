"""Figures of the pictures' sizes, as PNG bytes.

What belongs here: drawing sizes that others measured (R-IMG-1). What does not: computing, and
photographs, which stand on contact sheets (``contact_sheet.py``).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from reds_pipeline.drawing import INK, PALETTE, QUIET, new_figure, png, quiet_axes
from reds_pipeline.imaging.resize import SIDE

_BARS_TO_A_DOUBLING = 4
_OTHER_CLASSES = "other classes"


def size_figure(sizes: Mapping[str, Sequence[tuple[int, int]]], title: str) -> bytes:
    """Draw how wide and how high the original pictures are (R-IMG-1).

    Bars stand on a doubling scale, because sizes spread over more than a factor of ten, and are
    stacked by class.

    Args:
        sizes: (width, height) in pixels of each upright picture, by class. Where there are more
            classes than colours, the smallest ones share the last colour.
        title: Printed above.
    """
    named = _as_many_as_colours(sizes)
    everything = [side for of_class in named.values() for size in of_class for side in size]
    bins = _doubling_bins(min(everything, default=SIDE), max(everything, default=SIDE))
    figure = new_figure(9.6, 4.6)
    figure.suptitle(title, color=INK)
    panels = figure.subplots(1, 2, sharey=True)
    for place, (axes, side_name) in enumerate(zip(panels, ("width", "height"), strict=True)):
        axes.hist(
            [[size[place] for size in of_class] for of_class in named.values()] or [[]],
            bins=bins,
            stacked=True,
            color=[PALETTE[number] for number in range(max(len(named), 1))],
            edgecolor="white",
            linewidth=0.4,
            label=list(named) or None,
        )
        axes.set_xscale("log", base=2)
        axes.set_xticks(
            [2**power for power in range(int(np.log2(bins[0])), int(np.log2(bins[-1])) + 1)]
        )
        axes.xaxis.set_major_formatter("{x:,.0f}")
        axes.minorticks_off()
        axes.set_xlabel(f"{side_name} in pixels")
        axes.axvline(SIDE, color=QUIET, linewidth=1.2, linestyle=(0, (4, 3)))
        quiet_axes(axes, grid="y")
    panels[0].set_ylabel("pictures")
    panels[0].yaxis.get_major_locator().set_params(integer=True)
    panels[1].annotate(
        f"{SIDE}: the square",
        (SIDE, 1.0),
        xycoords=("data", "axes fraction"),
        xytext=(4, 2),
        textcoords="offset points",
        color=QUIET,
        size=8,
    )
    if named:
        handles, labels = panels[0].get_legend_handles_labels()
        figure.legend(
            handles[::-1], labels[::-1], loc="outside right center", frameon=False, title="class"
        )
    return png(figure)


def _as_many_as_colours(
    sizes: Mapping[str, Sequence[tuple[int, int]]],
) -> dict[str, Sequence[tuple[int, int]]]:
    if len(sizes) <= len(PALETTE):
        return dict(sizes)
    by_number = sorted(sizes, key=lambda name: (-len(sizes[name]), name))
    shown = by_number[: len(PALETTE) - 1]
    rest = [size for name in by_number[len(shown) :] for size in sizes[name]]
    return {**{name: sizes[name] for name in shown}, _OTHER_CLASSES: rest}


def _doubling_bins(smallest: int, largest: int) -> list[float]:
    """Return edges of bars from a power of two below all sizes to one above them."""
    lowest = int(np.floor(np.log2(max(smallest, 1))))
    highest = int(np.floor(np.log2(max(largest, 1)))) + 1
    steps = (highest - lowest) * _BARS_TO_A_DOUBLING
    return [2.0 ** (lowest + step / _BARS_TO_A_DOUBLING) for step in range(steps + 1)]
