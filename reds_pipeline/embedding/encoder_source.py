"""An encoder that is loaded when somebody needs it, and known before.

What belongs here: who the encoder is, from a note or by loading it once. What does not: running
it.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cached_property
from pathlib import Path

from reds_pipeline.embedding.encoder import Encoder, EncoderSpec, load_encoder
from reds_pipeline.embedding.identity import (
    EncoderIdentity,
    remember_identity,
    remembered_identity,
)


class EncoderSource:
    """One encoder that may have to be loaded.

    Args:
        spec: The encoder wanted.
        notes_dir: Where it is noted which file of weights gave which encoder.
        build: Makes the encoder.

    Attributes:
        spec: As given.
    """

    def __init__(
        self,
        spec: EncoderSpec,
        notes_dir: Path,
        build: Callable[[EncoderSpec], Encoder] = load_encoder,
    ) -> None:
        self.spec = spec
        self._notes_dir = notes_dir
        self._build = build

    @cached_property
    def identity(self) -> EncoderIdentity:
        """Who it is; loads it only where nothing is noted about its weights.

        Raises:
            RedsError: The encoder cannot be had.
        """
        known = remembered_identity(self.spec.name, self.spec.weights_dir, self._notes_dir)
        if known is not None:
            return known
        encoder = self.encoder
        identity = EncoderIdentity(
            encoder.encoder_id,
            encoder.dimension,
            encoder.input_size,
            encoder.weights,
            encoder.preprocessing,
        )
        if encoder.weights_file is not None:
            remember_identity(self.spec.name, identity, encoder.weights_file, self._notes_dir)
        return identity

    @cached_property
    def encoder(self) -> Encoder:
        """The encoder itself, loaded on first use.

        Raises:
            RedsError: The encoder cannot be had.
        """
        return self._build(self.spec)
