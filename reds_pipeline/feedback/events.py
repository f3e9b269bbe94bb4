"""What people said about tags, as events of the ledger.

What belongs here: what an event holds, and telling what holds now. What does not: forms
(``answers.py``), counting (``summary.py``) and what a label counts in training (``weights.py``).

One form is one batch of events with one name, written all at once, that begins with what was
``shown``. A changed mind is another batch about the same answer, and the latest one counts. No
event holds a text that a model does not know: what people type may name somebody, and the ledger
never forgets.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from hashlib import sha256
from typing import Any

from reds_pipeline.feedback.answers import Answer, FeedbackForm
from reds_pipeline.feedback.contributions import ContributedTag
from reds_pipeline.tagging.hashtag_form import tag_key
from reds_pipeline.tagging.recommendation import SuggestedTag

FEEDBACK = "feedback"
"""Kind of the events; their subject is the name of an answer."""

OTHER = "other"
"""What stands for a typed tag that no model knows."""

SHOWN, ACCEPT, REJECT, ADD = "shown", "accept", "reject", "add"
UNPROMPTED, NONE_OF_THESE = "unprompted", "none_of_these"

Event = Mapping[str, Any]


@dataclass(frozen=True)
class SaidTags:
    """What a person calls a photo, and calls wrong, with where each word comes from.

    Attributes:
        tags: Unprompted ones first, then accepted and added ones; none twice.
        rejected: Suggestions that are wrong.
        other: How many of the typed ones no model knows.
    """

    tags: tuple[ContributedTag, ...]
    rejected: tuple[str, ...]
    other: int


def said_tags(answer: Answer, form: FeedbackForm, known: frozenset[str]) -> SaidTags:
    """Return what a form says, typed words under the name that a model has for them.

    A tag that was typed before any suggestion was seen stays unprompted though it was suggested
    and accepted as well. One that was suggested and typed afterwards is an accepted one.

    Args:
        answer: What was shown.
        form: What the person says; see ``Answer.checked``.
        known: Everything that models can say.
    """
    names = _names_by_key(known)
    suggested = {tag_key(each.tag): each for each in answer.suggestions}
    rejected = list(form.rejected)
    if form.none_of_these:
        rejected = [each.tag for each in answer.suggestions]
    accepted = {tag_key(tag) for tag in form.accepted}
    typed = [tag_key(tag) for tag in form.added]
    if not form.none_of_these:
        accepted |= {key for key in typed if key in suggested}
    said: dict[str, ContributedTag] = {}
    for tag in answer.own_tags:
        key = tag_key(tag)
        said[key] = _contributed(names.get(key, tag), "unprompted", suggested.get(key))
    for each in answer.suggestions:
        key = tag_key(each.tag)
        if key in accepted:
            said.setdefault(key, _contributed(each.tag, "accepted", each))
    for tag, key in zip(form.added, typed, strict=True):
        said.setdefault(key, _contributed(names.get(key, tag), "added", suggested.get(key)))
    wrong = tuple(tag for tag in rejected if tag_key(tag) not in said)
    other = sum(key not in names and key not in suggested for key in said)
    return SaidTags(tuple(said.values()), wrong, other)


def events_of(answer: Answer, form: FeedbackForm, known: frozenset[str]) -> list[dict[str, Any]]:
    """Return the bodies of the events of one form, what was shown first.

    Args:
        answer: What was shown.
        form: What the person says; see ``Answer.checked``.
        known: Everything that models can say.
    """
    said = said_tags(answer, form, known)
    names = known | {each.tag for each in answer.suggestions}
    suggested = {each.tag: each for each in answer.suggestions}
    own = {tag_key(tag) for tag in answer.own_tags}
    bodies: list[dict[str, Any]] = [
        {
            "event": SHOWN,
            "suggestions": [_shown(each) for each in answer.suggestions],
            "is_sure": answer.is_sure,
            "view": answer.view,
            "asked_first": bool(answer.own_tags),
            "contribution": answer.contribution,
        }
    ]
    if form.none_of_these:
        bodies.append({"event": NONE_OF_THESE})
    for each in said.tags:
        place = suggested.get(each.tag)
        if each.how == "unprompted":
            bodies.append(_said(UNPROMPTED, each.tag, place, names))
        # What was named before and is then accepted is both.
        if place is not None and (each.how == "accepted" or each.tag in form.accepted):
            prompted = tag_key(each.tag) not in own
            bodies.append({**_said(ACCEPT, each.tag, place, names), "prompted": prompted})
        elif each.how == "added":
            bodies.append(_said(ADD, each.tag, place, names))
    bodies.extend(_said(REJECT, tag, suggested[tag], names) for tag in said.rejected)
    return bodies


def latest_forms(events: Iterable[Event]) -> dict[str, list[Event]]:
    """Return the events that hold, by answer: those of the last form about it.

    Args:
        events: As ``Ledger.events(FEEDBACK)`` gives them, oldest first.
    """
    latest: dict[str, list[Event]] = {}
    for event in events:
        before = latest.get(event["subject"])
        if before is None or before[0]["form"] != event["form"]:
            latest[event["subject"]] = [event]
        else:
            before.append(event)
    return latest


def content_mark(events: Iterable[Event], before: bytes = b"") -> bytes:
    """Return 32 bytes that two batches of one answer share if they say the same.

    Args:
        events: Of one batch, or its next ones.
        before: The mark of those before them.
    """
    mark = before
    for event in events:
        content = {name: event[name] for name in event.keys() - {"at", "subject", "form"}}
        mark = sha256(mark + json.dumps(content, sort_keys=True).encode("ascii")).digest()
    return mark


def _shown(each: SuggestedTag) -> dict[str, Any]:
    return {
        "tag": each.tag,
        "rank": each.rank,
        "probability": each.probability,
        "likelihood": each.likelihood,
        "model": each.model,
        "version": each.version,
    }


def _said(event: str, tag: str, place: SuggestedTag | None, known: Iterable[str]) -> dict[str, Any]:
    if place is not None:
        return {"event": event, **_shown(place)}
    return {"event": event, "tag": tag if tag in known else OTHER}


def _contributed(tag: str, how: Any, place: SuggestedTag | None) -> ContributedTag:
    if place is None:
        return ContributedTag(tag, how)
    return ContributedTag(place.tag, how, place.rank, place.probability, place.model, place.version)


@lru_cache(maxsize=4)
def _names_by_key(known: frozenset[str]) -> dict[str, str]:
    return {tag_key(tag): tag for tag in sorted(known)}
