"""Living through the weeks: the world acts, the clock moves, the daemon works, and all is measured.

What belongs here: the order of things, and one report a week with what was measured of it. What
does not: the world (``reds_pipeline.demo.drifting``), the daemon (``clocked_daemon``), and what
must be true of a home afterwards (``promises``).
"""

from __future__ import annotations

import os
import shutil
import time
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import ExitStack
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import dagster as dg
import time_machine

from reds_pipeline.demo.drifting.plan import DriftPlan
from reds_pipeline.demo.drifting.world import DAYS, DriftingWorld
from reds_pipeline.demo.pixelfed.entities import NO_PREVIEW_PATH
from reds_pipeline.resources import (
    EMBEDDINGS_COMPUTED,
    HOST_REQUESTS,
    MODELS_TRAINED,
    PICTURES_FETCHED,
    Platform,
)
from reds_pipeline.review.decision_log import DecisionLog, NewDecision
from reds_pipeline.review.decisions import LABEL, Decision
from reds_pipeline.settings import load_settings
from reds_pipeline.stage_inputs import curated_rows
from reds_pipeline.tracking import CHAMPION
from reds_pipeline_tests.end_to_end.twelve_weeks import code_location
from reds_pipeline_tests.end_to_end.twelve_weeks.clocked_daemon import (
    ClockedDaemon,
    prepare,
    sleeping_is_time,
)
from reds_pipeline_tests.end_to_end.twelve_weeks.examiner import Examiner, Marks
from reds_pipeline_tests.end_to_end.twelve_weeks.held_pictures import HeldPictures

# A Sunday evening, far from any date at which this could run.
START = datetime(2030, 1, 6, 18, tzinfo=UTC)
_MONDAY_MORNING = datetime(2030, 1, 7, 9, tzinfo=UTC)
FIRST_VERSION = "1"
_PICTURES = "/storage/"
# The key of pseudonyms decides how pictures are dealt into folds: the same in every run.
_KEY = bytes(range(32))
_COSTS = (HOST_REQUESTS, PICTURES_FETCHED, EMBEDDINGS_COMPUTED, MODELS_TRAINED)


@dataclass(frozen=True)
class WeekReport:
    """What was measured of one week, at its end.

    Attributes:
        week: From 1.
        at: When it ended.
        champion: Version that serves, "" for none.
        marks: Of each version that was examined, how it did on new pictures in this week's look.
        disk_bytes: All files of the home.
        cost: What ``Platform.cost`` counted in this week.
        asked_for: Paths of pictures that the instance was asked for, each as often as it was.
        requests: Requests that reached the instance.
        runs: How many runs of each job ended how: ``{("retrain", "SUCCESS"): 1}``.
        seconds: Real time that the week took, and processor time.
    """

    week: int
    at: datetime
    champion: str
    marks: Mapping[str, Marks]
    disk_bytes: int
    cost: Mapping[str, int]
    asked_for: Counter[str]
    requests: int
    runs: Counter[tuple[str, str]]
    seconds: tuple[float, float]

    @property
    def refreshed(self) -> bool:
        """Whether the host was sampled and collected from."""
        return self.runs["weekly_refresh", "SUCCESS"] > 0

    @property
    def embedded(self) -> int:
        """Pictures whose features were computed."""
        return self.cost[EMBEDDINGS_COMPUTED]


