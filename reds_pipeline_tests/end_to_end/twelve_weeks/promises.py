"""What must be true of a home at the end of every week, whatever the week brought.

What belongs here: promises to people, and of a pipeline that works by itself; each function looks
at the home and fails where the promise is broken. The world knows the truth: REDS is not asked
whether it did well, only for what it must have written down. What must be true of the story as a
whole is ``test_twelve_weeks``.
"""

from __future__ import annotations

import traceback
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Iterator
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import urlsplit

import dagster as dg

from reds_pipeline.contact_sheets import noted_sheets
from reds_pipeline.demo.drifting.truth import Publication, Truth
from reds_pipeline.run_artifacts import SPLIT
from reds_pipeline.run_history import SHEETS_OF_A_CLASS, SHEETS_OF_ALL_CLASSES
from reds_pipeline.stage_inputs import selected_classes
from reds_pipeline.storage.tables import read_rows
from reds_pipeline.withdrawal.lineage import WITHDRAWN_PICTURES
from reds_pipeline_tests.end_to_end.twelve_weeks.clocked_daemon import UNFINISHED
from reds_pipeline_tests.end_to_end.twelve_weeks.story import Story

WORSE_AT_MOST = 0.05
"""How much of its accuracy on the world's new pictures a champion may lose against the one before
it; the rule's margin is smaller, but so many pictures cannot tell smaller differences from chance.
"""

_TWO_SIDED_95 = 1.96

_PHOTOGRAPH = "data:image/jpeg;base64,"
# That something is gone is noticed when all that its tick brought about has ended.
_LONGEST_TICK = timedelta(hours=1)


def nothing_hidden_is_kept(story: Story) -> None:
    """No picture of a private, sensitive or unwilling post was asked for, or lies anywhere."""
    hidden = story.world.truth.never_to_be_kept()
    paths = {path for each in hidden for path in each.paths}
    assert paths
    assert paths.isdisjoint(story.reports[-1].asked_for)
    _nothing_is_left_of(story, hidden)


def what_was_taken_back_is_gone(story: Story) -> None:
    """Nothing of what was taken back before the last sweep lies anywhere, or shows in the UI."""
    gone = story.world.truth.taken_back(story.swept_until)
    _nothing_is_left_of(story, gone)
    assert noted_sheets(story.home) == ()
    _no_old_sheet_is_shown(story, [each for each in gone if story.held.were_held(each)])


def no_file_holds_a_trace(story: Story) -> None:
    """No file of any kind holds the heart of a picture that went this week, or its address."""
    since = story.reports[-2].at if len(story.reports) > 1 else story.reports[0].at
    gone = [
        each
        for each in story.world.truth.taken_back(story.swept_until)
        if story.held.were_held(each) and story.held.went_at(each) > since
    ]
    traces = [_heart(data) for each in gone for data in story.held.own_files(each)]
    traces += [path.encode() for each in gone for path in each.paths]
    for path in filter(lambda path: path.is_file(), story.home.root.rglob("*")):
        data = path.read_bytes()
        assert not [trace for trace in traces if trace in data], path


def models_say_what_they_learnt(story: Story) -> None:
    """Each version that learnt from a picture that is gone says so; none was trained on one."""
    gone_at = {
        digest: story.held.went_at(each)
        for each in story.world.truth.taken_back(story.swept_until)
        if story.held.were_held(each)
        for digest in story.held.digests(each.post.post_id)
    }
    tracking = story.platform.tracking
    for version in tracking.versions():
        split = tracking.record(version.run_id, SPLIT)
        assert split is not None, f"version {version.version} no longer says what it learnt from"
        seen = set(split["fold"]) & set(gone_at)
        marked = int(version.tags.get(WITHDRAWN_PICTURES) or 0)
        assert bool(marked) == bool(seen), (version.version, marked, len(seen))
        trained = datetime.fromisoformat(version.created_at)
        assert all(trained < gone_at[digest] for digest in seen), version.version


def every_failure_is_on_record(story: Story) -> None:
    """Each run that failed has its line in the ledger, and nothing is left in the queue."""
    instance = story.daemon.instance
    assert instance.get_runs_count(dg.RunsFilter(statuses=UNFINISHED)) == 0
    failed = instance.get_runs(dg.RunsFilter(statuses=[dg.DagsterRunStatus.FAILURE]))
    told = {event["run_id"] for event in story.platform.ledger.events("run_failure")}
    assert {run.run_id for run in failed} <= told
    assert story.daemon.errors == []


