"""What the page says about one photo, in words.

What belongs here: from a recommendation to the sentences and rows of a card. What does not:
requests (``tag_routes.py``), markup (``templates/tag_card.html``), finding tags (``tagging``).
"""

from __future__ import annotations

import base64
import secrets
from dataclasses import dataclass
from datetime import datetime

import regex

from reds_pipeline.tagging.recommendation import (
    Likelihood,
    Recommendation,
    ServedModel,
    SuggestedTag,
    View,
    ViewOpinion,
)

POLITE_MOST_TAGS = 10
"""Hashtags in one post above which some servers cut the rest off (Friendica)."""

LEAST_WORDS: dict[Likelihood, str] = {
    "unlikely": "everything",
    "maybe": "likely and maybe",
    "likely": "only what is likely",
}
"""What stands in front by what it must at least be, from all to the fewest; the rest is folded."""

IN_FRONT_ANYWAY = 2
"""Suggestions that stand in front when none is as likely as somebody asked for."""

LIKELIHOOD_WORDS: dict[Likelihood, str] = {
    "likely": "likely",
    "maybe": "maybe",
    "unlikely": "unlikely",
}
VIEW_NAMES: dict[View, str] = {
    "centre": "The middle",
    "whole": "The whole, squeezed",
    "windows": "Window after window",
}
_VIEW_SENTENCES: dict[View, str] = {
    "centre": "REDS looked at the square in its middle, as it did when it learnt.",
    "whole": "REDS looked at the whole photo, squeezed into a square.",
    "windows": "REDS looked through windows that slide over the photo and let them vote.",
}


@dataclass(frozen=True)
class Figure:
    """A picture beside the photo, with its text.

    Attributes:
        image: Address of the picture, with the picture itself in it.
        tag: The hashtag that it explains, without ``#``.
        words: What can be seen on it.
    """

    image: str
    tag: str
    words: str


@dataclass(frozen=True)
class ViewRow:
    """One way of looking, for the table.

    Attributes:
        name: Of the way.
        tag: What it says, as the model names it.
        chance: In percent, as text.
        looks: Squares that were looked at.
        votes: Of them those for this tag.
        is_chosen: Whether the suggestions come from this way.
    """

    name: str
    tag: str
    chance: str
    looks: int
    votes: int
    is_chosen: bool


@dataclass(frozen=True)
class Views:
    """What the three ways of looking say.

    Attributes:
        rows: One a way.
        agreement: The same in a sentence.
    """

    rows: tuple[ViewRow, ...]
    agreement: str


@dataclass(frozen=True)
class Card:
    """Everything that the page shows about one photo.

    Attributes:
        id: Prefix of the ids of its elements, one of its own.
        place: ``Photo 2 of 3``, or empty for a single one.
        preview: Address of a small copy, with the copy in it.
        recommendation: What was found.
        shown: Suggestions that reach the chance that was asked for.
        folded: The others.
        own_tags: Hashtags that the person had typed before, without ``#``.
        answer: Token that goes back with what the person says.
        code: What deletes the contributed photo; empty without one.
        refusal: Why the photo was not taken for training; empty otherwise.
        shape: What was looked at, in a sentence.
        views: The three ways of looking, if they were asked for.
        why: The heat map, if it was asked for.
    """

    id: str
    place: str
    preview: str
    recommendation: Recommendation
    shown: tuple[SuggestedTag, ...]
    folded: tuple[SuggestedTag, ...]
    own_tags: tuple[str, ...]
    answer: str
    code: str
    refusal: str
    shape: str
    views: Views | None
    why: Figure | None


@dataclass(frozen=True)
class Problem:
    """A photo that got no tags.

    Attributes:
        id: Prefix of the ids of its elements, one of its own.
        place: As of a `Card`.
        sentence: What happened, why, what to do.
    """

    id: str
    place: str
    sentence: str


def card_id() -> str:
    """Return a name that no other card on the page has, whichever request it came with."""
    return f"card-{secrets.token_hex(4)}"


def place_among(number: int, count: int) -> str:
    """Return which photo of an upload this is; empty when there is only one.

    Args:
        number: From 1.
        count: Photos of the upload.
    """
    return f"Photo {number} of {count}" if count > 1 else ""


