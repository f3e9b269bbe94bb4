"""The daemon lives through weeks of drift, regrets, outages, floods and mistakes.

Four crowded weeks here. With ``TWELVE_WEEKS=whole`` in the environment it is the whole story,
which takes about ten minutes; ``make twelve-weeks`` tells it too, and draws it.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from reds_pipeline.demo.drifting.plan import DriftPlan
from reds_pipeline.imaging.author_share import LEAST
from reds_pipeline.stage_inputs import curated_rows, learnt_classes, selected_classes
from reds_pipeline_tests.end_to_end.twelve_weeks.plans import (
    SHORT,
    SHORT_SETTINGS,
    WHOLE,
    WHOLE_SETTINGS,
)
from reds_pipeline_tests.end_to_end.twelve_weeks.promises import PROMISES, broken_promises
from reds_pipeline_tests.end_to_end.twelve_weeks.story import FIRST_VERSION, Story, WeekReport

_IS_WHOLE = os.environ.get("TWELVE_WEEKS") == "whole"
whole_story = pytest.mark.skipif(not _IS_WHOLE, reason="too few weeks to see a trend")


@dataclass
class Lived:
    """A story that is over.

    Attributes:
        story: With its home and its reports.
        broken: What was broken at the end of some week, by promise.
        chosen: Classes to collect at the end of each week.
        learnt: Classes that the data set is made of, likewise.
        learnt_from_flood: Pictures of the flood in the data set right after it, and all pictures
            of that class in it.
    """

    story: Story
    broken: dict[str, list[str]] = field(default_factory=lambda: {p.__name__: [] for p in PROMISES})
    chosen: list[list[str]] = field(default_factory=list)
    learnt: list[set[str]] = field(default_factory=list)
    learnt_from_flood: tuple[int, int] = (0, 0)

    @property
    def plan(self) -> DriftPlan:
        return self.story.plan

    def week(self, number: int) -> WeekReport:
        return self.story.reports[number - 1]

    def events(self, kind: str, week: int) -> list[dict]:
        since = self.week(week - 1).at.isoformat() if week > 1 else ""
        return [
            event
            for event in self.story.platform.ledger.events(kind)
            if since < event["at"] <= self.week(week).at.isoformat()
        ]


@pytest.fixture(scope="module")
def lived(tmp_path_factory: pytest.TempPathFactory, mlflow_database: Path) -> Iterator[Lived]:
    directory = tmp_path_factory.mktemp("weeks")
    plan, settings = (WHOLE, WHOLE_SETTINGS) if _IS_WHOLE else (SHORT, SHORT_SETTINGS)
    with Story(
        plan, directory, settings, mlflow_database, pictures=24 if _IS_WHOLE else 12
    ) as story:
        over = Lived(story)
        for report in story.live():
            for name, how in broken_promises(story).items():
                over.broken[name].append(how)
            over.chosen.append(selected_classes(story.home))
            over.learnt.append(set(learnt_classes(story.home)))
            if report.week == plan.flood_week:
                over.learnt_from_flood = _learnt_from_flood(story)
        yield over


def _learnt_from_flood(story: Story) -> tuple[int, int]:
    flood = {
        digest
        for each in story.world.truth.all()
        if each.nature == "flood"
        for digest in story.held.digests(each.post.post_id)
    }
    rows = [row for row in curated_rows(story.home) if row["class_name"] == story.plan.flooded]
    return sum(row["sha256"] in flood for row in rows), len(rows)


@pytest.mark.req("R-SCR-3")
@pytest.mark.req("R-SCR-4")
@pytest.mark.req("R-SCR-11")
@pytest.mark.req("R-IMP-4")
@pytest.mark.parametrize("promise", [promise.__name__ for promise in PROMISES])
def test_in_every_week(lived: Lived, promise: str) -> None:
    assert lived.broken[promise] == []


def test_deletions_are_followed_soon(lived: Lived) -> None:
    """By the next sweep, except where the host does not answer or nobody runs the pipeline.

    A post that was seen less than ``recheck_after_hours`` before a sweep waits for the one after.
    """
    story, plan = lived.story, lived.plan
    hours = [
        story.held.gone_after[each.post.post_id]
        for each in story.world.truth.taken_back()
        if each.post.post_id in story.held.gone_after
        and each.taken_back_at
        and story.week_of(each.taken_back_at) not in {plan.outage_week, plan.rested_week}
    ]
    assert hours
    longest = story.platform.settings.recheck_after_hours + 24
    assert max(hours) < (longest if _IS_WHOLE else 4 * 24)


def test_a_week_without_the_host_fails_politely_and_is_caught_up_with(lived: Lived) -> None:
    week = lived.plan.outage_week
    report, before, after = lived.week(week), lived.week(week - 1), lived.week(week + 1)
    assert report.runs["weekly_refresh", "FAILURE"] == 1
    assert report.runs["retrain", "SUCCESS"] == 0
    assert report.champion == before.champion
    assert report.requests < before.requests
    sentences = [event["message"] for event in lived.events("run_failure", week)]
    assert sentences
    assert all("Traceback" not in sentence for sentence in sentences)
    assert "failure" in {event["subject"] for event in lived.events("notice", week)}
    assert after.runs["weekly_refresh", "SUCCESS"] == 1
    fetched = set(after.asked_for)
    missed = [
        each
        for each in lived.story.world.truth.open_to_learning()
        if each.week == week and each.class_name in lived.chosen[week]
    ]
    assert missed
    assert all(set(each.paths) <= fetched for each in missed)


def test_what_was_missed_while_nobody_ran_it_runs_once(lived: Lived) -> None:
    runs = lived.week(lived.plan.rested_week).runs
    assert {name: count for (name, _), count in runs.items() if name != "collect_class"} == {
        "recheck_posts": 1,
        "weekly_refresh": 1,
        "retrain": 1,
        "housekeeping": 1,
    }


def test_classes_come_and_go_and_the_history_says_so(lived: Lived) -> None:
    changes = [
        (event["subject"], event["change"])
        for event in lived.story.platform.ledger.events("class_change")
    ]
    newcomer, fading = lived.plan.newcomer, lived.plan.fading
    assert changes.index((newcomer, "entered")) < changes.index((newcomer, "learning"))
    assert (fading, "left") in changes
    assert lived.learnt[-1] == {*lived.plan.classes, newcomer} - {fading}


def test_one_author_makes_no_class_and_has_little_weight_in_any(lived: Lived) -> None:
    """That it harms no model is among the promises."""
    assert not any(lived.plan.invented_tag in classes for classes in lived.chosen)
    flood, all_of_class = lived.learnt_from_flood
    assert 0 < flood <= max(LEAST, all_of_class / 5)


def test_a_model_of_wrong_labels_does_not_serve(lived: Lived) -> None:
    week = lived.plan.wrong_labels_week
    report = lived.week(week)
    newest = max(report.marks, key=int)
    bad, serving = report.marks[newest], report.marks[report.champion]
    assert newest != report.champion == lived.week(week - 1).champion
    shared = bad.classes & serving.classes
    assert bad.about(shared).mean() < serving.about(shared).mean()


@whole_story
def test_the_champion_follows_the_world(lived: Lived) -> None:
    """At the end it does better on pictures of that week than the first model would."""
    last = lived.story.reports[-1]
    first, serving = last.marks[FIRST_VERSION], last.marks[last.champion]
    shared = first.classes & serving.classes
    assert serving.about(shared).mean() > first.about(shared).mean()
    assert lived.plan.newcomer in serving.classes
    assert lived.plan.fading not in serving.classes


@whole_story
def test_the_disk_does_not_fill(lived: Lived) -> None:
    """In week 9 what is too old has begun to go, and all classes are there."""
    assert lived.week(12).disk_bytes < 1.3 * lived.week(6).disk_bytes
    assert lived.week(12).disk_bytes < 1.15 * lived.week(9).disk_bytes
