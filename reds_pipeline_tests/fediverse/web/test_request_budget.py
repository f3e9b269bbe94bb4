from __future__ import annotations

import threading

import pytest

from reds_pipeline.fediverse.web.request_budget import RequestBudget


@pytest.mark.parametrize(
    ("limit", "tries", "granted"),
    [(0, 3, 0), (2, 3, 2), (3, 3, 3), (None, 100, 100)],
)
def test_a_budget_is_spent_once(limit: int | None, tries: int, granted: int) -> None:
    budget = RequestBudget(limit)
    assert sum(budget.take() for _ in range(tries)) == budget.taken == granted
    assert budget.spent is (limit == granted)


def test_a_budget_is_not_negative() -> None:
    with pytest.raises(ValueError, match="negative"):
        RequestBudget(-1)


def test_threads_share_one_budget() -> None:
    budget = RequestBudget(1000)
    granted: list[bool] = []

    def spend() -> None:
        granted.extend([budget.take() for _ in range(300)])

    threads = [threading.Thread(target=spend) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sum(granted) == budget.taken == 1000
