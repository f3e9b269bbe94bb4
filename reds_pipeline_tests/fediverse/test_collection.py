from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import time_machine

from reds_pipeline.fediverse.collection import (
    Collected,
    Known,
    collect_posts,
    funnel,
    newest_posts,
    sample_public,
)
from reds_pipeline.fediverse.consent import ConsentPolicy
from reds_pipeline.fediverse.hosts import HostProfile
from reds_pipeline.fediverse.timelines import PagingRules
from reds_pipeline.fediverse.walks import Cursor
from reds_pipeline.fediverse.web.client import ApiClient
from reds_pipeline.fediverse.web.failures import HostUnavailable
from reds_pipeline.storage.journal import Journal
from reds_pipeline_tests.fediverse.makers import (
    IMPATIENT,
    MASTODON,
    PIXELFED,
    entity,
    reader,
    timeline,
)
from reds_pipeline_tests.fediverse.power_cuts import FragileJournal, Killed
from reds_pipeline_tests.fediverse.scripted_host import Asked, Reply, ScriptedHost, as_json

Timelines = dict[str, list[dict[str, Any]]]


class Instance:
    """A scripted host with one list of posts per tag, "" for the public timeline."""

    def __init__(
        self, server: ScriptedHost, client: ApiClient, timelines: Timelines | None = None
    ) -> None:
        self.server = server
        self.client = client
        self.timelines: Timelines = timelines or {}
        server.answer = self._answer
        server.asked.clear()

    def _answer(self, asked: Asked) -> Reply:
        tag = asked.path.partition("/tag/")[2]
        return timeline(self.timelines.get(tag, []), asked)

    def requests(self) -> int:
        return len(self.server.asked)

    def collect(
        self,
        journal: Journal,
        known: Known | None = None,
        *,
        host: str = "pix.example",
        tags: tuple[str, ...] = ("cat",),
        wanted: int = 10_000,
        page: int = 40,
        max_pages: int = 150,
        policy: ConsentPolicy | None = None,
        profile: HostProfile = MASTODON,
    ) -> Collected:
        return collect_posts(
            self.client,
            profile,
            tags=tags,
            reader=reader(host, policy),
            wanted_images=wanted,
            journal=journal,
            known=known,
            rules=PagingRules(limit=page, max_pages=max_pages),
        )


@pytest.fixture(scope="module")
def running() -> Iterator[tuple[ScriptedHost, ApiClient]]:
    with ScriptedHost() as server, ApiClient(server.url, pace=IMPATIENT) as client:
        # So that robots.txt is not among the requests that tests count.
        client.robots_refusal("/")
        yield server, client


@pytest.fixture
def instance(running: tuple[ScriptedHost, ApiClient]) -> Instance:
    return Instance(*running)


@pytest.fixture
def journal(tmp_path: Path) -> Journal:
    return Journal(tmp_path / "cat.jsonl")


def kept_ids(collected: Collected) -> list[int]:
    return sorted(int(row["post_id"]) for row in collected.rows if row["status"] == "kept")


def stretches(collected: Collected) -> list[tuple[str, str, str, bool]]:
    return [
        (cursor.tag, cursor.newest_id, cursor.oldest_id, cursor.exhausted)
        for cursor in collected.cursors
    ]


def as_known(collected: Collected) -> Known:
    return Known(collected.rows, collected.cursors)


def posts(*ids: int) -> list[dict[str, Any]]:
    return [entity(str(post_id)) for post_id in ids]


def gated(*ids: int) -> list[dict[str, Any]]:
    return [entity(str(post_id), sensitive=True) for post_id in ids]


def test_all_posts_of_all_spellings_are_collected_once(
    instance: Instance, journal: Journal
) -> None:
    instance.timelines = {"cat": posts(*range(1, 100)), "cats": posts(*range(90, 130))}
    collected = instance.collect(journal, tags=("cat", "cats", "cat"))
    assert kept_ids(collected) == list(range(1, 130))
    assert collected.counts == {"seen": 129, "kept": 129, "dropped": {}}
    assert collected.new_posts == 129
    assert stretches(collected) == [("cat", "99", "1", True), ("cats", "129", "90", True)]


