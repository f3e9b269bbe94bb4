"""What somebody said about the tags of one photo, and the sealed token it comes back with.

What belongs here: the form, the token and the receipt, and why one is refused. What does not:
recording (``desk.py``) and events (``events.py``).

A token is all that REDS knows of a recommendation that nobody has answered yet: it stands in the
person's page and nowhere else, so that an answer which is never sent leaves no trace.
"""

from __future__ import annotations

import json
import secrets
from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta
from typing import Literal

from reds_pipeline.errors import RedsError
from reds_pipeline.storage.clock import as_text
from reds_pipeline.storage.seals import Seal
from reds_pipeline.tagging.recommendation import SuggestedTag

ANSWERED_WITHIN = timedelta(hours=24)
"""How long a token is good for: a page may stay open overnight."""

Refusal = Literal[
    "unreadable",
    "outdated",
    "contradiction",
    "not_shown",
    "off",
    "no_consent",
    "withdrawn",
    "not_usable",
    "too_often",
    "no_room",
]


class FeedbackRefused(RedsError):
    """Feedback or a photo that cannot be taken; ``str(error)`` is one plain sentence.

    Attributes:
        reason: The kind of refusal.
    """

    def __init__(self, reason: Refusal, sentence: str) -> None:
        super().__init__(sentence)
        self.reason: Refusal = reason


@dataclass(frozen=True)
class FeedbackForm:
    """What somebody said about the tags of one photo.

    Attributes:
        accepted: Suggestions that are right, as ``SuggestedTag.tag``.
        rejected: Suggestions that are wrong, likewise.
        added: Tags that the person typed after seeing the suggestions.
        none_of_these: No suggestion is right.
    """

    accepted: tuple[str, ...] = ()
    rejected: tuple[str, ...] = ()
    added: tuple[str, ...] = ()
    none_of_these: bool = False

    @property
    def is_empty(self) -> bool:
        """Whether nothing was said."""
        return not (self.accepted or self.rejected or self.added or self.none_of_these)


@dataclass(frozen=True)
class FeedbackReceipt:
    """What became of a form.

    Attributes:
        answer: Name of the answer in the ledger, a random one.
        recorded: Events that were recorded; 0 when the same was said before, or nothing.
        changed: Whether it replaces what was said before about the same photo.
        other: Typed tags that no model knows; their text is not in the ledger.
        contribution: Id of the contribution whose tags are these now, or "".
        sentence: The same for people.
    """

    answer: str
    recorded: int
    changed: bool
    other: int
    contribution: str
    sentence: str


@dataclass(frozen=True)
class Answer:
    """A recommendation that waits for what its person says.

    Attributes:
        id: A random name, 32 hexadecimal digits.
        at: When it was shown, ISO 8601 in UTC.
        suggestions: What was shown, likeliest first.
        is_sure: Whether the likeliest class was an answer to rely on.
        view: How the photo was looked at.
        own_tags: What the person typed before seeing them, as hashtags.
        contribution: Id of the contribution of the photo, or "".
    """

    id: str
    at: str
    suggestions: tuple[SuggestedTag, ...]
    is_sure: bool
    view: str
    own_tags: tuple[str, ...]
    contribution: str

    def checked(self, form: FeedbackForm) -> FeedbackForm:
        """Return a form about this answer, each tag once.

        Raises:
            FeedbackRefused: It speaks of tags that were not shown, or contradicts itself.
        """
        shown = {suggestion.tag for suggestion in self.suggestions}
        accepted, rejected = dict.fromkeys(form.accepted), dict.fromkeys(form.rejected)
        if not shown.issuperset(accepted.keys() | rejected.keys()):
            raise FeedbackRefused(
                "not_shown",
                "Nothing was recorded because the form names a tag that was not suggested for this "
                "photo; load the page again, or send such a tag as an added one.",
            )
        if accepted.keys() & rejected.keys() or (accepted and form.none_of_these):
            raise FeedbackRefused(
                "contradiction",
                "Nothing was recorded because a suggestion is marked as right and as wrong at "
                "once; choose one of the two and send it again.",
            )
        return FeedbackForm(tuple(accepted), tuple(rejected), form.added, form.none_of_these)


def new_answer_id() -> str:
    """Return a name that says nothing."""
    return secrets.token_hex(16)


def sealed(answer: Answer, seal: Seal) -> str:
    """Return an answer as a token that only this installation can read or make."""
    return seal.closed(json.dumps(asdict(answer), ensure_ascii=False, separators=(",", ":")))


def opened(token: str, seal: Seal) -> Answer:
    """Return the answer in a token.

    Raises:
        FeedbackRefused: It is none of ours, or older than a day.
    """
    try:
        facts = json.loads(seal.opened(token))
        answer = Answer(
            **facts
            | {
                "suggestions": tuple(SuggestedTag(**each) for each in facts["suggestions"]),
                "own_tags": tuple(facts["own_tags"]),
            }
        )
    except (ValueError, TypeError, KeyError) as error:
        raise FeedbackRefused(
            "unreadable",
            "Nothing was recorded because the page did not say which suggestions it was about; "
            "process the image again and send your answer from there.",
        ) from error
    if answer.at < as_text(datetime.now(UTC) - ANSWERED_WITHIN):
        raise FeedbackRefused(
            "outdated",
            "Nothing was recorded because these suggestions are more than a day old; process the "
            "image again and send your answer from there.",
        )
    return answer
