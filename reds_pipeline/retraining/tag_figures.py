"""How the top tags change, as figures (R-IMP-5).

What belongs here: drawing what ``tag_drift`` measured, and the ranks of the top lemmas over time.
What does not: measuring. Names are those of kept samples, which rare ones are not in.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any

import numpy as np

from reds_pipeline.drawing import (
    FAINT,
    INK,
    PALETTE,
    QUIET,
    can_be_drawn,
    new_figure,
    png,
    quiet_axes,
    text_families,
)
from reds_pipeline.retraining.tag_drift import HALF, TagDrift

if TYPE_CHECKING:
    from matplotlib.axes import Axes

SHOWN_RANKS = 20
MOST_SAMPLES = 12
_MARKERS = ("o", "s")

Sample = Sequence[Mapping[str, Any]]


def retention_figure(drifts: Mapping[str, TagDrift]) -> bytes:
    """Draw how much of the top is left after how many days, beyond chance.

    Args:
        drifts: By kind of names; those without two samples are left out.
    """
    figure = new_figure(7.2, 4.2)
    axes = figure.add_subplot()
    axes.set_title("How long the top tags last", color=INK, pad=30)
    shown = {kind: drift for kind, drift in drifts.items() if drift.curve}
    for number, (kind, drift) in enumerate(shown.items()):
        _draw(axes, kind, drift, PALETTE[number], _MARKERS[number % len(_MARKERS)])
    axes.axhline(HALF, color=FAINT, linewidth=1, linestyle=(0, (4, 3)))
    axes.annotate(
        "half",
        (1, HALF),
        xycoords=("axes fraction", "data"),
        xytext=(4, 0),
        textcoords="offset points",
        va="center",
        color=QUIET,
        size=9,
    )
    axes.set_ylim(0, 1.12)
    axes.set_xlim(left=0)
    quiet_axes(axes, grid="y")
    axes.set_xlabel("days between two samples of posts", color=INK, size=9)
    axes.set_ylabel("left of the top, beyond chance", color=INK, size=9)
    axes.legend(
        frameon=False,
        fontsize=9,
        labelcolor=INK,
        loc="lower center",
        bbox_to_anchor=(0.5, 1),
        ncols=2,
    )
    floors = ", ".join(f"{kind} {drift.floor:.2f}" for kind, drift in shown.items())
    figure.supxlabel(
        "Rank-biased overlap of two samples over that of two halves of one "
        f"({floors}),\nwhich is all that chance leaves. Dots: pairs of samples; bands: 95 % over "
        "samples.",
        color=QUIET,
        size=8,
    )
    return png(figure)


def ranks_figure(samples: Sequence[Sample]) -> bytes:
    """Draw how the top lemmas of the newest sample have climbed and fallen.

    Args:
        samples: Rows of the kept samples, oldest first; the newest ``MOST_SAMPLES`` are shown.
    """
    shown = samples[-MOST_SAMPLES:]
    places = [
        {row["name"]: place for place, row in enumerate(_lemmas(sample), start=1)}
        for sample in shown
    ]
    top = [name for name, place in places[-1].items() if place <= SHOWN_RANKS]
    figure = new_figure(8.0, 5.6)
    axes = figure.add_subplot()
    axes.set_title(f"The {len(top)} most used lemmas and where they stood", color=INK, pad=12)
    newcomers = 0
    for number, name in enumerate(top):
        ranks = [place.get(name) for place in places]
        was_outside = len(ranks) > 1 and (ranks[-2] is None or ranks[-2] > SHOWN_RANKS)
        newcomers += was_outside
        colour = PALETTE[number % (len(PALETTE) - 1)]
        line = [np.nan if rank is None or rank > SHOWN_RANKS else rank for rank in ranks]
        axes.plot(
            range(len(line)),
            line,
            color=colour,
            linewidth=1.6,
            marker="o",
            markersize=4,
            clip_on=False,
        )
        label = name if can_be_drawn(name) else "(letters not in the fonts here)"
        axes.annotate(
            f"{label} (new)" if was_outside else label,
            (len(line) - 1, number + 1),
            xytext=(8, 0),
            textcoords="offset points",
            va="center",
            size=9,
            color=INK,
            parse_math=False,
            family=list(text_families()),
        )
    axes.set_ylim(SHOWN_RANKS + 0.6, 0.4)
    axes.set_yticks([1, 5, 10, 15, 20])
    axes.set_xlim(-0.2, max(len(shown) - 1, 1) * 1.22 + 0.1)
    dates = [datetime.fromisoformat(sample[0]["sampled_at"]) for sample in shown]
    axes.set_xticks(range(len(shown)), [f"{date:%d %b}" for date in dates], size=8)
    quiet_axes(axes)
    axes.spines[["bottom"]].set_visible(False)
    axes.set_ylabel("rank by posts", color=INK, size=9)
    axes.set_xlabel(
        f"day of the sample; {newcomers} of the {len(top)} were not among the first "
        f"{SHOWN_RANKS} before",
        color=INK,
        size=9,
    )
    return png(figure)


def _draw(axes: Axes, kind: str, drift: TagDrift, colour: str, marker: str) -> None:
    days = [0.0, *(point.days for point in drift.curve)]
    retained = [1.0, *(point.retained for point in drift.curve)]
    life = drift.half_life_days
    named = (
        f"half-life {life:.0f} days"
        if life is not None
        else f"half-life longer than the {drift.days_seen:.0f} days seen"
    )
    axes.scatter(
        [pair.days for pair in drift.pairs],
        [pair.retained for pair in drift.pairs],
        s=10,
        color=colour,
        alpha=0.25,
        linewidths=0,
        marker=marker,
    )
    sure = [
        (point.days, point.low, point.high)
        for point in drift.curve
        if point.low is not None and point.high is not None
    ]
    if sure:
        axes.fill_between(*np.array(sure).T, color=colour, alpha=0.13, linewidth=0)
    axes.plot(
        days,
        retained,
        color=colour,
        linewidth=2,
        marker=marker,
        markersize=5,
        label=f"{kind}s: {named}",
    )
    if life is not None:
        axes.vlines(life, 0, HALF, color=colour, linewidth=1, linestyle=(0, (2, 2)))


def _lemmas(sample: Sample) -> list[Mapping[str, Any]]:
    return [row for row in sample if row["kind"] == "lemma"]