@pytest.mark.req("R-SCR-12")
def test_an_unchanged_instance_costs_one_request_a_tag(
    instance: Instance, journal: Journal
) -> None:
    instance.timelines = {"cat": posts(*range(1, 200)), "cats": posts(*range(50, 60))}
    first = instance.collect(journal, tags=("cat", "cats"))
    journal.delete()
    instance.server.asked.clear()
    second = instance.collect(journal, as_known(first), tags=("cat", "cats"))
    assert instance.requests() == 2
    assert journal.records() == []
    assert second.new_posts == 0
    assert (second.rows, second.cursors) == (first.rows, first.cursors)


@pytest.mark.req("R-IMP-5")
def test_a_walk_says_until_when_it_has_seen_everything(
    instance: Instance, journal: Journal
) -> None:
    """Also one that finds nothing new: nothing was posted until then."""
    instance.timelines = {"cat": posts(1, 2, 3)}
    walked = []
    known = None
    for day in (1, 8):
        with time_machine.travel(f"2026-03-0{day}T00:00:00Z", tick=False):
            collected = instance.collect(journal, known)
        known = Known(collected.rows, [Cursor(**cursor.row()) for cursor in collected.cursors])
        walked += [cursor.walked_at for cursor in collected.cursors]
    assert walked == ["2026-03-01T00:00:00Z", "2026-03-08T00:00:00Z"]


def test_new_posts_cost_the_pages_that_hold_them(instance: Instance, journal: Journal) -> None:
    instance.timelines = {"cat": posts(*range(1, 101))}
    first = instance.collect(journal, page=10)
    journal.delete()
    instance.timelines["cat"] += posts(*range(101, 126))
    instance.server.asked.clear()
    second = instance.collect(journal, as_known(first), page=10)
    assert instance.requests() == 3
    assert second.new_posts == 25
    assert kept_ids(second) == list(range(1, 126))
    assert stretches(second) == [("cat", "125", "1", True)]


@pytest.mark.req("R-SCR-2")
def test_collecting_stops_when_there_are_enough_pictures_and_goes_on_when_more_are_wanted(
    instance: Instance, journal: Journal
) -> None:
    instance.timelines = {"cat": posts(*range(1, 101)), "cats": posts(500)}
    first = instance.collect(journal, tags=("cat", "cats"), wanted=25, page=10)
    assert instance.requests() == 3
    assert kept_ids(first) == list(range(71, 101))
    assert stretches(first) == [("cat", "100", "71", False)]
    more = instance.collect(journal, as_known(first), tags=("cat", "cats"), wanted=95, page=10)
    assert kept_ids(more) == list(range(1, 101))


def test_a_post_whose_newest_neighbour_was_deleted_is_still_recognised(
    instance: Instance, journal: Journal
) -> None:
    instance.timelines = {"cat": posts(*range(1, 101))}
    first = instance.collect(journal)
    instance.timelines["cat"] = posts(*range(1, 95))
    instance.server.asked.clear()
    instance.collect(journal, as_known(first))
    assert instance.requests() == 1


def test_a_tag_of_which_nothing_may_be_kept_is_not_walked_again(
    instance: Instance, journal: Journal
) -> None:
    instance.timelines = {"cat": gated(*range(1, 101))}
    first = instance.collect(journal, page=10)
    assert first.counts == {"seen": 100, "kept": 0, "dropped": {"sensitive": 100}}
    instance.server.asked.clear()
    second = instance.collect(journal, as_known(first), page=10)
    assert instance.requests() == 1
    instance.timelines["cat"] += posts(101)
    third = instance.collect(journal, as_known(second), page=10)
    assert kept_ids(third) == [101]
    assert stretches(third) == [("cat", "101", "101", True)]


def test_a_post_known_from_another_spelling_does_not_end_a_walk_early(
    instance: Instance, journal: Journal
) -> None:
    """Nothing of ``cats`` was kept so far; its newest posts are those of ``cat`` too."""
    instance.timelines = {"cat": posts(1), "cats": gated(2)}
    first = instance.collect(journal, tags=("cat", "cats"))
    journal.delete()
    instance.timelines = {
        "cat": posts(1, *range(20, 30)),
        "cats": gated(2) + posts(*range(10, 30)),
    }
    second = instance.collect(journal, as_known(first), tags=("cat", "cats"), page=10)
    assert kept_ids(second) == [1, *range(10, 30)]


