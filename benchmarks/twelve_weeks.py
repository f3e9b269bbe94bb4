"""Twelve weeks in about ten minutes: the whole story of ``docs/operating.md``, told and drawn.

    python -m benchmarks.twelve_weeks [--figure docs/pictures/twelve_weeks.png]

A simulated instance drifts week by week, and Dagster's own daemon lives through it with a clock
that it is given. Every promise is checked after every week; what is broken is printed, and the
exit code is 1 then. What happens, and what is promised, is in
``reds_pipeline_tests/end_to_end/twelve_weeks``.
"""

from __future__ import annotations

import argparse
import os
import statistics
import sys
import tempfile
from pathlib import Path

from reds_pipeline.drawing import small_png
from reds_pipeline.storage import atomic
from reds_pipeline_tests.end_to_end.twelve_weeks.figure import story_figure
from reds_pipeline_tests.end_to_end.twelve_weeks.plans import WHOLE, WHOLE_SETTINGS
from reds_pipeline_tests.end_to_end.twelve_weeks.promises import broken_promises
from reds_pipeline_tests.end_to_end.twelve_weeks.story import FIRST_VERSION, Story, WeekReport


def main() -> int:
    """Tell the story; return 1 if a promise was broken."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--figure", type=Path, help="where to draw it, a PNG")
    parser.add_argument("--pictures", type=int, default=40, help="of each class and week")
    chosen = parser.parse_args()
    for name in list(os.environ):
        if name.startswith("REDS_") or name == "DAGSTER_HOME":
            del os.environ[name]
    broken: list[str] = []
    with (
        tempfile.TemporaryDirectory(prefix="reds-twelve-weeks-") as directory,
        Story(WHOLE, Path(directory), WHOLE_SETTINGS, pictures=chosen.pictures) as story,
    ):
        print("week  champion  right on new pictures     the first model  disk MB  requests")
        for report in story.live():
            print(_line(report), flush=True)
            for name, how in broken_promises(story).items():
                broken.append(f"{name}: {how}")
                print(f"      BROKEN {broken[-1]}", flush=True)
        hours = sorted(story.held.gone_after.values())
        print(
            f"{len(hours)} posts taken back were gone after {statistics.median(hours):.0f} hours "
            f"(median), {hours[-1]:.0f} at most."
        )
        if chosen.figure:
            atomic.write_bytes(
                chosen.figure, small_png(story_figure(WHOLE, story.reports), 240_000)
            )
    seconds = [sum(each.seconds[kind] for each in story.reports) for kind in (0, 1)]
    print(f"{seconds[0]:.0f} seconds, {seconds[1]:.0f} of processor time.")
    return 1 if broken else 0


def _line(report: WeekReport) -> str:
    serving, first = report.marks[report.champion], report.marks[FIRST_VERSION]
    now = "{:.3f} ({:.3f} to {:.3f})".format(*serving.accuracy(serving.classes))
    then = f"{first.accuracy(first.classes)[0]:.3f}"
    return (
        f"{report.week:4d}  {report.champion:>8}  {now:24}  {then:>15}  "
        f"{report.disk_bytes / 1e6:7.1f}  {report.requests:8d}"
    )


if __name__ == "__main__":
    sys.exit(main())
