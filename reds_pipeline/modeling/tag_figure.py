"""How well pictures show each tag, as a figure.

What belongs here: the drawing of a multi-label model's tags. What does not: measuring them
(``ranking_metrics.py``).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from reds_pipeline.drawing import (
    FAINT,
    INK,
    PALETTE,
    can_be_drawn,
    new_figure,
    png,
    quiet_axes,
    text_families,
)

MOST_ROWS = 40


def average_precision_figure(per_tag: Sequence[Mapping[str, Any]], title: str) -> bytes:
    """Draw the average precision of the most telling tags beside that of a guess, as a PNG.

    Args:
        per_tag: ``tag``, ``average_precision`` (NaN if no picture has it), ``share`` (of the
            pictures that have it, which is what a guess gets) and ``shown`` of each tag.
        title: Above the figure.
    """
    measured = [
        tag
        for tag in per_tag
        if tag["average_precision"] == tag["average_precision"] and can_be_drawn(tag["tag"])
    ]
    rows = sorted(measured, key=lambda tag: -tag["average_precision"])[:MOST_ROWS]
    figure = new_figure(7.2, 1.4 + 0.24 * len(rows))
    axes = figure.subplots()
    quiet_axes(axes, grid="x")
    places = range(len(rows))
    axes.barh(
        places,
        [tag["average_precision"] for tag in rows],
        height=0.7,
        color=[PALETTE[0] if tag["shown"] else FAINT for tag in rows],
    )
    axes.plot(
        [tag["share"] for tag in rows], places, "|", color=INK, markersize=9, markeredgewidth=2
    )
    axes.set_yticks(places, [tag["tag"] for tag in rows], family=list(text_families()))
    axes.invert_yaxis()
    axes.set_xlim(0, 1)
    axes.set_xlabel("Average precision out of fold (line: of a guess; grey: no better than that)")
    left_out = len(per_tag) - len(rows)
    more = f" ({left_out} more tags in the table)" if left_out else ""
    axes.set_title(f"{title}{more}", loc="left", color=INK, fontsize=10)
    return png(figure)
