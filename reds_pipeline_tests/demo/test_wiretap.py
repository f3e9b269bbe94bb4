from __future__ import annotations

import pytest

from reds_pipeline.demo.wiretap import Fault

TIMELINE = "/api/v1/timelines/public"


@pytest.mark.parametrize(
    ("fault", "query", "is_spoilt", "reason"),
    [
        (Fault("/"), "", True, "a prefix alone spoils everything below it"),
        (Fault("/api/v2"), "", False, "another path"),
        (Fault("/", query_contains="limit=40"), "limit=40&local=1", True, "a part of the query"),
        (Fault("/", query_contains="limit=40"), "limit=20", False, "another query"),
        (Fault("/", query_contains="id[]=7"), "id%5B%5D=7", True, "queries are compared decoded"),
        (Fault("/", cursor_below=100), "max_id=99", True, "an older page"),
        (Fault("/", cursor_below=100), "max_id=100", False, "exclusive"),
        (Fault("/", cursor_below=100), "", False, "no cursor: the newest page"),
        (Fault("/", cursor_above=100), "", True, "no cursor: the newest page"),
        (Fault("/", cursor_above=100), "max_id=101", True, "a newer page"),
        (Fault("/", cursor_above=100), "max_id=100", False, "exclusive"),
        (Fault("/", cursor_above=5, cursor_below=9), "max_id=7", True, "between the two"),
        (Fault("/", cursor_above=5, cursor_below=9), "max_id=9", False, "not between the two"),
        (Fault("/", cursor_below=100), "max_id=01H8XYZ", False, "no number: no place in the order"),
    ],
)
def test_a_fault_spoils_what_matches_all_of_its_conditions(
    fault: Fault, query: str, is_spoilt: bool, reason: str
) -> None:
    assert fault.matches(TIMELINE, query) is is_spoilt, reason
