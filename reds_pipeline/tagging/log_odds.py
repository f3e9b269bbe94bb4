"""How strongly a model holds with one tag: the number whose reasons are looked for.

What belongs here: the log odds of a tag's calibrated chance, from embeddings. What does not: where
in a picture they come from (``grad_cam.py``, ``occlusion.py``).

The log odds of the chance that people are shown are one number for both kinds of model. For tags
they are the tag's own calibrated decision value. For classes they are that value less the
log-sum-exp of all others, so that a place which speaks for the runner-up just as much does not
count as a reason; chance alone would not do, because it hardly moves where it is near 0 or 1.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from reds_pipeline.errors import RedsError

if TYPE_CHECKING:
    import torch

    from reds_pipeline.modeling.bundle import ModelBundle


def column_of(bundle: ModelBundle, tag: str) -> int:
    """Return the number of a tag in a model.

    Raises:
        RedsError: The model cannot say it.
    """
    if tag not in bundle.classes:
        raise RedsError(
            f"Nothing can be shown for {tag} because the model cannot say it; choose one of the "
            "tags that it suggested."
        )
    return bundle.classes.index(tag)


def log_odds(
    bundle: ModelBundle, embeddings: NDArray[np.floating[Any]], column: int
) -> NDArray[np.float64]:
    """Return the log odds float64 (n,) of a tag's chance for embeddings (n, d)."""
    calibrated = bundle.decision_values(embeddings) * bundle.slope + bundle.offset
    own = calibrated[:, column]
    if bundle.kind == "tags":
        return np.asarray(own)
    others = np.delete(calibrated, column, axis=1)
    return np.asarray(own - np.logaddexp.reduce(others, axis=1))


def log_odds_module(bundle: ModelBundle, column: int) -> torch.nn.Module:
    """Return the same as a module, float32 (n,) of float32 (n, d), that gradients pass through."""
    import torch

    # Standardising, deciding and calibrating are linear: one layer holds all three.
    scaled = bundle.weights / bundle.scale
    shift = bundle.intercept - scaled @ bundle.mean
    slope = bundle.slope[:, None]
    linear = torch.nn.Linear(bundle.dimension, len(bundle.classes))
    with torch.no_grad():
        linear.weight.copy_(torch.from_numpy(scaled * slope))
        linear.bias.copy_(torch.from_numpy(shift * bundle.slope + bundle.offset))

    class LogOdds(torch.nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.linear = linear

        def forward(self, embeddings: torch.Tensor) -> torch.Tensor:
            calibrated = self.linear(embeddings)
            own: torch.Tensor = calibrated[:, column]
            if bundle.kind == "tags":
                return own
            others = [other for other in range(len(bundle.classes)) if other != column]
            return own - torch.logsumexp(calibrated[:, others], dim=1)

    return LogOdds().eval()
