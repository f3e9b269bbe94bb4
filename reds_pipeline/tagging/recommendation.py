"""What REDS says about one photo.

What belongs here: the shape of an answer, as page, interface and commands share it. What does
not: finding it (``photo_tagger.py``) or showing it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Likelihood = Literal["likely", "maybe", "unlikely"]
View = Literal["centre", "whole", "windows"]
"""How a photo becomes the square that an encoder sees (R-IMP-3): the rule of the training, the
whole photo squeezed into a square, or a window that slides over it and votes."""


@dataclass(frozen=True)
class ServedModel:
    """A model that gave an answer.

    Attributes:
        name: Of the registered model in MLflow.
        version: Its version there.
        kind: ``classes``, of which a photo has one, or ``tags``, of which it has any number.
        backbone: The encoder's name.
        trained_at: ISO 8601 time in UTC.
        serving_since: When this process began to use it, ISO 8601 in UTC.
        tags: Everything it can say.
    """

    name: str
    version: str
    kind: Literal["classes", "tags"]
    backbone: str
    trained_at: str
    serving_since: str
    tags: tuple[str, ...]


@dataclass(frozen=True)
class SuggestedTag:
    """One tag for a photo.

    Attributes:
        tag: As the model names it.
        display: As a hashtag to be read and read aloud, without ``#``: ``GoldenRetriever``.
        probability: Calibrated chance, 0 to 1.
        likelihood: The chance in a word.
        rank: Place among the suggestions, from 1.
        model: Name of the registered model that says so.
        version: Its version.
    """

    tag: str
    display: str
    probability: float
    likelihood: Likelihood
    rank: int
    model: str
    version: str


@dataclass(frozen=True)
class ViewOpinion:
    """What the model of classes says of a photo looked at in one way.

    Attributes:
        view: The way.
        tag: The likeliest class; of windows the one that most of them vote for.
        probability: Its chance; of windows their mean.
        looks: Squares that were looked at.
        share: Share of them whose likeliest class it is.
    """

    view: View
    tag: str
    probability: float
    looks: int
    share: float


@dataclass(frozen=True)
class Recommendation:
    """Tags for one photo.

    Attributes:
        suggestions: Likeliest first; those of both kinds of model, no tag twice.
        is_sure: Whether the likeliest class is an answer to rely on; False makes it "not sure".
        view: How the photo was looked at.
        opinions: What each way of looking says; empty unless they were asked for.
        agreement: Share of the ways of looking that name the same class as ``view``; None unless
            they were asked for.
        width: Of the photo, upright, in pixels.
        height: The same.
        is_cropped: Whether the view leaves out part of the photo.
        models: Who was asked.
        is_familiar: Whether the photo is like those that the models have learnt from; of one that
            is not, nothing is likely and nothing sure. None where no model can tell, as those of
            earlier releases cannot.
    """

    suggestions: tuple[SuggestedTag, ...]
    is_sure: bool
    view: View
    opinions: tuple[ViewOpinion, ...]
    agreement: float | None
    width: int
    height: int
    is_cropped: bool
    models: tuple[ServedModel, ...]
    is_familiar: bool | None = None
