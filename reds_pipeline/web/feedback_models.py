"""The forms of what programs say about tags and uploads, and what they are told.

What belongs here: the shapes, with words and examples for those who write programs. What does
not: the addresses (``feedback_api.py``).
"""

from __future__ import annotations

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

from reds_pipeline.feedback.answers import FeedbackForm, FeedbackReceipt
from reds_pipeline.feedback.typed_tags import LONGEST_TAG, MOST_TAGS

_FROZEN = ConfigDict(extra="forbid", frozen=True, from_attributes=True)
_LONGEST_TOKEN = 20_000
_LONGEST_CODE = 64
_Tags = Annotated[
    tuple[Annotated[str, Field(max_length=LONGEST_TAG)], ...], Field(max_length=MOST_TAGS)
]


class FeedbackRequest(BaseModel):
    """What somebody said about the tags of one photo."""

    model_config = _FROZEN

    answer: str = Field(
        max_length=_LONGEST_TOKEN,
        description="`answer` of what `/api/v1/tags` said; good for a day.",
        examples=["gAAAAABn..."],
    )
    accepted: _Tags = Field(
        (), description="Suggestions that are right.", examples=[["golden retriever"]]
    )
    rejected: _Tags = Field((), description="Suggestions that are wrong.", examples=[["cat"]])
    added: _Tags = Field(
        (), description="Tags that the person named after seeing them.", examples=[["beach"]]
    )
    none_of_these: bool = Field(False, description="Whether no suggestion is right.")

    @property
    def form(self) -> FeedbackForm:
        """What was said, without the token."""
        return FeedbackForm(self.accepted, self.rejected, self.added, self.none_of_these)


class FeedbackNoted(BaseModel):
    """What became of a feedback."""

    model_config = _FROZEN

    sentence: str = Field(description="For people.", examples=["Noted, thank you."])
    recorded: int = Field(
        ge=0, description="Events that were recorded; 0 when the same was said before."
    )
    changed: bool = Field(description="Whether it replaces what was said before.")
    other: int = Field(
        ge=0, description="Added tags that no model knows; their text is kept in no record."
    )

    @classmethod
    def of(cls, receipt: FeedbackReceipt) -> FeedbackNoted:
        """Return a receipt in the form that programs get."""
        return cls.model_validate(receipt)


class UploadDeletion(BaseModel):
    """Which contributed photo is to be deleted."""

    model_config = _FROZEN

    code: str = Field(
        max_length=_LONGEST_CODE,
        description="As it was shown when the photo was given; case, spaces and dashes make no "
        "difference.",
        examples=["ABCD-EFGH-IJKL-MNOP-QRST-UVWX-YZ"],
    )


class UploadDeleted(BaseModel):
    """That a contributed photo is deleted."""

    model_config = _FROZEN

    sentence: str = Field(description="For people.")
