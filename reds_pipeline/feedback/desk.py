"""Where people's answers to recommended tags, and the photos that they give, arrive.

What belongs here: the operations that page and interface call. What does not: pages (``web``), the
form of an answer (``answers.py``), of its events (``events.py``) and of a contribution
(``contributions.py``).
"""

from __future__ import annotations

import logging
import secrets
import threading
import time
from collections.abc import Callable, Collection
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from typing import TYPE_CHECKING

from reds_pipeline.errors import ImageRejected, RedsError
from reds_pipeline.feedback.answers import (
    ANSWERED_WITHIN,
    Answer,
    FeedbackForm,
    FeedbackReceipt,
    FeedbackRefused,
    new_answer_id,
    opened,
    sealed,
)
from reds_pipeline.feedback.codes import contribution_id_of, new_code
from reds_pipeline.feedback.consent import CONSENT
from reds_pipeline.feedback.contributions import (
    Contribution,
    contribution,
    remove_contribution,
    retag_contribution,
    store_contribution,
)
from reds_pipeline.feedback.deletion import (
    CONTRIBUTION,
    delete_contribution,
    delete_outdated,
    is_withdrawn,
)
from reds_pipeline.feedback.events import (
    FEEDBACK,
    SaidTags,
    content_mark,
    events_of,
    said_tags,
)
from reds_pipeline.feedback.typed_tags import typed_tags
from reds_pipeline.storage.clock import as_text, utc_now
from reds_pipeline.storage.home import Home
from reds_pipeline.storage.ledger import Ledger
from reds_pipeline.tagging.recommendation import Recommendation
from reds_pipeline.withdrawal.tombstones import withdrawn_keys

if TYPE_CHECKING:
    from reds_pipeline.imaging.photo import Photo

_SECONDS_BETWEEN_CLEARINGS = 3600.0
# The ledger keeps every form for ever, so nobody may fill it with one photo.
_MOST_FORMS = 20

_logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class _LastForm:
    """The last form of an answer that may still be changed; small, because anybody can send many.

    Attributes:
        name: Of the form.
        at: When it was recorded.
        number: How many the answer has had.
        mark: Of what it says.
    """

    name: str
    at: str
    number: int
    mark: bytes


