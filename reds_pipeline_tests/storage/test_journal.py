from __future__ import annotations

import threading
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reds_pipeline.storage.journal import Journal

json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda children: (
        st.lists(children, max_size=3) | st.dictionaries(st.text(max_size=5), children, max_size=3)
    ),
    max_leaves=5,
)
record_lists = st.lists(st.dictionaries(st.text(max_size=5), json_values, max_size=4), max_size=6)


@given(records=record_lists, cut=st.integers(min_value=0, max_value=200))
def test_a_file_cut_anywhere_keeps_its_whole_records_and_goes_on(
    tmp_path_factory: pytest.TempPathFactory, records: list[dict[str, Any]], cut: int
) -> None:
    path = tmp_path_factory.mktemp("journal") / "work.jsonl"
    journal = Journal(path)
    for record in records:
        journal.append(record)
    whole = path.read_bytes() if path.exists() else b""
    torn = whole[: max(0, len(whole) - cut)]
    path.write_bytes(torn)
    survivors = records[: torn.count(b"\n")]

    resumed = Journal(path)
    assert resumed.records() == survivors
    resumed.append({"after": "the kill"})
    assert resumed.records() == [*survivors, {"after": "the kill"}]


def test_what_follows_a_garbled_line_counts_as_never_written(tmp_path: Path) -> None:
    path = tmp_path / "work.jsonl"
    path.write_bytes(b'{"a":1}\n\0\0\0\0\n{"a":3}\n')
    assert Journal(path).records() == [{"a": 1}]
    Journal(path).append({"a": 2})
    assert Journal(path).records() == [{"a": 1}, {"a": 2}]


def test_threads_append_whole_lines(tmp_path: Path) -> None:
    journal = Journal(tmp_path / "work.jsonl")

    def write(worker: int) -> None:
        for number in range(50):
            journal.append({"worker": worker, "number": number, "text": "x" * 500})

    threads = [threading.Thread(target=write, args=(worker,)) for worker in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    seen = {(record["worker"], record["number"]) for record in journal.records()}
    assert seen == {(worker, number) for worker in range(8) for number in range(50)}


def test_a_deleted_journal_is_empty_and_can_be_used_again(tmp_path: Path) -> None:
    journal = Journal(tmp_path / "work.jsonl")
    journal.append({"a": 1})
    journal.delete()
    assert journal.records() == []
    journal.append({"b": 2})
    assert journal.records() == [{"b": 2}]


def test_records_are_rewritten_or_left_out_and_the_rest_stays(tmp_path: Path) -> None:
    path = tmp_path / "work.jsonl"
    journal = Journal(path)
    for number in range(4):
        journal.append({"number": number})

    def revised(record: dict[str, Any]) -> dict[str, Any] | None:
        if record["number"] == 1:
            return None
        return record | {"number": -2} if record["number"] == 2 else record

    assert journal.rewrite(revised, write=False) == 2
    assert len(journal.records()) == 4
    assert journal.rewrite(revised) == 2
    journal.append({})
    assert journal.records() == [{"number": 0}, {"number": -2}, {"number": 3}, {}]
    assert journal.rewrite(lambda record: record) == 0
    assert journal.records()[-1] == {}


def test_a_torn_line_does_not_outlast_a_rewriting(tmp_path: Path) -> None:
    path = tmp_path / "work.jsonl"
    path.write_bytes(b'{"a":1}\n{"secret":"to')
    assert Journal(path).rewrite(lambda record: record) == 0
    assert path.read_bytes() == b'{"a":1}\n'


def test_an_absent_journal_is_rewritten_to_nothing(tmp_path: Path) -> None:
    journal = Journal(tmp_path / "none" / "work.jsonl")
    assert journal.rewrite(lambda record: record) == 0
    assert not (tmp_path / "none").exists()
