"""A chance in a word.

What belongs here: the rule, as a pure function of calibrated chances and thresholds. What does not:
making either (``modeling.calibration``, ``modeling.abstention``, ``modeling.multilabel``), or words
for people, which the page has in its own.

* **likely**: the answer reaches the threshold that was drawn through answers out of fold (of the
  likeliest class: so that the wanted share of such answers was right), and is likelier than not.
* **maybe**: of a model of classes a chance of at least ``MAYBE_CHANCE``; of a model of tags one
  that reaches the tag's threshold, where naming it served best, without being likelier than not.
* **unlikely**: anything less.

Of a photo that is unlike all that a model has learnt from, chances say little: nothing of it is
more than **maybe**.

How often each word is right on held-out photographs is in ``benchmarks/README.md``.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from reds_pipeline.modeling.abstention import reached
from reds_pipeline.modeling.bundle import Kind
from reds_pipeline.tagging.recommendation import Likelihood

LIKELY_CHANCE = 0.5
"""Nothing that is more probably wrong than right is called likely."""

MAYBE_CHANCE = 0.2
"""One in five: a class below that is right so seldom that nobody should be asked to consider it."""


def likelihoods(
    kind: Kind,
    chances: NDArray[np.float64],
    thresholds: NDArray[np.float64],
    *,
    is_familiar: bool | None = None,
) -> tuple[Likelihood, ...]:
    """Return the word for each class or tag of one picture.

    Args:
        kind: Of the model that gave the chances.
        chances: float64 (k,), calibrated.
        thresholds: float64 (k,), from which an answer is given; see ``ModelBundle``.
        is_familiar: Whether the photo is like those that the models have learnt from; None where
            nobody can tell.
    """
    is_given = reached(chances, thresholds)
    is_likely = is_given & (chances >= LIKELY_CHANCE)
    is_maybe = is_given if kind == "tags" else chances >= MAYBE_CHANCE
    highest: Likelihood = "maybe" if is_familiar is False else "likely"
    return tuple(
        highest if likely else "maybe" if maybe else "unlikely"
        for likely, maybe in zip(is_likely, is_maybe, strict=True)
    )