def test_a_kill_before_anything_was_kept_hides_nothing_below(
    instance: Instance, tmp_path: Path
) -> None:
    path = tmp_path / "cat.jsonl"
    instance.timelines = {"cat": gated(1, 2)}
    first = instance.collect(Journal(path))
    Journal(path).delete()
    instance.timelines["cat"] += posts(3) + gated(*range(4, 9))
    with pytest.raises(Killed):
        instance.collect(FragileJournal(path, 0, after=True), as_known(first), page=5)
    assert kept_ids(instance.collect(Journal(path), as_known(first), page=5)) == [3]


def test_a_page_of_gated_posts_on_top_is_recognised(instance: Instance, journal: Journal) -> None:
    """On a tag full of posts of other hosts, the newest kept one may be many pages down."""
    instance.timelines = {"cat": posts(*range(1, 6)) + gated(*range(6, 60))}
    first = instance.collect(journal, page=10)
    instance.server.asked.clear()
    instance.collect(journal, as_known(first), page=10)
    assert instance.requests() == 1


def test_an_old_post_that_got_its_tag_late_does_not_end_a_walk(
    instance: Instance, journal: Journal
) -> None:
    instance.timelines = {"cat": posts(*range(10, 30))}
    first = instance.collect(journal, page=5)
    journal.delete()
    instance.timelines["cat"] += posts(*range(30, 45))
    healthy = instance.server.answer

    def with_an_old_post_on_top(asked: Asked) -> Reply:
        reply = healthy(asked)
        if "max_id" in asked.query:
            return reply
        return as_json(posts(3) + json.loads(reply.body))

    instance.server.answer = with_an_old_post_on_top
    second = instance.collect(journal, as_known(first), page=5)
    assert kept_ids(second) == [3, *range(10, 45)]


def test_a_tag_whose_only_kept_post_was_gated_later_is_still_followed(
    instance: Instance, journal: Journal
) -> None:
    instance.timelines = {"cat": posts(*range(1, 9)), "cats": posts(9)}
    first = instance.collect(journal, tags=("cat", "cats"), wanted=9)
    instance.timelines["cats"] = gated(9)
    second = instance.collect(journal, as_known(first), tags=("cat", "cats"), wanted=8)
    instance.timelines["cats"] += posts(10)
    third = instance.collect(journal, as_known(second), tags=("cat", "cats"), wanted=8)
    assert kept_ids(third) == [*range(1, 9), 10]


def test_the_id_of_a_gated_post_is_written_nowhere(instance: Instance, tmp_path: Path) -> None:
    instance.timelines = {"cat": gated(90210, 70210, 50210) + posts(80210, 60210)}
    collected = instance.collect(Journal(tmp_path / "cat.jsonl"), page=2)
    written = (tmp_path / "cat.jsonl").read_text() + json.dumps(
        [collected.rows, [cursor.row() for cursor in collected.cursors]]
    )
    assert "60210" in written
    for post_id in ("90210", "70210", "50210"):
        assert post_id not in written


def test_a_post_that_turned_sensitive_is_gated_from_then_on(
    instance: Instance, journal: Journal
) -> None:
    instance.timelines = {"cat": posts(1, 2, 3)}
    first = instance.collect(journal)
    instance.timelines = {"cat": posts(1, 3) + gated(2)}
    second = instance.collect(journal, as_known(first))
    assert kept_ids(second) == [1, 3]
    instance.timelines = {"cat": posts(1, 2, 3)}
    third = instance.collect(journal, as_known(second))
    assert kept_ids(third) == [1, 3]
    assert third.counts == {"seen": 3, "kept": 2, "dropped": {"sensitive": 1}}


def test_a_home_pointed_at_another_host_walks_it_from_the_start_and_keeps_what_it_has(
    instance: Instance, journal: Journal
) -> None:
    instance.timelines = {"cat": posts(*range(50, 60))}
    first = instance.collect(journal)
    journal.delete()
    instance.timelines = {"cat": posts(*range(1, 40)) + gated(70)}
    second = instance.collect(journal, as_known(first), host="other.example")
    assert kept_ids(second) == [*range(1, 40), *range(50, 60)]
    assert second.new_posts == 40
    assert stretches(second) == [("cat", "39", "1", True)]
    instance.server.asked.clear()
    instance.collect(journal, as_known(second), host="other.example")
    assert instance.requests() == 1


