"""A chance in a word, and which tags are worth suggesting.

What belongs here: the rule, as pure functions of calibrated chances and thresholds. What does not:
making either (``modeling.calibration``, ``modeling.abstention``, ``modeling.multilabel``).

* **likely**: the answer reaches the threshold that was drawn through answers out of fold (for the
  likeliest class: so that the wanted share of such answers was right), and is likelier than not.
* **maybe**: of a model of classes a chance of at least ``MAYBE_CHANCE``; of a model of tags one
  that reaches the tag's threshold, where it was named best, without being likelier than not.
* **unlikely**: anything less.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from reds_pipeline.modeling.bundle import ModelBundle
from reds_pipeline.tagging.recommendation import Likelihood

LIKELY_CHANCE = 0.5
"""Nothing that is more probably wrong than right is called likely."""

MAYBE_CHANCE = 0.2
"""One in five: a class below that is right so seldom that nobody should be asked to consider it."""


def likelihoods(bundle: ModelBundle, chances: NDArray[np.float64]) -> tuple[Likelihood, ...]:
    """Return the word for each class or tag of one picture.

    Args:
        bundle: The model that gave the chances.
        chances: float64 (k,), calibrated.
    """
    reached = bundle.is_given(chances[None])[0]
    is_likely = reached & (chances >= LIKELY_CHANCE)
    is_maybe = reached if bundle.kind == "tags" else chances >= MAYBE_CHANCE
    return tuple(
        "likely" if likely else "maybe" if maybe else "unlikely"
        for likely, maybe in zip(is_likely, is_maybe, strict=True)
    )