def a_week_costs_what_is_new(story: Story) -> None:
    """New pictures are fetched and embedded when they are first seen, and never again."""
    report, truth = story.reports[-1], story.world.truth
    if not report.refreshed:
        return
    town = {path for each in truth.all() if each.week == 0 for path in each.paths}
    open_now = {
        path
        for each in truth.open_to_learning()
        if each.week > 0 and each.class_name in selected_classes(story.home)
        for path in each.paths
    }
    before: Counter[str] = sum((each.asked_for for each in story.reports[:-1]), Counter())
    # Of one author who floods only a part is asked for, behind everybody else's.
    flood = {path for each in truth.all() if each.nature == "flood" for path in each.paths}
    missed = open_now - flood - set(before) - set(report.asked_for)
    assert not missed, _described(truth, missed)
    allowed = {path for each in truth.taken_back() for path in each.paths} | town | open_now
    # A word of the unrelated posts may be tried as a class, and is collected then.
    allowed |= {path for each in truth.all() if each.nature == "unrelated" for path in each.paths}
    unexpected = set(report.asked_for) - allowed
    assert not unexpected, _described(truth, unexpected)
    again = {path for path, n in (before + report.asked_for).items() if n > 1}
    assert again <= town, "only files that could not be read are tried again"
    embedded = sum(each.embedded for each in story.reports)
    assert embedded <= len(before + report.asked_for), "each picture once at most"


def the_champion_is_no_worse(story: Story) -> None:
    """Who serves now is not worse by more than the margin than who served a week ago.

    Measured on the world's new pictures, the same ones for both. A loss above the margin must not
    be beyond chance, and none may be above ``WORSE_AT_MOST``, chance or not.
    """
    if len(story.reports) < 2:
        return
    report, before = story.reports[-1], story.reports[-2].champion
    if report.champion == before or before not in report.marks:
        return
    now, then = report.marks[report.champion], report.marks[before]
    shared = now.classes & then.classes
    lost = then.about(shared).astype(float) - now.about(shared).astype(float)
    chance = _TWO_SIDED_95 * float(lost.std(ddof=1)) / len(lost) ** 0.5
    margin = story.platform.settings.promotion_margin
    found = (report.champion, before, float(lost.mean()))
    assert float(lost.mean()) <= WORSE_AT_MOST, found
    assert float(lost.mean()) - chance <= margin, found


PROMISES: tuple[Callable[[Story], None], ...] = (
    nothing_hidden_is_kept,
    what_was_taken_back_is_gone,
    no_file_holds_a_trace,
    models_say_what_they_learnt,
    every_failure_is_on_record,
    a_week_costs_what_is_new,
    the_champion_is_no_worse,
)


def broken_promises(story: Story) -> dict[str, str]:
    """Return what is broken at this moment: the promise's name, and how."""
    broken = {}
    for promise in PROMISES:
        try:
            promise(story)
        except AssertionError as error:
            said = str(error) or traceback.extract_tb(error.__traceback__)[-1].line
            broken[promise.__name__] = f"week {story.reports[-1].week}: {said}"
    return broken


def _nothing_is_left_of(story: Story, publications: Iterable[Publication]) -> None:
    digests: set[str] = set()
    paths: set[str] = set()
    for each in publications:
        digests |= story.held.digests(each.post.post_id)
        paths |= set(each.paths)
    assert digests.isdisjoint(story.held.files())
    for store in story.home.array_stores():
        assert digests.isdisjoint(store.keys()), store
    for path in (story.home.root / "tables").rglob("*.parquet"):
        for text in _texts(read_rows(path)):
            assert text not in digests, path
            assert "/" not in text or urlsplit(text).path not in paths, path


def _no_old_sheet_is_shown(story: Story, gone: Iterable[Publication]) -> None:
    """No sheet in the run history was made while a picture that is gone now was still there."""
    went = {SHEETS_OF_ALL_CLASSES: dict[str | None, datetime](), SHEETS_OF_A_CLASS: {}}
    for each in gone:
        at = story.held.went_at(each)
        for key, part in ((SHEETS_OF_ALL_CLASSES, None), (SHEETS_OF_A_CLASS, each.class_name)):
            went[key][part] = max(at, went[key].get(part, at))
    for key, parts in went.items():
        for part, at in parts.items():
            wanted = dg.AssetRecordsFilter(asset_key=key, asset_partitions=[part] if part else None)
            found = story.daemon.instance.fetch_materializations(wanted, limit=1000)
            for record in found.records:
                if _PHOTOGRAPH in str(record.event_log_entry):
                    assert record.timestamp > (at - _LONGEST_TICK).timestamp(), (key, part)


def _described(truth: Truth, paths: Collection[str]) -> list[tuple[str, int, str, str]]:
    """Return class, week, nature and end of the posts that show files."""
    return [
        (each.class_name, each.week, each.nature, each.how)
        for each in truth.all()
        if not set(paths).isdisjoint(each.paths)
    ]


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for part in value.values():
            yield from _texts(part)
    elif isinstance(value, list):
        for part in value:
            yield from _texts(part)


def _heart(picture: bytes) -> bytes:
    """Return bytes that no other picture has; the beginnings of many are alike."""
    middle = len(picture) // 2
    return picture[middle : middle + 60]
