"""What must be true of a home at the end of every week, whatever the week brought.

What belongs here: promises to people, and of a pipeline that works by itself; each function looks
at the home and says which promise is broken. The world knows the truth; nothing here asks REDS
whether REDS did well, but for what it has to have written down.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from datetime import datetime
from typing import Any
from urllib.parse import urlsplit

import dagster as dg

from reds_pipeline.contact_sheets import noted_sheets
from reds_pipeline.demo.drifting.truth import Publication
from reds_pipeline.run_artifacts import SPLIT
from reds_pipeline.run_history import SHEETS_OF_A_CLASS, SHEETS_OF_ALL_CLASSES
from reds_pipeline.storage.home import file_name
from reds_pipeline.storage.tables import read_rows
from reds_pipeline.withdrawal.lineage import WITHDRAWN_PICTURES
from reds_pipeline_tests.end_to_end.twelve_weeks.clocked_daemon import UNFINISHED
from reds_pipeline_tests.end_to_end.twelve_weeks.story import Story, WeekReport

# Their tables hold what people posted, made or measured; names of classes are no secret.
_PHOTOGRAPH = "data:image/jpeg;base64,"
# A batch of pictures that a training lists for ever, so that a later withdrawal finds it.
_LISTS_EVERYTHING = {"split.json"}


def nothing_hidden_is_kept(story: Story) -> None:
    """No picture of a private, sensitive or unwilling post was asked for, or lies anywhere."""
    hidden = story.world.truth.never_to_be_kept()
    paths = {path for each in hidden for path in each.paths}
    assert paths
    for report in story.reports:
        assert paths.isdisjoint(report.asked_for)
    _nothing_is_left_of(story, hidden)


def what_was_taken_back_is_gone(story: Story, before: datetime) -> None:
    """Nothing of what was taken back by a moment lies anywhere, and the run history shows none."""
    gone = story.world.truth.taken_back(before)
    _nothing_is_left_of(story, gone)
    assert noted_sheets(story.home) == ()
    for each in gone:
        if story.held.were_held(each):
            _history_shows_no_sheet(story, each)


def no_trace_in_files(story: Story, before: datetime) -> None:
    """No file of the home, of whatever kind, holds the heart of a picture that is gone."""
    gone = [
        each for each in story.world.truth.taken_back(before) if story.held.were_held(each)
    ]
    hearts = [_heart(data) for each in gone for data in story.world.files(each)]
    hearts += [path.encode() for each in gone for path in each.paths]
    for path in story.home.root.rglob("*"):
        if path.is_file():
            data = path.read_bytes()
            assert not [heart for heart in hearts if heart in data], path


def models_of_what_is_gone_are_marked(story: Story, before: datetime) -> None:
    """Each version that learnt from a picture that is gone says so; none trained since has."""
    digests = {
        digest: story.held.gone_at[each.post.post_id]
        for each in story.world.truth.taken_back(before)
        if story.held.were_held(each)
        for digest in story.held.digests(each.post.post_id)
    }
    tracking = story.platform.tracking
    for version in tracking.versions():
        split = tracking.record(version.run_id, SPLIT)
        assert split is not None, f"version {version.version} no longer says what it learnt from"
        seen = set(split["fold"]) & set(digests)
        marked = int(version.tags.get(WITHDRAWN_PICTURES) or 0)
        assert bool(marked) == bool(seen), (version.version, marked, len(seen))
        trained = datetime.fromisoformat(version.created_at)
        for digest in seen:
            assert trained < digests[digest], f"version {version.version} learnt what was gone"


def every_failure_is_on_record(story: Story) -> None:
    """Each run that failed has its line in the ledger and its sentence; nothing is left queued."""
    instance = story.daemon.instance
    assert instance.get_runs_count(dg.RunsFilter(statuses=UNFINISHED)) == 0
    failed = instance.get_runs(dg.RunsFilter(statuses=[dg.DagsterRunStatus.FAILURE]))
    told = {event["run_id"] for event in story.platform.ledger.events("run_failure")}
    assert {run.run_id for run in failed} <= told
    assert story.daemon.errors == []


def each_picture_is_asked_for_once(story: Story) -> None:
    """What is new is downloaded when it is first seen, and never again."""
    new = {
        path
        for each in story.world.truth.all()
        if each.week > 0
        for path in each.paths
    }
    asked = sum((report.asked_for for report in story.reports), start=type(story.reports[0].asked_for)())
    assert {path: n for path, n in asked.items() if path in new and n > 1} == {}


def the_week_fetched_what_was_new(story: Story, report: WeekReport, classes: Iterable[str]) -> None:
    """The pictures that a week asked for are those that were posted since, and no others."""
    posted_to = set(classes)
    earlier = {path for each in story.reports[: report.week - 1] for path in each.asked_for}
    wanted = {
        path
        for each in story.world.truth.all()
        if each.nature in {"clean", "flood"} and each.class_name in posted_to and each.week > 0
        # The training's own sweep is the last look; what went before the collection is not asked for.
        if each.taken_back_at is None
        for path in each.paths
    }
    town = {path for each in story.world.truth.all() if each.week == 0 for path in each.paths}
    asked = set(report.asked_for) - town
    assert wanted - earlier <= asked, sorted(wanted - earlier - asked)
    gone = {path for each in story.world.truth.taken_back() for path in each.paths}
    assert asked <= wanted | gone


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


def _history_shows_no_sheet(story: Story, publication: Publication) -> None:
    """No sheet that the run history shows was made while the picture was still there."""
    gone_at = story.held.gone_at[publication.post.post_id].timestamp()
    for key, partition in (
        (SHEETS_OF_A_CLASS, publication.class_name),
        (SHEETS_OF_ALL_CLASSES, None),
    ):
        wanted = dg.AssetRecordsFilter(
            asset_key=key, asset_partitions=[partition] if partition else None
        )
        for record in story.daemon.instance.fetch_materializations(wanted, limit=1000).records:
            shown = json.dumps(str(record.event_log_entry))
            if _PHOTOGRAPH in shown:
                assert record.timestamp > gone_at - _SWEEP_SECONDS, (partition, publication.how)


# A sweep is noticed when all that its tick brought about has ended, a training among it.
_SWEEP_SECONDS = 3600.0


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
