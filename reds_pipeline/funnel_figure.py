"""The figure of where the pictures went, as PNG bytes.

What belongs here: drawing what ``funnel.py`` counted. What does not: counting.

Above, one bar a class, divided by the stage at which pictures were dropped. Below, every reason
with its number a class: two dozen reasons are told apart by reading, not by colour.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from typing import TYPE_CHECKING

from reds_pipeline.drawing import FAINT, INK, PALETTE, QUIET, ink_on, new_figure, png, quiet_axes
from reds_pipeline.funnel import STAGES, ClassFunnel

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_KEPT, _ALL = "kept", "all"
_DROPPED_AT = {
    "posts": "post may not be used",
    "pictures": "not fetched or unreadable",
    "stored": "not fit for the class",
    "cleaned": "not for the data set",
}
_COLOURS = {
    _KEPT: PALETTE[0],
    "cleaned": PALETTE[2],
    "stored": PALETTE[5],
    "pictures": PALETTE[1],
    "posts": PALETTE[3],
}
_BAR_INCHES = 0.42
_LINE_INCHES = 0.235
_COLUMN_INCHES = 0.9
# Of the longest bar: below this a number does not fit into its part.
_ROOM_FOR_A_NUMBER = 0.045
# Where the numbers of a column end, as a share of its width.
_RIGHT_EDGE = 0.75


def funnel_figure(funnels: Mapping[str, ClassFunnel], title: str) -> bytes:
    """Draw the funnels of some classes.

    Args:
        funnels: By class, in the order wanted; one or more.
        title: Printed above.
    """
    reasons = _reasons_by_stage(funnels)
    lines = sum(len(of_stage) + 1 for of_stage in reasons.values())
    bars_high = 1.5 + _BAR_INCHES * len(funnels)
    table_high = _LINE_INCHES * (lines + 2)
    width = max(3.4 + _COLUMN_INCHES * (len(funnels) + 1), 8.4)
    figure = new_figure(width, bars_high + table_high)
    figure.suptitle(title, color=INK)
    bars, table = figure.subplots(2, 1, height_ratios=[bars_high, table_high])
    _draw_bars(bars, funnels)
    _draw_table(table, funnels, reasons, lines)
    return png(figure)


def _reasons_by_stage(funnels: Mapping[str, ClassFunnel]) -> dict[str, list[str]]:
    """Return the reasons that occur, by the stage that dropped for them, the largest first."""
    totals: dict[str, Counter[str]] = {name: Counter() for name in STAGES}
    for funnel in funnels.values():
        for stage in funnel.stages:
            totals[stage.name].update(stage.dropped)
    return {
        name: sorted(counts, key=lambda reason: (-counts[reason], reason))
        for name, counts in totals.items()
        if counts
    }


def _draw_bars(axes: Axes, funnels: Mapping[str, ClassFunnel]) -> None:
    most = max((funnel.seen for funnel in funnels.values()), default=0) or 1
    parts = [
        {stage.name: sum(stage.dropped.values()) for stage in funnel.stages} | {_KEPT: funnel.kept}
        for funnel in funnels.values()
    ]
    starts = [0] * len(parts)
    for name, colour in _COLOURS.items():
        widths = [part[name] for part in parts]
        if not any(widths):
            continue
        axes.barh(
            range(len(parts)),
            widths,
            left=starts,
            height=0.68,
            color=colour,
            edgecolor="white",
            linewidth=0.8,
            label="kept" if name == _KEPT else _DROPPED_AT[name],
        )
        for place, (start, width) in enumerate(zip(starts, widths, strict=True)):
            if width >= _ROOM_FOR_A_NUMBER * most:
                axes.text(
                    start + width / 2,
                    place,
                    f"{width:,}",
                    ha="center",
                    va="center",
                    size=8.5,
                    color=ink_on(colour),
                    in_layout=False,
                )
        starts = [start + width for start, width in zip(starts, widths, strict=True)]
    for place, funnel in enumerate(funnels.values()):
        axes.annotate(
            f"{funnel.seen:,} seen" + (f", {funnel.received:,} moved here" * bool(funnel.received)),
            (funnel.seen, place),
            xytext=(5, 0),
            textcoords="offset points",
            va="center",
            size=8.5,
            color=QUIET,
        )
    quiet_axes(axes)
    moved = any(funnel.received for funnel in funnels.values())
    axes.set_xlim(0, (1.32 if moved else 1.14) * most)
    axes.set_ylim(len(parts) - 0.4, -0.6)
    axes.set_yticks(range(len(parts)), labels=list(funnels))
    axes.set_xlabel("pictures; a post that may not be used counts as one", color=QUIET, size=9)
    axes.tick_params(axis="x", labelcolor=QUIET, labelsize=8)
    axes.xaxis.set_major_formatter("{x:,.0f}")
    if not axes.containers:
        return
    axes.legend(
        loc="lower center",
        bbox_to_anchor=(0.5, 1.0),
        ncols=len(_COLOURS),
        frameon=False,
        fontsize=8,
        handlelength=1.0,
        columnspacing=1.2,
    )


def _draw_table(
    axes: Axes,
    funnels: Mapping[str, ClassFunnel],
    reasons: Mapping[str, list[str]],
    lines: int,
) -> None:
    """Write the numbers of each reason under the names of the classes, stage by stage."""
    axes.set_axis_off()
    axes.set_xlim(0, len(funnels) + 1)
    axes.set_ylim(lines, -2)
    for column, name in enumerate([*funnels, _ALL]):
        axes.text(column + _RIGHT_EDGE, -1.2, name, ha="right", va="center", color=INK, size=9)
    line = 0
    for stage, of_stage in reasons.items():
        axes.text(
            -0.1,
            line,
            _DROPPED_AT[stage],
            ha="right",
            va="center",
            color=INK,
            size=9,
            weight="bold",
        )
        axes.axhline(line + 0.45, color=_COLOURS[stage], linewidth=1.6, xmin=0.0)
        _write_numbers(axes, funnels, stage, None, line)
        line += 1
        for reason in of_stage:
            axes.text(
                -0.1, line, reason.replace("_", " "), ha="right", va="center", color=QUIET, size=9
            )
            _write_numbers(axes, funnels, stage, reason, line)
            line += 1


def _write_numbers(
    axes: Axes, funnels: Mapping[str, ClassFunnel], stage: str, reason: str | None, line: int
) -> None:
    """Write one line of numbers: of a reason, or the sum of its stage in bold."""
    counts = []
    for funnel in funnels.values():
        dropped = funnel.stages[STAGES.index(stage)].dropped
        counts.append(sum(dropped.values()) if reason is None else dropped.get(reason, 0))
    for column, count in enumerate([*counts, sum(counts)]):
        axes.text(
            column + _RIGHT_EDGE,
            line,
            f"{count:,}" if count else "·",
            ha="right",
            va="center",
            size=9,
            color=INK if count else FAINT,
            weight="bold" if reason is None else "normal",
            # Inside the axes anyhow; to measure hundreds of numbers would take seconds.
            in_layout=False,
        )
