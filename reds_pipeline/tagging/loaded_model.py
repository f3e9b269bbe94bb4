"""A model with its encoder, ready to answer.

What belongs here: what belongs together to give one answer. What does not: loading it
(``loading.py``), or deciding that it serves (``champion_watch.py``).
"""

from __future__ import annotations

from dataclasses import dataclass

from reds_pipeline.modeling.bundle import ModelBundle
from reds_pipeline.tagging.recommendation import ServedModel
from reds_pipeline.tagging.running_encoder import RunningEncoder


@dataclass(frozen=True, eq=False)
class LoadedModel:
    """One version of a registered model.

    Attributes:
        run_id: The training it was made by; with it a version is told from one of the same number
            in another registry.
        served: What people are told about it.
        bundle: The model.
        encoder: Gives the embeddings that it takes.
    """

    run_id: str
    served: ServedModel
    bundle: ModelBundle
    encoder: RunningEncoder


@dataclass(frozen=True, eq=False)
class Serving:
    """The models that answer one request; never changed, only replaced as a whole.

    Attributes:
        classes: Names one class; None before there is one.
        tags: Names any number of hashtags; None where none was trained well enough.
    """

    classes: LoadedModel | None = None
    tags: LoadedModel | None = None

    @property
    def models(self) -> tuple[LoadedModel, ...]:
        """Those that there are, that of classes first."""
        return tuple(model for model in (self.classes, self.tags) if model is not None)

    @property
    def encoders(self) -> tuple[RunningEncoder, ...]:
        """The encoders of these models, each once."""
        return tuple(dict.fromkeys(model.encoder for model in self.models))
