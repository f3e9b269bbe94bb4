"""The weeks as a figure: how well the champion does, what the disk holds, what a week costs.

What belongs here: drawing reports. What does not: measuring (``story``).
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence

import numpy as np

from reds_pipeline.demo.drifting.plan import DriftPlan
from reds_pipeline.drawing import FAINT, INK, PALETTE, QUIET, new_figure, png, quiet_axes
from reds_pipeline_tests.end_to_end.twelve_weeks.story import FIRST_VERSION, WeekReport

_SERVING, _FIRST, _COST = PALETTE[0], PALETTE[2], PALETTE[1]


def story_figure(plan: DriftPlan, reports: Sequence[WeekReport]) -> bytes:
    """Draw the weeks of a story as a PNG file.

    Args:
        plan: What happened when.
        reports: Of all weeks, in order.
    """
    weeks = np.array([report.week for report in reports])
    figure = new_figure(9.0, 8.2)
    figure.suptitle("Twelve weeks: simulated instance, real daemon, given clock", color=INK)
    rows = figure.subplots(4, 1, sharex=True, height_ratios=(1.3, 3.2, 1.5, 1.5))
    _events(rows[0], plan)
    _accuracy(rows[1], weeks, reports)
    rows[2].bar(weeks, [each.disk_bytes / 1e6 for each in reports], color=QUIET, width=0.6)
    rows[2].set_ylabel("disk, MB", color=INK, size=9)
    width = 0.3
    rows[3].bar(weeks - width / 2, [each.requests for each in reports], width, color=QUIET)
    downloads = [sum(each.asked_for.values()) for each in reports]
    rows[3].bar(weeks + width / 2, downloads, width, color=_COST)
    rows[3].legend(["requests", "pictures among them"], frameon=False, fontsize=8, ncols=2)
    rows[3].set_ylabel("requests a week", color=INK, size=9)
    rows[3].set_xlabel("week", color=INK, size=9)
    rows[3].set_xticks(weeks)
    for axes in rows[1:]:
        quiet_axes(axes, grid="y")
        for week in _weeks_of_events(plan):
            axes.axvline(week, color=FAINT, linewidth=1, zorder=0)
    return png(figure)


def _accuracy(axes, weeks: np.ndarray, reports: Sequence[WeekReport]) -> None:  # type: ignore[no-untyped-def]
    for label, colour, shift, version in (
        ("the model that serves", _SERVING, -0.08, ""),
        ("the model of week 1, left as it was", _FIRST, 0.08, FIRST_VERSION),
    ):
        marks = [each.marks[version or each.champion] for each in reports]
        # Of the classes that both know: what only one of them can name is no fair question.
        shared = [
            each.marks[each.champion].classes & each.marks[FIRST_VERSION].classes
            for each in reports
        ]
        values = np.array([mark.accuracy(names) for mark, names in zip(marks, shared, strict=True)])
        axes.plot(weeks + shift, values[:, 0], "o-", color=colour, label=label, markersize=4)
        axes.vlines(weeks + shift, values[:, 1], values[:, 2], color=colour, alpha=0.5)
    changed = [
        report.week
        for before, report in itertools.pairwise(reports)
        if report.champion != before.champion
    ]
    low, high = axes.get_ylim()
    # Room for the legend below the marks.
    axes.set_ylim(low - 0.15 * (high - low), high)
    axes.plot(changed, [low] * len(changed), "^", color=_SERVING, label="another model took over")
    axes.set_ylabel("right on new pictures\nin the look of the week", color=INK, size=9)
    axes.legend(frameon=False, fontsize=8, loc="lower left", ncols=3, bbox_to_anchor=(0, -0.02))


def _events(axes, plan: DriftPlan) -> None:  # type: ignore[no-untyped-def]
    axes.set_axis_off()
    axes.set_ylim(0, 1)
    for week, words in _weeks_of_events(plan).items():
        axes.text(
            week, 0.02, words, color=INK, size=8, ha="left", va="bottom", rotation=28, clip_on=False
        )


def _weeks_of_events(plan: DriftPlan) -> dict[int, str]:
    events = {
        plan.newcomer_week: f"{plan.newcomer}s appear",
        plan.fading_week: f"{plan.fading}s fade",
        plan.outage_week: "host down",
        plan.flood_week: f"one author floods #{plan.flooded}",
        plan.wrong_labels_week: "labels mixed up",
        plan.rested_week: "daemon stopped",
    }
    return {week: words for week, words in sorted(events.items()) if week}
