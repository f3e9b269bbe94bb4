"""What an engine is: one way to run a network, that can be had on a machine or not.

What belongs here: the contract between those who build engines and those who choose among them.
What does not: any engine, and the choice.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from reds_pipeline.embedding.timm_backbone import TimmEncoder

REFERENCE = "pytorch"
"""Eager PyTorch in float32 on the processor, which every other engine is compared with."""


class EngineUnavailable(Exception):
    """An engine cannot be had here; the text is the reason, as part of a sentence."""


class Runner(Protocol):
    """A network that is ready to run."""

    def __call__(self, images: NDArray[np.uint8], batch: int) -> NDArray[np.float32]:
        """Return float32 features (n, dimension) of uint8 RGB pictures (n, side, side, 3).

        Args:
            images: Any number of pictures.
            batch: Most pictures in the network at once, which bounds memory.
        """
        ...


@dataclass(frozen=True)
class BuildRequest:
    """What an engine is built from.

    Attributes:
        encoder: Gives the reference encoder; asked only where the network itself is needed, since
            that loads a deep learning library.
        dimension: Length of one feature vector.
        threads: Cores that the engine may keep busy.
        directory: Where an engine may keep a converted network of this encoder, to be had at once
            the next time.
        calibration: Gives uint8 pictures (n, side, side, 3) of the kind to be embedded, for
            engines that have to see some.
    """

    encoder: Callable[[], TimmEncoder]
    dimension: int
    threads: int
    directory: Path
    calibration: Callable[[], NDArray[np.uint8]]


@dataclass(frozen=True)
class Engine:
    """One way to run a network.

    Attributes:
        name: As in ``REDS_INFERENCE``.
        library: Package that it needs.
        summary: What it does, in plain words.
        setup_seconds: About how long it takes to build for a network of medium size on a machine
            of two cores; one is not tried where that is more than it could save.
        batches: Batch sizes worth trying.
        lacking: Says in part of a sentence what this machine lacks for it, or nothing.
        build: Makes the runner; raises ``EngineUnavailable``.
        variant: Names the converted network in ``BuildRequest.directory`` where another one, made
            from other pictures, would give other features; empty otherwise.
        on_processor: Whether processor time says how long it takes.
        is_reference: Whether its embeddings are kept under the encoder's own name, which is the
            only one older versions of REDS knew.
    """

    name: str
    library: str
    summary: str
    setup_seconds: float
    batches: tuple[int, ...]
    lacking: Callable[[], str]
    build: Callable[[BuildRequest], Runner]
    variant: Callable[[Path], str] = lambda _directory: ""
    on_processor: bool = True
    is_reference: bool = False

    def store_name(self, encoder_id: str, directory: Path) -> str:
        """Return the name of the store that this engine's embeddings are kept in."""
        if self.is_reference:
            return encoder_id
        return "-".join(part for part in (encoder_id, self.name, self.variant(directory)) if part)


def in_batches(
    forward: Callable[[NDArray[np.uint8]], NDArray[np.float32]], dimension: int
) -> Runner:
    """Return a runner that gives ``forward`` one batch after the other."""

    def run(images: NDArray[np.uint8], batch: int) -> NDArray[np.float32]:
        features = np.empty((len(images), dimension), np.float32)
        for start in range(0, len(images), batch):
            part = slice(start, start + batch)
            features[part] = forward(images[part])
        return features

    return run