class FeedbackDesk:
    """Takes what people say about recommended tags; safe to use from several threads.

    Other processes may use the same home and ledger.

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
        contribution_days: float = 90.0,
    ) -> None:
        self.accepts_contributions = accepts_contributions
        self.contribution_days = contribution_days
        self._home = home
        self._ledger = ledger
        self._known_tags = known_tags
        self._lock = threading.Lock()
        self._read_up_to = 0
        self._forms: dict[str, _LastForm] = {}
        self._cleared_at = float("-inf")

    def shown(
        self,
        recommendation: Recommendation,
        *,
        own_tags: tuple[str, ...] = (),
        contribution: str = "",
    ) -> str:
        """Return the token that comes back with the form about a recommendation.

        Nothing is recorded: without an answer a recommendation leaves no trace. Only where the
        photo is contributed, its own tags go to it at once.

        Args:
            recommendation: What the person is about to see.
            own_tags: What the person typed before that.
            contribution: Id of the contribution of the photo, if it is one.
        """
        answer = Answer(
            id=new_answer_id(),
            at=utc_now(),
            suggestions=recommendation.suggestions,
            is_sure=recommendation.is_sure,
            view=recommendation.view,
            own_tags=typed_tags(",".join(own_tags)),
            contribution=contribution,
        )
        if answer.own_tags:
            self._retag(answer, said_tags(answer, FeedbackForm(), self._known))
        return sealed(answer, self._home.seal)

    def record(self, token: str, form: FeedbackForm) -> FeedbackReceipt:
        """Record what somebody said about the tags that a token stands for.

        The same form again changes nothing; another one about the same photo replaces it.

        Args:
            token: From ``shown``.
            form: What was said.

        Raises:
            FeedbackRefused: The token or the form cannot be taken.
        """
        self._clear()
        answer = opened(token, self._home.seal)
        checked = answer.checked(form)
        form = replace(checked, added=typed_tags(",".join(checked.added)))
        known = self._known
        events = events_of(answer, form, known)
        said = said_tags(answer, form, known)
        with self._lock:
            self._catch_up()
            before = self._forms.get(answer.id)
            is_said = before is not None or not form.is_empty or bool(answer.own_tags)
            is_new = is_said and (before is None or before.mark != content_mark(events))
            if is_new and before is not None and before.number >= _MOST_FORMS:
                raise FeedbackRefused(
                    "too_often",
                    "Nothing was recorded because the answer about this photo was changed too "
                    "often; the one before stays as it is.",
                )
            if is_new:
                name = secrets.token_hex(8)
                self._ledger.append_many(
                    FEEDBACK, [(answer.id, {**event, "form": name}) for event in events]
                )
        return FeedbackReceipt(
            answer=answer.id,
            recorded=len(events) if is_new else 0,
            changed=is_new and before is not None,
            other=said.other,
            contribution=answer.contribution if self._retag(answer, said) else "",
            sentence=_sentence(is_said=is_said, is_new=is_new, changed=before is not None),
        )

    def contribute(self, photo: Photo, consent: str) -> Contribution:
        """Keep a photo for training.

        Args:
            photo: As it was read; what is kept holds no metadata.
            consent: ``CONSENT.version``, which the box sends that the person ticked.

        Returns:
            The contribution, this once with the code that deletes it.

        Raises:
            FeedbackRefused: Photos are not taken, the consent is to another text, the photo or a
                copy of it was withdrawn, it cannot be used, or the disk is full.
        """
        self._check_consent(consent)
        self._clear()
        contributed, data = self._examined(photo, new_code())
        if is_withdrawn(contributed, withdrawn_keys(self._ledger), self._home.keyed_hash):
            raise FeedbackRefused(
                "withdrawn",
                "Your photo was not kept because somebody had this picture, or one that looks just "
                "like it, taken out of REDS for good; its tags are not affected.",
            )
        try:
            store_contribution(self._home, contributed, data)
        except RedsError as error:
            # The operator can make room; the person should not read the names of directories.
            _logger.error("A contributed photo was not kept. %s", error)
            raise FeedbackRefused(
                "no_room",
                "Your photo was not kept because there is no room for it at this moment; its tags "
                "are not affected.",
            ) from error
        try:
            self._ledger.append(
                CONTRIBUTION, contributed.id, {"event": "given", "consent": contributed.consent}
            )
        except Exception:
            # Nobody gets its code then.
            remove_contribution(self._home, contributed.id)
            raise
        return contributed

    def find(self, code: str) -> Contribution | None:
        """Return the contribution that a code deletes, if it is there.

        Args:
            code: As it was shown; case, spaces and dashes make no difference.
        """
        self._clear()
        contribution_id = contribution_id_of(code, self._home.keyed_hash)
        return contribution(self._home, contribution_id) if contribution_id else None

    def delete(self, code: str) -> bool:
        """Delete the contribution of a code; returns whether there was one.

        What was derived from it goes with ``withdrawal.withdraw.finish_withdrawals``.

        Raises:
            RedsError: Its files cannot be removed.
        """
        contribution_id = contribution_id_of(code, self._home.keyed_hash)
        if not contribution_id:
            return False
        return delete_contribution(self._home, self._ledger, contribution_id, "giver")

    @property
    def _known(self) -> frozenset[str]:
        return frozenset(self._known_tags())

    def _check_consent(self, consent: str) -> None:
        if not self.accepts_contributions:
            raise FeedbackRefused(
                "off",
                "Your photo was not kept because this page takes no photos for training; its tags "
                "are not affected.",
            )
        if consent != CONSENT.version:
            raise FeedbackRefused(
                "no_consent",
                "Your photo was not kept because the text that you agreed to is not the present "
                "one; load the page again, read it, and tick the box once more.",
            )

    def _examined(self, photo: Photo, code: str) -> tuple[Contribution, bytes]:
        """Return what is known of a photo, and its file as every stored picture is."""
        from reds_pipeline.imaging.examine import examine_image
        from reds_pipeline.imaging.photo_sentences import photo_sentence

        try:
            examined = examine_image(photo.stored()[0])
        except ImageRejected as refusal:
            raise FeedbackRefused(
                "not_usable",
                f"Your photo was not kept for training: {photo_sentence(refusal.reason)}; its tags "
                "are not affected.",
            ) from refusal
        now = datetime.now(UTC)
        contributed = Contribution(
            id=contribution_id_of(code, self._home.keyed_hash),
            sha256=sha256(examined.data).hexdigest(),
            extension=examined.extension,
            at=as_text(now),
            width=examined.width,
            height=examined.height,
            perceptual_hash=examined.perceptual_hash,
            mirrored_hash=examined.mirrored_hash,
            consent=CONSENT.version,
            delete_after=as_text(now + timedelta(days=self.contribution_days)),
            code=code,
        )
        return contributed, examined.data

    def _retag(self, answer: Answer, said: SaidTags) -> bool:
        if not answer.contribution:
            return False
        return retag_contribution(self._home, answer.contribution, said.tags, said.rejected)

    def _clear(self) -> None:
        """Delete what may not be kept any longer, at most once an hour."""
        with self._lock:
            now = time.monotonic()
            if now - self._cleared_at < _SECONDS_BETWEEN_CLEARINGS:
                return
            self._cleared_at = now
        try:
            delete_outdated(self._home, self._ledger, withdrawn_keys(self._ledger))
        except RedsError as error:
            # Nothing that the person who asks now could mend.
            _logger.error("Contributed photos whose time is over are still there. %s", error)

    def _catch_up(self) -> None:
        """Take in the forms of this and other processes; of old ones nobody can send another."""
        oldest = as_text(datetime.now(UTC) - 2 * ANSWERED_WITHIN)
        for number, event in self._ledger.events_after(FEEDBACK, self._read_up_to, since=oldest):
            self._read_up_to = number
            subject, name = event["subject"], event["form"]
            before = self._forms.get(subject)
            if before is not None and before.name == name:
                mark = content_mark([event], before.mark)
                self._forms[subject] = replace(before, mark=mark)
            else:
                count = before.number + 1 if before is not None else 1
                self._forms[subject] = _LastForm(name, event["at"], count, content_mark([event]))
        outdated = [subject for subject, form in self._forms.items() if form.at < oldest]
        for subject in outdated:
            del self._forms[subject]


def _sentence(*, is_said: bool, is_new: bool, changed: bool) -> str:
    if not is_said:
        return "Nothing was recorded because nothing is marked; mark a tag as right or wrong first."
    if not is_new:
        return "Noted already, thank you: the same answer had arrived before."
    if changed:
        return "Noted, thank you: this answer replaces the one before."
    return "Noted, thank you: your answer helps to judge and improve the suggestions."
