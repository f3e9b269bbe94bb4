"""Deleting a contributed photo, and what was made of it, when its giver asks for it.

What belongs here: the order of the two, and the words. What does not: the addresses
(``feedback_routes.py``, ``feedback_api.py``).
"""

from __future__ import annotations

import logging
import threading

from starlette.background import BackgroundTask

from reds_pipeline.feedback.contributions import Contribution
from reds_pipeline.storage.tables import read_rows
from reds_pipeline.web.sentences import Refusal
from reds_pipeline.web.site import Site

_NOT_FOUND = 404
# Several people may delete at once; what is erased for one is erased for all.
_ERASING = threading.Lock()

_logger = logging.getLogger(__name__)


def find_upload(site: Site, code: str) -> Contribution:
    """Return the contribution of a code.

    Raises:
        Refusal: There is none (404).
    """
    found = site.feedback.find(code)
    if found is None:
        raise _unknown()
    return found


def delete_upload(site: Site, code: str) -> tuple[str, BackgroundTask | None]:
    """Delete the photo of a code at once.

    Returns:
        What to say, and what is to be done after the answer: erasing what was derived from the
        photo, which takes as long as reading all tables.

    Raises:
        Refusal: There is none (404).
        RedsError: Its files cannot be removed.
    """
    contributed = find_upload(site, code)
    if not site.feedback.delete(code):
        raise _unknown()
    deleted = "Your photo and your tags are deleted."
    if not _was_taken_in(site, contributed):
        return f"{deleted} Nothing had been made of them.", None
    sentence = (
        f"{deleted} What was made of them is being erased now; a model that has learnt from them "
        "is marked, and the next training is made without them."
    )
    return sentence, BackgroundTask(_erase_what_was_derived, site)


def _was_taken_in(site: Site, contributed: Contribution) -> bool:
    rows = read_rows(site.platform.home.table("contributed_images"))
    return any(row["contribution_id"] == contributed.id for row in rows)


def _erase_what_was_derived(site: Site) -> None:
    from reds_pipeline.withdrawal.withdraw import finish_withdrawals

    platform = site.platform
    with _ERASING:
        try:
            report = finish_withdrawals(platform.home, platform.ledger, platform.tracking)
        except Exception:
            # Whoever asked has had the answer; only the operator can do something about it.
            _logger.exception(
                "What was made of a deleted photo could not be erased; the next run of the "
                "pipeline does it, or `reds withdraw --finish`."
            )
            return
    if not report.is_finished:
        _logger.warning(
            "What was made of a deleted photo is still there because another process is using "
            "%s; it goes with the end of that process's run, or by `reds withdraw --finish`.",
            ", ".join(report.busy),
        )


def _unknown() -> Refusal:
    return Refusal(
        _NOT_FOUND,
        "no_such_upload",
        "No photo is kept under this code; look whether all of it was copied, otherwise the photo "
        "was deleted before, by you or because its time was over.",
    )
