"""Where people's answers to recommended tags arrive.

What belongs here: the operations that page and interface call. What does not: pages (``web``), the
form of an answer (``answers.py``) and of a contribution (``contributions.py``).
"""

from __future__ import annotations

from collections.abc import Callable, Collection
from typing import TYPE_CHECKING

from reds_pipeline.feedback.answers import FeedbackForm, FeedbackReceipt
from reds_pipeline.feedback.contributions import Contribution
from reds_pipeline.storage.home import Home
from reds_pipeline.storage.ledger import Ledger
from reds_pipeline.tagging.recommendation import Recommendation

if TYPE_CHECKING:
    from reds_pipeline.imaging.photo import Photo


class FeedbackDesk:
    """Takes what people say about recommended tags; safe to use from several threads.

    Args:
        home: Where contributions are kept.
        ledger: Where events are recorded.
        known_tags: Returns everything that the models served now can say; a typed tag that is
            not among it is recorded as ``other``.
        accepts_contributions: Whether photos are taken at all.
        contribution_days: How long a photo is kept that nothing learns from.
    """

    def __init__(
        self,
        home: Home,
        ledger: Ledger,
        *,
        known_tags: Callable[[], Collection[str]],
        accepts_contributions: bool = True,
        contribution_days: int = 90,
    ) -> None:
        raise NotImplementedError

    def shown(
        self,
        recommendation: Recommendation,
        *,
        own_tags: tuple[str, ...] = (),
        contribution: str = "",
    ) -> str:
        """Return the sealed answer token that comes back with the form; nothing is kept."""
        raise NotImplementedError

    def contribute(self, photo: Photo, consent: str) -> Contribution:
        """Keep a photo for training; the only answer that holds its ``code``."""
        raise NotImplementedError

    def record(self, token: str, form: FeedbackForm) -> FeedbackReceipt:
        """Record what somebody said about the tags that a token stands for."""
        raise NotImplementedError

    def find(self, code: str) -> Contribution | None:
        """Return the contribution that a code deletes, if it is there."""
        raise NotImplementedError

    def delete(self, code: str) -> bool:
        """Delete the contribution of a code; returns whether there was one."""
        raise NotImplementedError
