"""From chances to suggestions.

What belongs here: pure functions that merge what the models say about the looks at one photo. What
does not: asking the models (``photo_tagger.py``), or the words (``likelihood.py``).

Where a photo was looked at in windows, a chance is the mean over them: a tag that fits one
window of many fits the photo less than one that fits all. A photo is unfamiliar where most looks
are, and where one model finds it unfamiliar it is so for all of them.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from reds_pipeline.modeling.bundle import ModelBundle
from reds_pipeline.tagging.hashtag_form import as_hashtag, tag_key
from reds_pipeline.tagging.likelihood import likelihoods
from reds_pipeline.tagging.recommendation import (
    Likelihood,
    ServedModel,
    SuggestedTag,
    View,
    ViewOpinion,
)

MOST_SUGGESTIONS = 8
"""More are not read, and ten hashtags are the polite most."""

_MOST_LOOKS = 0.5

LEAST_CHANCE = 0.02
"""A tag of which fifty such suggestions hold one that is right is not worth a line."""


@dataclass(frozen=True, eq=False)
class Answered:
    """What one model says about the looks of one view.

    Attributes:
        served: The model, for people.
        bundle: The model.
        chances: float64 (looks, k).
        familiar: bool (looks,), which of them are like what it has learnt from; None if it cannot
            tell.
    """

    served: ServedModel
    bundle: ModelBundle
    chances: NDArray[np.float64]
    familiar: NDArray[np.bool_] | None = None

    @property
    def mean(self) -> NDArray[np.float64]:
        """Float64 (k,): the mean chance over the looks."""
        return np.asarray(self.chances.mean(axis=0))

    def words(self, *, is_familiar: bool | None) -> tuple[Likelihood, ...]:
        """Return the mean chances in words, k of them.

        Args:
            is_familiar: What `is_familiar` says of the photo.
        """
        return likelihoods(
            self.bundle.kind, self.mean, self.bundle.thresholds, is_familiar=is_familiar
        )


def is_familiar(answered: Sequence[Answered]) -> bool | None:
    """Say whether a photo is like those that the models have learnt from; None if none can tell.

    Most looks decide, as they do of the class. Where models differ, the one that does not know
    the photo is believed: a tag that is offered too carefully costs less than a false one.
    """
    shares = [float(each.familiar.mean()) for each in answered if each.familiar is not None]
    return min(shares) >= _MOST_LOOKS if shares else None


def suggestions(answered: Sequence[Answered]) -> tuple[SuggestedTag, ...]:
    """Return what to suggest, the likeliest first, no tag twice and at most `MOST_SUGGESTIONS`.

    Where two models know a tag in whatever spelling, the one that finds it likelier names it. The
    likeliest tag of all is there however small its chance.
    """
    known = is_familiar(answered)
    found = [tag for model in answered for tag in _suggested_by(model, is_familiar=known)]
    # Python's sort keeps the order of equals, so the model of classes comes first.
    found.sort(key=lambda tag: -tag.probability)
    first_of_key: dict[str, SuggestedTag] = {}
    for tag in found:
        first_of_key.setdefault(tag_key(tag.tag) or tag.tag, tag)
    different = list(first_of_key.values())[:MOST_SUGGESTIONS]
    worth_it = [tag for tag in different if tag.probability >= LEAST_CHANCE] or different[:1]
    return tuple(replace(tag, rank=rank) for rank, tag in enumerate(worth_it, start=1))


def opinion(view: View, answered: Answered) -> ViewOpinion:
    """Return what the model of classes says of one way of looking.

    The class is the one that most looks vote for; between equals the one of the higher mean chance.
    """
    votes = np.bincount(answered.chances.argmax(axis=1), minlength=len(answered.bundle.classes))
    mean = answered.mean
    winner = int(np.lexsort((-mean, -votes))[0])
    looks = len(answered.chances)
    return ViewOpinion(
        view=view,
        tag=answered.bundle.classes[winner],
        probability=float(mean[winner]),
        looks=looks,
        share=float(votes[winner] / looks),
    )


def is_sure(answered: Answered) -> bool:
    """Say whether the likeliest class is an answer to rely on, and what most looks vote for."""
    mean = answered.mean
    likeliest = int(mean.argmax())
    is_voted_for = opinion("centre", answered).tag == answered.bundle.classes[likeliest]
    words = answered.words(is_familiar=is_familiar([answered]))
    return is_voted_for and words[likeliest] == "likely"


def agreement(opinions: Mapping[View, ViewOpinion], view: View) -> float:
    """Return the share of the ways of looking that name the class that ``view`` names."""
    same = sum(each.tag == opinions[view].tag for each in opinions.values())
    return same / len(opinions)


def _suggested_by(answered: Answered, *, is_familiar: bool | None) -> list[SuggestedTag]:
    mean = answered.mean
    words = answered.words(is_familiar=is_familiar)
    return [
        SuggestedTag(
            tag=tag,
            display=as_hashtag(tag) or tag,
            probability=float(chance),
            likelihood=word,
            rank=0,
            model=answered.served.name,
            version=answered.served.version,
        )
        for tag, chance, word in zip(answered.bundle.classes, mean, words, strict=True)
    ]