def test_posts_whose_table_was_lost_are_collected_again(
    instance: Instance, journal: Journal
) -> None:
    instance.timelines = {"cat": posts(*range(1, 100)), "cats": gated(200)}
    first = instance.collect(journal, tags=("cat", "cats"))
    journal.delete()
    again = instance.collect(journal, Known((), first.cursors), tags=("cat", "cats"))
    assert kept_ids(again) == list(range(1, 100))
    assert again.counts == first.counts


def test_a_budget_that_ends_in_a_gap_is_made_up_for_later(
    instance: Instance, journal: Journal
) -> None:
    instance.timelines = {"cat": posts(*range(1, 21))}
    first = instance.collect(journal, page=10)
    journal.delete()
    instance.timelines["cat"] += posts(*range(21, 81))
    second = instance.collect(journal, as_known(first), page=10, max_pages=2)
    assert len(second.cursors) == 2
    assert set(range(41, 61)).isdisjoint(kept_ids(second))
    journal.delete()
    third = instance.collect(journal, as_known(second), page=10)
    assert kept_ids(third) == list(range(1, 81))
    assert stretches(third) == [("cat", "80", "1", True)]


def test_a_host_that_fails_loses_nothing_that_came_before(
    instance: Instance, journal: Journal
) -> None:
    instance.timelines = {"cat": posts(*range(1, 51))}
    healthy = instance.server.answer

    def failing(asked: Asked) -> Reply:
        return healthy(asked) if "max_id" not in asked.query else as_json({"error": "x"}, 500)

    instance.server.answer = failing
    with pytest.raises(HostUnavailable):
        instance.collect(journal, page=20)
    instance.server.answer = healthy
    instance.server.asked.clear()
    assert kept_ids(instance.collect(journal, page=20)) == list(range(1, 51))
    assert [asked.query.get("max_id") for asked in instance.server.asked] == [None, "31", "11", "1"]


STRICT = ConsentPolicy(require_indexable="strict")


def without_flags(*ids: int) -> list[dict[str, Any]]:
    """Posts whose authors did not say whether they may be indexed: as Pixelfed sends them."""
    return posts(*ids)


def indexable(*ids: int) -> list[dict[str, Any]]:
    made = posts(*ids)
    for post in made:
        post["account"]["indexable"] = True
    return made


def test_a_change_of_policy_judges_every_post_again_in_both_directions(
    instance: Instance, journal: Journal
) -> None:
    instance.timelines = {"cat": without_flags(*range(1, 30)) + indexable(*range(30, 50))}
    loose = instance.collect(journal, page=10)
    assert kept_ids(loose) == list(range(1, 50))
    journal.delete()
    strict = instance.collect(journal, as_known(loose), page=10, policy=STRICT)
    assert kept_ids(strict) == list(range(30, 50))
    assert strict.new_posts == 0
    journal.delete()
    again = instance.collect(journal, as_known(strict), page=10)
    assert kept_ids(again) == list(range(1, 50))
    assert {cursor.policy for cursor in again.cursors} == {ConsentPolicy().digest}


def test_posts_judged_under_another_policy_do_not_stop_a_run_from_looking(
    instance: Instance, journal: Journal
) -> None:
    instance.timelines = {"cat": without_flags(*range(41, 61)) + indexable(*range(1, 41))}
    loose = instance.collect(journal, wanted=20, page=10)
    assert kept_ids(loose) == list(range(41, 61))
    journal.delete()
    strict = instance.collect(journal, as_known(loose), wanted=20, page=10, policy=STRICT)
    assert kept_ids(strict) == list(range(21, 41))


def test_a_policy_that_changes_between_a_kill_and_its_resumption_is_obeyed(
    instance: Instance, tmp_path: Path
) -> None:
    path = tmp_path / "cat.jsonl"
    instance.timelines = {"cat": without_flags(*range(1, 30)) + indexable(*range(30, 50))}
    with pytest.raises(Killed):
        instance.collect(FragileJournal(path, 2, after=True), page=10)
    strict = instance.collect(Journal(path), page=10, policy=STRICT)
    assert kept_ids(strict) == list(range(30, 50))


