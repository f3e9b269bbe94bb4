"""The forms of what the interface for programs says.

What belongs here: the shapes, with words and examples for those who write programs. What does
not: the addresses (``api_routes.py``).
"""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

from reds_pipeline.tagging.live_state import LiveState
from reds_pipeline.tagging.recommendation import Likelihood, Recommendation, View

_FROZEN = ConfigDict(extra="forbid", frozen=True, from_attributes=True)
_Chance = Annotated[float, Field(ge=0, le=1, examples=[0.93])]


class Problem(BaseModel):
    """Why a request was not answered."""

    model_config = _FROZEN

    sentence: str = Field(
        description="For people: what happened, why, and what to do.",
        examples=["The photo was not tagged: it is cut off; copy or download it again."],
    )
    reason: str = Field(
        description="For programs; its meaning never changes.", examples=["truncated"]
    )


class ModelAnswer(BaseModel):
    """A model that serves."""

    model_config = _FROZEN

    name: str = Field(description="Of the registered model.", examples=["reds-tagger"])
    version: str = Field(description="Of the registered model.", examples=["3"])
    kind: Literal["classes", "tags"] = Field(
        description="`classes`: a photo has one of its tags; `tags`: any number."
    )
    backbone: str = Field(description="The encoder.", examples=["vit_base_patch16_224"])
    trained_at: str = Field(description="ISO 8601, UTC.", examples=["2026-11-21T12:00:00.000Z"])
    serving_since: str = Field(
        description="When it took over, ISO 8601, UTC.", examples=["2026-11-21T12:05:00.000Z"]
    )
    tags: tuple[str, ...] = Field(
        description="Everything it can say.", examples=[["cat", "dog", "flower"]]
    )


class TagAnswer(BaseModel):
    """A tag that a model suggests."""

    model_config = _FROZEN

    tag: str = Field(description="As the model names it.", examples=["golden retriever"])
    display: str = Field(
        description="As a hashtag that screen readers read well, without `#`.",
        examples=["GoldenRetriever"],
    )
    probability: _Chance = Field(description="Calibrated chance that the photo's author uses it.")
    likelihood: Likelihood = Field(description="The chance in a word.")
    rank: int = Field(ge=1, description="Place among all suggestions, before any threshold.")
    model: str = Field(description="Name of the model that says so.", examples=["reds-tagger"])
    version: str = Field(description="Its version.", examples=["3"])


class ViewAnswer(BaseModel):
    """What one way of looking at the photo leads to."""

    model_config = _FROZEN

    view: View = Field(description="The way of looking.")
    tag: str = Field(description="The likeliest class.", examples=["cat"])
    probability: _Chance = Field(description="Its chance; of windows their mean.")
    looks: int = Field(ge=1, description="Squares that were looked at.")
    share: _Chance = Field(description="Share of them that name this class.")


class TagsAnswer(BaseModel):
    """Tags for one photo."""

    model_config = _FROZEN

    suggestions: tuple[TagAnswer, ...] = Field(
        description="At most 8, the likeliest first; never put on a photo unasked."
    )
    is_sure: bool = Field(
        description="Whether the likeliest class is an answer to rely on; false is 'not sure'."
    )
    is_familiar: bool | None = Field(
        description="Whether the photo is like those that the models have learnt from; tags of one "
        "that is not are guesses, and none of them is `likely`. Null where the models cannot tell."
    )
    view: View = Field(description="How the photo was looked at.")
    opinions: tuple[ViewAnswer, ...] = Field(
        description="What each way of looking says; empty unless `compare` was asked for."
    )
    agreement: float | None = Field(
        ge=0,
        le=1,
        description="Share of the ways of looking that name the same class as `view`.",
        examples=[1.0],
    )
    width: int = Field(ge=1, description="Of the upright photo, in pixels.", examples=[4032])
    height: int = Field(ge=1, description="Of the upright photo, in pixels.", examples=[3024])
    is_cropped: bool = Field(description="Whether the view leaves out part of the photo.")
    models: tuple[ModelAnswer, ...] = Field(description="Who was asked.")
    answer: str = Field(
        description="Stands for this answer when people's choices are sent to `/api/v1/feedback`; "
        "nothing of it is kept before that."
    )

    @classmethod
    def of(cls, recommendation: Recommendation, answer: str) -> TagsAnswer:
        """Return a recommendation in the form that programs get.

        Args:
            recommendation: What they get to see.
            answer: Sealed, for feedback.
        """
        return cls(
            suggestions=tuple(
                TagAnswer.model_validate(suggestion) for suggestion in recommendation.suggestions
            ),
            is_sure=recommendation.is_sure,
            is_familiar=recommendation.is_familiar,
            view=recommendation.view,
            opinions=tuple(ViewAnswer.model_validate(each) for each in recommendation.opinions),
            agreement=recommendation.agreement,
            width=recommendation.width,
            height=recommendation.height,
            is_cropped=recommendation.is_cropped,
            models=tuple(ModelAnswer.model_validate(model) for model in recommendation.models),
            answer=answer,
        )


class LimitsAnswer(BaseModel):
    """What may be asked for."""

    model_config = _FROZEN

    photo_bytes: int = Field(ge=1, description="Largest file.", examples=[20_000_000])
    photos_per_minute: int = Field(ge=1, description="Of one address.", examples=[30])


class ModelStateAnswer(BaseModel):
    """Which models serve now."""

    model_config = _FROZEN

    is_ready: bool = Field(description="Whether photos can be tagged now.")
    models: tuple[ModelAnswer, ...] = Field(description="Who answers.")
    problem: str = Field(
        description="Why a newer model does not serve, or none does; empty if all is well.",
        examples=[""],
    )
    checked_at: str = Field(
        description="When it was last looked whether another model serves, ISO 8601, UTC; empty "
        "before.",
        examples=["2026-11-21T12:05:00.000Z"],
    )
    limits: LimitsAnswer

    @classmethod
    def of(cls, state: LiveState, limits: LimitsAnswer, problem: str) -> ModelStateAnswer:
        """Return a tagger's state in the form that programs get.

        Args:
            state: Of the tagger.
            limits: Of the site.
            problem: As much of the state's problem as whoever asked may know.
        """
        return cls(
            is_ready=state.is_ready,
            models=tuple(ModelAnswer.model_validate(model) for model in state.models),
            problem=problem,
            checked_at=state.checked_at,
            limits=limits,
        )