@dataclass
class Story:
    """One home and one instance, living through a plan.

    Attributes:
        plan: What happens when.
        directory: Where the home is made.
        settings: Settings of REDS that differ from the defaults.
        database: An MLflow database with its tables, to begin with a copy of it.
        pictures: Pictures of each class that a model is examined on in a week.
        reports: The weeks so far.
    """

    plan: DriftPlan
    directory: Path
    settings: Mapping[str, Any]
    database: Path | None = None
    pictures: int = 24
    reports: list[WeekReport] = field(default_factory=list)

    def __enter__(self) -> Story:
        self._stack = ExitStack()
        self.world = DriftingWorld(self.plan, START)
        instance = self._stack.enter_context(self.world.instance)
        self.platform = Platform(
            load_settings(
                home=self.directory / "home",
                dagster_home=self.directory / "home" / "dagster",
                host_url=instance.url,
                host_token=instance.token,
                **self.settings,
            )
        )
        self.home = self.platform.home
        prepare(self.home.dagster)
        (self.home.root / "pseudonym.key").write_bytes(_KEY)
        if self.database is not None:
            shutil.copyfile(self.database, self.home.root / "mlflow.sqlite")
        code_location.choose(self.platform)
        self.held = HeldPictures(self.world, self.home)
        self.examiner = Examiner(self.world, self.platform, self.pictures)
        self.labels = DecisionLog(self.platform.ledger, self.home.keyed_hash)
        self._clock = self._stack.enter_context(time_machine.travel(START, tick=True))
        self._stack.enter_context(sleeping_is_time(self._clock))
        self._stamped: dict[Path, int] = {}
        self._daemon_stack = self._stack.enter_context(ExitStack())
        self.daemon = self._start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stack.close()

    def live(self) -> Iterator[WeekReport]:
        """Live through one week after the other and report each."""
        for week in range(1, self.plan.weeks + 1):
            self.world.instance.reset_requests()
            cost_before, started = Counter(self.platform.cost), datetime.now(UTC)
            began = time.monotonic(), time.process_time()
            self._live_week(week)
            requests = self.world.instance.requests
            self.reports.append(
                WeekReport(
                    week=week,
                    at=datetime.now(UTC),
                    champion=self.champion(),
                    marks=self._marks(week),
                    disk_bytes=self._disk_bytes(),
                    cost={name: self.platform.cost[name] - cost_before[name] for name in _COSTS},
                    asked_for=Counter(
                        each.path
                        for each in requests
                        if each.path.startswith(_PICTURES) and each.path != NO_PREVIEW_PATH
                    ),
                    requests=len(requests),
                    runs=self._runs_since(started),
                    seconds=(time.monotonic() - began[0], time.process_time() - began[1]),
                )
            )
            yield self.reports[-1]

    @property
    def swept_until(self) -> datetime:
        """What was taken back before this moment has been looked for; later things may be left."""
        down = self.plan.outage_week
        if down and len(self.reports) == down:
            return _MONDAY_MORNING + timedelta(weeks=down - 2)
        return self.reports[-1].at

    def champion(self) -> str:
        """Return the version that serves now, "" for none."""
        found = self.platform.tracking.alias(CHAMPION)
        return found.version if found else ""

    def _live_week(self, week: int) -> None:
        monday = _MONDAY_MORNING + timedelta(weeks=week - 2)
        rests = week == self.plan.rested_week
        if rests:
            self._daemon_stack.close()
        for day in range(DAYS if week > 1 else 0):
            noon = monday + timedelta(days=day, hours=3)
            self._pass_time(noon, rests)
            self.world.live_day(week, day, noon)
            if week == self.plan.wrong_labels_week and day == DAYS - 2:
                self._mix_up_labels()
            if week == self.plan.wrong_labels_week + 1 and day == 0:
                self.labels.undo()
        self._pass_time(_MONDAY_MORNING + timedelta(weeks=week - 1), rests)
        if rests:
            self.daemon = self._start()
            self.daemon.settle()
            self._after_each_tick()

    def _pass_time(self, until: datetime, rests: bool) -> None:
        if rests:
            self._clock.move_to(until)
        else:
            self.daemon.live_until(until, self._after_each_tick)

    def _start(self) -> ClockedDaemon:
        return self._daemon_stack.enter_context(
            ClockedDaemon(self.home.dagster, code_location.__name__, "definitions", self._clock)
        )

    def _mix_up_labels(self) -> None:
        """Put most pictures of two classes into the other one, as a file read askew would."""
        one, other = [name for name in self.plan.classes if name != self.plan.fading][:2]
        swapped = {one: other, other: one}
        rows = [row for row in curated_rows(self.home) if row["class_name"] in swapped]
        self.labels.record(
            (
                NewDecision(
                    row["sha256"], Decision(LABEL, swapped[row["class_name"]]), row["class_name"]
                )
                for number, row in enumerate(rows)
                if number % 8
            ),
            "import",
        )

    def _after_each_tick(self) -> None:
        self._stamp_files()
        self.held.look()

    def _stamp_files(self) -> None:
        """Date what was just written as of now: the file system has a clock of its own."""
        now = time.time_ns()
        for path in self.home.root.rglob("*"):
            try:
                if self._stamped.get(path) != path.stat().st_mtime_ns:
                    os.utime(path, ns=(now, now))
                    self._stamped[path] = path.stat().st_mtime_ns
            except FileNotFoundError:
                continue

    def _marks(self, week: int) -> dict[str, Marks]:
        """Examine the champion, the one of the week before, the first, and the newest version."""
        failures = [each["message"] for each in self.platform.ledger.events("run_failure")]
        versions = [each.version for each in self.platform.tracking.versions()]
        assert versions, f"nothing was ever trained: {failures}"
        newest = max(versions, key=int)
        before = self.reports[-1].champion if self.reports else ""
        wanted = {self.champion(), before, newest, FIRST_VERSION} - {""}
        # Housekeeping may have removed a version since; what it was is remembered here.
        return {
            version: self.examiner.examine(version, week) for version in sorted(wanted, key=int)
        }

    def week_of(self, moment: datetime) -> int:
        """Return the week in which a moment lies."""
        return max(1, 2 + (moment - _MONDAY_MORNING) // timedelta(weeks=1))

    def _disk_bytes(self) -> int:
        return sum(
            path.stat().st_blocks * 512 for path in self.home.root.rglob("*") if path.is_file()
        )

    def _runs_since(self, moment: datetime) -> Counter[tuple[str, str]]:
        runs = self.daemon.instance.get_runs(dg.RunsFilter(created_after=moment))
        return Counter((run.job_name, run.status.value) for run in runs)
