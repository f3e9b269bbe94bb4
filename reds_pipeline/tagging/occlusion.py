"""Reasons for a tag, by covering one place of the picture after the other.

What belongs here: asking an encoder of any kind what it would say if it could not see a place
(Zeiler and Fergus, "Visualizing and understanding convolutional networks", ECCV 2014). What does
not: looking inside a network (``grad_cam.py``), which is far quicker where it can be done.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from reds_pipeline.tagging.log_odds import log_odds

if TYPE_CHECKING:
    import torch

    from reds_pipeline.embedding.encoder import Encoder
    from reds_pipeline.modeling.bundle import ModelBundle

WINDOWS_ACROSS = 4
"""How many windows that cover a place fit beside each other."""

STEPS_PER_WINDOW = 4
"""How many steps the window takes until it has moved by its own width."""

_AT_ONCE = 32


def occlusion(
    encoder: Encoder, bundle: ModelBundle, square: NDArray[np.uint8], column: int
) -> NDArray[np.float32]:
    """Return by how much the log odds of a tag fall when a place is covered.

    A place is covered with the mean colour of the picture, and counts the mean over all windows
    that cover it. About 170 pictures go through the encoder.

    Args:
        encoder: The encoder of the model.
        bundle: The model.
        square: uint8 (side, side, 3).
        column: The tag's number in the model.

    Returns:
        float32 (side, side), below zero where covering a place makes the tag likelier.
    """
    import torch
    from captum.attr import Occlusion

    window = max(len(square) // WINDOWS_ACROSS, 1)
    step = max(window // STEPS_PER_WINDOW, 1)
    mean = np.rint(square.mean(axis=(0, 1)))

    def answer(pictures: torch.Tensor) -> torch.Tensor:
        return torch.from_numpy(log_odds(bundle, encoder(pictures.byte().numpy()), column))

    relevance = Occlusion(answer).attribute(
        torch.from_numpy(square[None].astype(np.float32)),
        sliding_window_shapes=(window, window, 3),
        strides=(step, step, 3),
        baselines=torch.from_numpy(np.broadcast_to(mean, square.shape)[None].astype(np.float32)),
        perturbations_per_eval=_AT_ONCE,
    )
    # All three channels are covered together, so they all say the same.
    covered: NDArray[np.float32] = relevance[0, :, :, 0].numpy().astype(np.float32)
    return covered