def picture_address(jpeg: bytes) -> str:
    """Return an address that is the picture itself, because nothing of it lies on the server."""
    return f"data:image/jpeg;base64,{base64.b64encode(jpeg).decode('ascii')}"


def formats_words(*, opens_heic: bool) -> str:
    """Return which kinds of file may be chosen.

    Args:
        opens_heic: Whether the extra ``heic`` is installed here.
    """
    return "JPEG, PNG, WebP or HEIC" if opens_heic else "JPEG, PNG or WebP"


def words_of(hashtag: str) -> list[str]:
    """Return the words of a hashtag, so that a line may break between them.

    Args:
        hashtag: Such as ``GoldenRetriever``.
    """
    return regex.split(r"(?<=[\p{Ll}\p{N}])(?=\p{Lu})", hashtag, flags=regex.V1)


def split_by_likelihood(
    suggestions: tuple[SuggestedTag, ...], least: Likelihood
) -> tuple[tuple[SuggestedTag, ...], tuple[SuggestedTag, ...]]:
    """Return the suggestions that are likely enough, and the others, both in their order.

    Args:
        suggestions: Of one photo, the likeliest first.
        least: What one must at least be; if none is, the first ones stand in front all the same.
    """
    order = list(LEAST_WORDS)
    lowest = order.index(least)
    shown = tuple(each for each in suggestions if order.index(each.likelihood) >= lowest)
    if not shown:
        return suggestions[:IN_FRONT_ANYWAY], suggestions[IN_FRONT_ANYWAY:]
    return shown, tuple(each for each in suggestions if each not in shown)


def shape_sentence(recommendation: Recommendation) -> str:
    """Return the photo's size and what of it was looked at."""
    size = f"{recommendation.width:,} by {recommendation.height:,} pixels."
    if recommendation.view == "centre" and not recommendation.is_cropped:
        return f"{size} REDS looked at all of it."
    return f"{size} {_VIEW_SENTENCES[recommendation.view]}"


def views_of(recommendation: Recommendation) -> Views | None:
    """Return the table of the ways of looking; None when they were not asked for."""
    opinions = recommendation.opinions
    if not opinions or recommendation.agreement is None:
        return None
    rows = tuple(_view_row(each, recommendation.view) for each in opinions)
    return Views(rows, agreement_sentence(recommendation.agreement, len(opinions)))


def agreement_sentence(agreement: float, ways: int) -> str:
    """Return how many ways of looking name the same class.

    Args:
        agreement: Their share.
        ways: How many there are.
    """
    agreeing = round(agreement * ways)
    if agreeing == ways:
        return f"All {ways} ways of looking name the same class."
    if agreeing <= 1:
        return f"The other {ways - 1} ways of looking name another class: be careful."
    return f"{agreeing} of {ways} ways of looking name the same class."


def percent(chance: float) -> str:
    """Return a chance as people read it; never a certainty that rounding made up."""
    rounded = round(100 * chance)
    if rounded == 0:
        return "under 1 %"
    return "over 99 %" if rounded == 100 else f"{rounded} %"


def day(moment: str) -> str:
    """Return the day of an ISO 8601 time: ``21 November 2026``; empty stays empty."""
    return f"{_parsed(moment):%-d %B %Y}" if moment else ""


def minute(moment: str) -> str:
    """Return an ISO 8601 time to the minute: ``21 November 2026, 12:30 UTC``."""
    return f"{_parsed(moment):%-d %B %Y, %H:%M} UTC" if moment else ""


def models_words(models: tuple[ServedModel, ...]) -> str:
    """Return which models they are: ``reds-tagger version 12 (21 November 2026)``."""
    return " and ".join(
        f"{each.name} version {each.version} ({day(each.trained_at)})" for each in models
    )


def models_key(models: tuple[ServedModel, ...]) -> str:
    """Return what changes when another model takes over."""
    return " ".join(f"{each.name}/{each.version}" for each in models)


def _parsed(moment: str) -> datetime:
    return datetime.fromisoformat(moment)


def _view_row(opinion: ViewOpinion, chosen: View) -> ViewRow:
    return ViewRow(
        name=VIEW_NAMES[opinion.view],
        tag=opinion.tag,
        chance=percent(opinion.probability),
        looks=opinion.looks,
        votes=round(opinion.share * opinion.looks),
        is_chosen=opinion.view == chosen,
    )