def test_an_edited_post_is_taken_as_it_is_now(instance: Instance, journal: Journal) -> None:
    instance.timelines = {"cat": posts(1, 2, 3)}
    first = instance.collect(journal)
    before = {row["post_id"]: row for row in first.rows}
    journal.delete()
    edited = entity("2", tags=[{"name": "Dog"}])
    edited["media_attachments"][0]["url"] = "https://pix.example/storage/m/other.jpg"
    instance.timelines = {"cat": [*posts(1, 3), edited]}
    second = instance.collect(journal, as_known(first))
    after = {row["post_id"]: row for row in second.rows}
    assert after["2"]["tags"] == ["Dog"]
    assert after["2"]["media"][0]["url"].endswith("other.jpg")
    assert after["2"]["collected_at"] == before["2"]["collected_at"]
    assert (after["1"], after["3"]) == (before["1"], before["3"])
    (record,) = journal.records()
    assert [row["post_id"] for row in record["rows"]] == ["2"]
    assert second.new_posts == 0


def test_posts_that_are_shown_again_are_confirmed_by_their_keys_alone(
    instance: Instance, journal: Journal
) -> None:
    instance.timelines = {"cat": posts(*range(1, 31))}
    first = instance.collect(journal)
    journal.delete()
    long_ago = "2026-01-01T00:00:00Z"
    old = [
        row | {"collected_at": long_ago, "confirmed_at": long_ago, "failed_checks": 1}
        for row in first.rows
    ]
    second = instance.collect(journal, Known(old, first.cursors))
    assert all(row["confirmed_at"] > long_ago for row in second.rows)
    assert all(row["collected_at"] == long_ago for row in second.rows)
    assert not any(row["failed_checks"] for row in second.rows)
    (record,) = journal.records()
    assert record["rows"] == []
    assert len(record["confirmed"]) == 30
    # Killed before the journal was deleted: it says the same over the tables.
    third = instance.collect(journal, as_known(second))
    assert third.rows == second.rows


def test_the_end_of_the_budget_is_the_end_of_the_run_and_the_next_goes_on(
    instance: Instance, journal: Journal
) -> None:
    instance.timelines = {"cat": posts(*range(1, 51)), "cats": posts(*range(51, 101))}
    server, tags = instance.server, ("cat", "cats")
    with ApiClient(server.url, pace=IMPATIENT, budget=4) as frugal:
        first = Instance(server, frugal, instance.timelines).collect(journal, tags=tags, page=10)
    assert "nothing is lost" in first.stopped_by
    assert kept_ids(first) == list(range(21, 51))
    journal.delete()
    second = Instance(server, instance.client, instance.timelines).collect(
        journal, as_known(first), tags=tags, page=10
    )
    assert second.stopped_by == ""
    assert kept_ids(second) == list(range(1, 101))


def test_places_that_were_stepped_over_are_counted_over_a_kill(
    instance: Instance, tmp_path: Path
) -> None:
    path = tmp_path / "cat.jsonl"
    instance.timelines = {"cat": posts(*range(1, 101))}
    healthy = instance.server.answer

    def broken(asked: Asked) -> Reply:
        reply = healthy(asked)
        bad = b'"id": "83"' in reply.body or b'"id": "27"' in reply.body
        return as_json({"error": "Server Error"}, 500) if bad else reply

    instance.server.answer = broken
    with pytest.raises(Killed):
        instance.collect(FragileJournal(path, 4, after=True))
    done = instance.collect(Journal(path))
    assert kept_ids(done) == [number for number in range(1, 101) if number not in {83, 27}]
    assert done.unreadable == 2
    assert done.cursors[0].exhausted


def test_a_guessed_end_is_looked_at_again_after_a_week_by_who_wants_more(
    instance: Instance, journal: Journal
) -> None:
    top, day = 10**12, 24 * 3600 * 1000
    newest, hidden = str(top << 22), str((top - 20 * day) << 22)
    instance.timelines = {"cat": [entity(newest)]}
    pixelfed = replace(PIXELFED, tag_timeline="anonymous")

    def collect(known: Known, wanted: int) -> Collected:
        collected = instance.collect(journal, known, wanted=wanted, page=1, profile=pixelfed)
        journal.delete()
        return collected

    first = collect(Known(), 10)
    assert first.cursors[0].looked_at
    instance.timelines["cat"].append(entity(hidden))
    assert kept_ids(collect(as_known(first), 10)) == [int(newest)]
    old_guess = Known(first.rows, [replace(first.cursors[0], looked_at="2026-01-01T00:00:00Z")])
    assert kept_ids(collect(old_guess, 1)) == [int(newest)]
    assert kept_ids(collect(old_guess, 10)) == [int(hidden), int(newest)]


