"""How often recommended tags were right, by those who said so.

What belongs here: counts and shares over the forms that people sent, with intervals. What does
not: what an event holds (``events.py``), and printing.

Whom it is about: people who answered, which most do not, and suggestions that they saw, which a
model chose. So the shares say how useful suggestions were, not how good a model is: that is what
the held-out test is for. Where tags stand matters too: the first one is seen most, and being
suggested makes a tag more likely to be taken. Two things help to tell: the chance that was
promised beside the share that was accepted, at each place, and what people had named before they
saw any suggestion.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from reds_pipeline.feedback.events import (
    ACCEPT,
    ADD,
    FEEDBACK,
    NONE_OF_THESE,
    OTHER,
    REJECT,
    SHOWN,
    UNPROMPTED,
    Event,
    latest_forms,
)
from reds_pipeline.storage.ledger import Ledger

__all__ = ["FeedbackSummary", "Share", "SuggestionRates", "feedback_summary", "summarise"]


@dataclass(frozen=True)
class Share:
    """A share with its Wilson interval of 95 %.

    Attributes:
        count: Of so many.
        total: Out of so many; 0 makes the share and its interval None.
    """

    count: int
    total: int

    @property
    def value(self) -> float | None:
        """The share, 0 to 1."""
        return self.count / self.total if self.total else None

    @property
    def interval(self) -> tuple[float, float] | None:
        """Its interval, as if answers were independent."""
        from reds_pipeline.modeling.intervals import wilson_interval

        return wilson_interval(self.count, self.total) if self.total else None

    def as_dict(self) -> dict[str, Any]:
        """Return it for JSON."""
        return {
            "count": self.count,
            "total": self.total,
            "share": self.value,
            "interval": self.interval,
        }


@dataclass
class SuggestionRates:
    """What became of some suggestions that people saw and answered.

    Attributes:
        shown: How many.
        accepted: Of them those called right.
        rejected: Of them those called wrong, also by "none of these".
        promised: Sum of their calibrated chances.
    """

    shown: int = 0
    accepted: int = 0
    rejected: int = 0
    promised: float = 0.0

    @property
    def acceptance(self) -> Share:
        """Accepted ones among all that were seen; nothing said is not accepted."""
        return Share(self.accepted, self.shown)

    @property
    def right_of_judged(self) -> Share:
        """Accepted ones among those about which something was said."""
        return Share(self.accepted, self.accepted + self.rejected)

    @property
    def promised_chance(self) -> float | None:
        """Mean calibrated chance."""
        return self.promised / self.shown if self.shown else None

    def as_dict(self) -> dict[str, Any]:
        """Return them for JSON."""
        return {
            "shown": self.shown,
            "accepted": self.accepted,
            "rejected": self.rejected,
            "acceptance": self.acceptance.as_dict(),
            "right_of_judged": self.right_of_judged.as_dict(),
            "promised_chance": self.promised_chance,
        }


def _rates() -> defaultdict[Any, SuggestionRates]:
    return defaultdict(SuggestionRates)


@dataclass
class FeedbackSummary:
    """What people said about recommended tags; of each photo what they said last.

    Attributes:
        answers: Photos about which something was said.
        none_of_these: Of them those for which no suggestion was right.
        by_model: Rates by (name, version) of the model.
        by_rank: Rates by the place of a suggestion, from 1.
        by_likelihood: Rates by the word that was shown.
        by_tag: Rates by tag.
        added: How often each tag was named after the suggestions were seen; ``other`` stands for
            all that no model knows.
        unprompted: How often each was named before any was seen.
        unprompted_found: Of those named before and known to a model, how many were among the
            suggestions that came after: the one share here that suggesting cannot have raised.
    """

    answers: int = 0
    none_of_these: int = 0
    by_model: defaultdict[tuple[str, str], SuggestionRates] = field(default_factory=_rates)
    by_rank: defaultdict[int, SuggestionRates] = field(default_factory=_rates)
    by_likelihood: defaultdict[str, SuggestionRates] = field(default_factory=_rates)
    by_tag: defaultdict[str, SuggestionRates] = field(default_factory=_rates)
    added: Counter[str] = field(default_factory=Counter)
    unprompted: Counter[str] = field(default_factory=Counter)
    unprompted_found: Share = Share(0, 0)

    @property
    def total(self) -> SuggestionRates:
        """Rates over all suggestions."""
        ranks = self.by_rank.values()
        return SuggestionRates(
            shown=sum(each.shown for each in ranks),
            accepted=sum(each.accepted for each in ranks),
            rejected=sum(each.rejected for each in ranks),
            promised=sum(each.promised for each in ranks),
        )

    def as_dict(self) -> dict[str, Any]:
        """Return it for JSON, models and tags as lists."""
        return {
            "answers": self.answers,
            "none_of_these": Share(self.none_of_these, self.answers).as_dict(),
            "suggestions": self.total.as_dict(),
            "models": [
                {"model": model, "version": version, **rates.as_dict()}
                for (model, version), rates in sorted(self.by_model.items())
            ],
            "ranks": [
                {"rank": rank, **rates.as_dict()} for rank, rates in sorted(self.by_rank.items())
            ],
            "likelihoods": [
                {"likelihood": word, **rates.as_dict()}
                for word, rates in sorted(self.by_likelihood.items())
            ],
            "tags": [{"tag": tag, **rates.as_dict()} for tag, rates in sorted(self.by_tag.items())],
            "added": dict(sorted(self.added.items())),
            "unprompted": dict(sorted(self.unprompted.items())),
            "unprompted_found": self.unprompted_found.as_dict(),
        }


def feedback_summary(ledger: Ledger) -> FeedbackSummary:
    """Return what people said by now, as a ledger has it."""
    return summarise(ledger.events(FEEDBACK))


def summarise(events: Iterable[Event]) -> FeedbackSummary:
    """Return what events say.

    Args:
        events: As ``Ledger.events(FEEDBACK)`` gives them, oldest first.
    """
    summary = FeedbackSummary()
    found = known = 0
    for form in latest_forms(events).values():
        said: defaultdict[str, list[Event]] = defaultdict(list)
        for event in form:
            said[event["event"]].append(event)
        accepted = {event["tag"] for event in said[ACCEPT]}
        rejected = {event["tag"] for event in said[REJECT]}
        # A changed mind that takes everything back leaves nothing that was said.
        if not (accepted or rejected or said[ADD] or said[UNPROMPTED] or said[NONE_OF_THESE]):
            continue
        summary.answers += 1
        summary.none_of_these += bool(said[NONE_OF_THESE])
        summary.added.update(event["tag"] for event in said[ADD])
        summary.unprompted.update(event["tag"] for event in said[UNPROMPTED])
        known += sum(event["tag"] != OTHER for event in said[UNPROMPTED])
        found += sum("rank" in event for event in said[UNPROMPTED])
        for shown in said[SHOWN]:
            for suggestion in shown["suggestions"]:
                _count(summary, suggestion, accepted, rejected)
    summary.unprompted_found = Share(found, known)
    return summary


def _count(
    summary: FeedbackSummary,
    suggestion: Mapping[str, Any],
    accepted: set[str],
    rejected: set[str],
) -> None:
    tag = suggestion["tag"]
    for rates in (
        summary.by_model[suggestion["model"], suggestion["version"]],
        summary.by_rank[suggestion["rank"]],
        summary.by_likelihood[suggestion["likelihood"]],
        summary.by_tag[tag],
    ):
        rates.shown += 1
        rates.accepted += tag in accepted
        rates.rejected += tag in rejected
        rates.promised += suggestion["probability"]
