"""What an encoder is, and how one is built from its name.

What belongs here: the contract every encoder keeps, the picklable description of one, and the
factory. What does not: any encoder itself (``tiny``, ``timm_backbone``), nor the loop that feeds
one from a store (``embed_missing``). A description travels between processes; the encoder is built
where the work is done, so a worker elsewhere needs nothing but the description.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from reds_pipeline.embedding.timm_backbone import TimmEncoder
from reds_pipeline.embedding.tiny import TINY, TinyEncoder
from reds_pipeline.embedding.weights import WeightsFile


@dataclass(frozen=True)
class EncoderSpec:
    """Which encoder is wanted, and where its weights may lie.

    Attributes:
        name: ``"tiny"`` or any name timm knows.
        weights_dir: Directory of ``<name>.safetensors``; where the file is absent, or this is
            None, the model hub is asked.
    """

    name: str
    weights_dir: Path | None = None


class Encoder(Protocol):
    """Turns pictures into feature vectors.

    Attributes:
        encoder_id: Name, digest of the weights and digest of the preprocessing, safe as a file
            name. Equal ids give equal embeddings.
        name: The name it was asked for by.
        dimension: Length of one feature vector.
        input_size: Side in pixels of the square pictures it takes.
        weights: Where the weights come from, in plain words.
        preprocessing: What happens to a tensor before the network, in plain words.
        weights_file: The file they were read from; None for an encoder without weights.
    """

    encoder_id: str
    name: str
    dimension: int
    input_size: int
    weights: str
    preprocessing: str
    weights_file: WeightsFile | None

    def __call__(self, images: NDArray[np.uint8]) -> NDArray[np.float32]:
        """Return float32 features (n, dimension) of uint8 RGB pictures (n, side, side, 3).

        The side is ``input_size``.
        """
        ...


def load_encoder(spec: EncoderSpec) -> Encoder:
    """Build the encoder that ``spec`` describes; never another in its place.

    Raises:
        RedsError: timm does not know the name, or the weights can be had neither from the
            directory nor from the hub, or the file is not this network's.
    """
    if spec.name == TINY:
        return TinyEncoder()
    return TimmEncoder(spec.name, spec.weights_dir)