def test_an_old_post_that_stays_on_top_ends_no_walk_early(
    instance: Instance, journal: Journal
) -> None:
    healthy = instance.server.answer

    def with_an_old_post_on_top(asked: Asked) -> Reply:
        reply = healthy(asked)
        return reply if "max_id" in asked.query else as_json(posts(3) + json.loads(reply.body))

    instance.server.answer = with_an_old_post_on_top
    instance.timelines = {"cat": posts(*range(10, 30))}
    first = instance.collect(journal, page=5)
    journal.delete()
    instance.timelines["cat"] += posts(*range(30, 45))
    second = instance.collect(journal, as_known(first), page=5)
    assert kept_ids(second) == [3, *range(10, 45)]


def test_a_journal_of_an_older_version_is_passed_over(instance: Instance, journal: Journal) -> None:
    instance.timelines = {"cat": posts(*range(1, 11))}
    journal.append({"tag": "cat", "rows": [{"post_key": "x", "status": "kept"}], "cursors": []})
    assert kept_ids(instance.collect(journal)) == list(range(1, 11))


@pytest.mark.req("R-TAG-1")
def test_the_sample_is_the_newest_posts_and_follows_new_ones(
    instance: Instance, journal: Journal
) -> None:
    def sample(known: Known | None = None) -> Collected:
        return sample_public(
            instance.client,
            MASTODON,
            reader=reader(),
            wanted_posts=30,
            journal=journal,
            known=known,
            rules=PagingRules(limit=10),
        )

    instance.timelines = {"": posts(*range(1, 201))}
    first = sample()
    assert kept_ids(first) == list(range(171, 201))
    assert instance.requests() == 3
    journal.delete()
    instance.server.asked.clear()
    assert sample(as_known(first)).new_posts == 0
    assert instance.requests() == 1
    instance.timelines[""] += posts(*range(201, 206))
    later = sample(as_known(first))
    assert kept_ids(later) == list(range(176, 206))
    assert later.new_posts == 5


def test_a_larger_sample_has_no_gap_where_a_smaller_one_was_cut(
    instance: Instance, journal: Journal
) -> None:
    def sample(wanted: int, known: Known | None = None) -> Collected:
        collected = sample_public(
            instance.client,
            MASTODON,
            reader=reader(),
            wanted_posts=wanted,
            journal=journal,
            known=known,
            rules=PagingRules(limit=10),
        )
        journal.delete()
        return collected

    instance.timelines = {"": posts(*range(1, 101))}
    first = sample(20)
    instance.timelines[""] += posts(*range(101, 111))
    cut = sample(20, as_known(first))
    assert kept_ids(cut) == list(range(91, 111))
    assert kept_ids(sample(40, as_known(cut))) == list(range(71, 111))


def test_a_small_instance_gives_the_sample_that_it_has(
    instance: Instance, journal: Journal
) -> None:
    instance.timelines = {"": posts(1, 2) + gated(3)}
    sample = sample_public(
        instance.client, MASTODON, reader=reader(), wanted_posts=1000, journal=journal
    )
    assert sample.counts == {"seen": 3, "kept": 2, "dropped": {"sensitive": 1}}


def test_only_the_newest_rows_of_a_sample_stay() -> None:
    def row(number: int, status: str, collected_at: str) -> dict[str, Any]:
        return {
            "post_key": str(number),
            "post_id": str(number) if status == "kept" else "",
            "status": status,
            "reason": "",
            "collected_at": collected_at,
        }

    old, new, newest = row(9, "kept", "1"), row(10, "kept", "2"), row(100, "kept", "3")
    old_gated, new_gated = row(1, "gated", "1"), row(2, "gated", "2")
    rows = [old, new, newest, old_gated, new_gated]
    assert newest_posts(rows, 2) == [new, newest, new_gated]
    assert newest_posts(rows, 3) == rows


def test_a_funnel_counts_each_reason() -> None:
    rows = [{"reason": reason} for reason in ("", "reply", "reply", "sensitive", "")]
    assert funnel(rows) == {"seen": 5, "kept": 2, "dropped": {"reply": 2, "sensitive": 1}}
    assert funnel([]) == {"seen": 0, "kept": 0, "dropped": {}}
