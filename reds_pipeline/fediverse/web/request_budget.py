"""How many requests one run may send to one host.

What belongs here: counting and saying when it is enough. What does not: how fast they are sent
(``transport.py``) and what a caller does when the budget is spent (``client.py`` raises
BudgetSpent, ``media/download.py`` writes rows that are tried again).
"""

from __future__ import annotations

import threading


class RequestBudget:
    """A number of requests that is spent once; safe to use from several threads.

    Args:
        limit: Requests allowed; None means any number.

    Attributes:
        limit: As given.

    Raises:
        ValueError: The limit is negative.
    """

    def __init__(self, limit: int | None = None) -> None:
        if limit is not None and limit < 0:
            raise ValueError("a budget is not negative")
        self.limit = limit
        self._taken = 0
        self._lock = threading.Lock()

    @property
    def taken(self) -> int:
        """Requests taken so far."""
        return self._taken

    @property
    def spent(self) -> bool:
        """Whether nothing is left."""
        return self.limit is not None and self._taken >= self.limit

    def take(self) -> bool:
        """Take one request and return True, or return False where nothing is left."""
        with self._lock:
            if self.spent:
                return False
            self._taken += 1
            return True
