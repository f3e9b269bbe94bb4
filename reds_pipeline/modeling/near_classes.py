"""Which classes are near each other, and whether nearness means confusion (R-CLS-13, R-IMP-7).

What belongs here: for each pair of classes how near they are in meaning, how near in what the
backbone sees, and how often the model took one for the other; and what that says of a class that
might be added. What does not: WordNet itself (``lexicon.semantics``), fitting models, drawing
(``near_classes_figure``).

Only pictures that a model had not seen count: predictions are out of fold. Intervals take pictures
for independent, which those of one author are not quite, and are therefore somewhat narrow.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from itertools import combinations
from typing import Any

import numpy as np
from numpy.typing import NDArray

from reds_pipeline.modeling.intervals import wilson_interval

_FEWEST_PAIRS_TO_CORRELATE = 5


@dataclass(frozen=True)
class NearPair:
    """Two classes.

    Attributes:
        first: One class.
        second: The other.
        similarity: Wu-Palmer similarity of their senses, 0 to 1; None where WordNet knows no
            sense of one.
        cosine: Cosine of the angle between the centres of their features, seen from the centre
            of all classes: 1 for the same direction, about -1/(k-1) for k classes far apart.
        confused: Pictures of either class that were taken for the other.
        pictures: Pictures of the two classes.
        low: Lower end of the 95 % Wilson interval of their quotient.
        high: Its upper end.
    """

    first: str
    second: str
    similarity: float | None
    cosine: float
    confused: int
    pictures: int
    low: float
    high: float

    @property
    def rate(self) -> float:
        """Share of the pictures of the two classes that were taken for the other one."""
        return self.confused / self.pictures


@dataclass(frozen=True)
class NearClasses:
    """All pairs of classes of one model.

    Attributes:
        pairs: The most confused first; of equal ones the nearer in meaning, then in features.
        meaning_correlation: Spearman's rank correlation over the pairs between similarity in
            meaning and confusion; None with too few pairs, or where nothing varies.
        feature_correlation: The same between the cosine of the centres and confusion.
    """

    pairs: tuple[NearPair, ...]
    meaning_correlation: float | None
    feature_correlation: float | None

    @property
    def nearest_in_meaning(self) -> NearPair | None:
        """The pair with the highest Wu-Palmer similarity (R-CLS-13)."""
        known = [pair for pair in self.pairs if pair.similarity is not None]
        return max(known, key=lambda pair: pair.similarity or 0.0, default=None)

    @property
    def sentence(self) -> str:
        """What to know of near classes before a model is released."""
        worst, nearest = self.pairs[0], self.nearest_in_meaning
        if worst.confused:
            told = (
                f"{worst.first} and {worst.second} are confused most: {_of(worst)} are taken for "
                "the other one."
            )
        else:
            told = "No two classes are confused in any picture."
        if nearest is None:
            return f"{told} WordNet knows too few of the classes to say which are near in meaning."
        same = worst.confused and (nearest.first, nearest.second) == (worst.first, worst.second)
        if same:
            return f"{told} They are also the nearest in meaning ({nearest.similarity:.3f})."
        return (
            f"{told} Nearest in meaning are {nearest.first} and {nearest.second} "
            f"({nearest.similarity:.3f}), of which {_of(nearest)} are confused."
        )


@dataclass(frozen=True)
class CandidateRisk:
    """What the measured classes say of one that might be added.

    Attributes:
        name: The candidate.
        nearest: The present class nearest to it in meaning.
        similarity: Their Wu-Palmer similarity.
        rate: Confusion measured for pairs that are as near, 0 to 1.
        low: Lower end of its 95 % Wilson interval.
        high: Its upper end.
        nearer_than_any: Whether no measured pair is as near, so that ``rate`` is what the nearest
            measured ones have and the true one may be higher.
    """

    name: str
    nearest: str
    similarity: float
    rate: float
    low: float
    high: float
    nearer_than_any: bool

    @property
    def sentence(self) -> str:
        """The risk in words."""
        told = (
            f"{self.name} would be nearest to {self.nearest} ({self.similarity:.3f}); pairs "
            f"{'nearest to that' if self.nearer_than_any else 'as near'} are confused in "
            f"{_percent(self.rate)} of pictures (95 % interval {_percent(self.low)} to "
            f"{_percent(self.high)})"
        )
        if self.nearer_than_any:
            return f"{told}, but no pair measured here is so near: expect more."
        return f"{told}."


def near_classes(
    classes: Sequence[str],
    labels: Sequence[str],
    predicted: Sequence[str],
    features: NDArray[np.floating[Any]],
    similarity: NDArray[np.float64],
) -> NearClasses:
    """Measure every pair of classes.

    Args:
        classes: The k classes, two or more.
        labels: Class of each of n pictures.
        predicted: Class said of each by a model that had not seen it.
        features: (n, d) of the same pictures.
        similarity: (k, k) Wu-Palmer similarity; NaN where WordNet knows no sense.

    Raises:
        ValueError: A class has no picture, or there are fewer than two classes.
    """
    place = {name: number for number, name in enumerate(classes)}
    true = np.asarray([place[name] for name in labels])
    said = np.asarray([place[name] for name in predicted])
    counts = np.zeros((len(classes), len(classes)), np.int64)
    np.add.at(counts, (true, said), 1)
    totals = counts.sum(axis=1)
    if len(classes) < 2 or not totals.all():
        raise ValueError("two classes at least, and a picture of each")
    cosines = centre_cosines(features, true, len(classes))
    pairs = [
        _pair(
            (classes[one], classes[other]),
            float(similarity[one, other]),
            float(cosines[one, other]),
            int(counts[one, other] + counts[other, one]),
            int(totals[one] + totals[other]),
        )
        for one, other in combinations(range(len(classes)), 2)
    ]
    pairs.sort(key=lambda pair: (-pair.rate, -(pair.similarity or 0.0), -pair.cosine))
    return NearClasses(
        tuple(pairs),
        _correlation([(pair.similarity, pair.rate) for pair in pairs]),
        _correlation([(pair.cosine, pair.rate) for pair in pairs]),
    )


def centre_cosines(
    features: NDArray[np.floating[Any]], codes: NDArray[np.integer[Any]], classes: int
) -> NDArray[np.float64]:
    """Return float64 (k, k): cosines between the classes' centres seen from their middle.

    Features of most networks lie in one narrow cone, in which every two centres look alike;
    the middle of the centres, each class counting the same, is therefore taken off first.
    """
    centres = np.stack(
        [features[codes == code].mean(axis=0, dtype=np.float64) for code in range(classes)]
    )
    centres -= centres.mean(axis=0)
    lengths = np.linalg.norm(centres, axis=1, keepdims=True)
    unit = centres / np.where(lengths > 0, lengths, 1.0)
    return np.asarray(unit @ unit.T)


def candidate_risk(
    name: str, similarities: Mapping[str, float], measured: NearClasses
) -> CandidateRisk | None:
    """Say what adding a class would risk, by what was measured for pairs as near in meaning.

    Confusion is taken to grow, if anything, with nearness (isotonic regression over the pairs,
    each weighing as many pictures as it has). It is an extrapolation: the candidate itself has
    no pictures yet.

    Args:
        name: The candidate.
        similarities: Its Wu-Palmer similarity to the present classes that WordNet knows.
        measured: The present classes.

    Returns:
        None where WordNet knows none of the classes, or no two of them.
    """
    from sklearn.isotonic import IsotonicRegression

    pairs = [pair for pair in measured.pairs if pair.similarity is not None]
    if not pairs or not similarities:
        return None
    nearest = max(similarities, key=lambda other: similarities[other])
    near = np.asarray([pair.similarity for pair in pairs], np.float64)
    weights = np.asarray([pair.pictures for pair in pairs], np.float64)
    rates = np.asarray([pair.rate for pair in pairs])
    regression = IsotonicRegression(out_of_bounds="clip").fit(near, rates, sample_weight=weights)
    expected = float(regression.predict([similarities[nearest]])[0])
    # The regression pools pairs into steps; a value between two steps stands on both.
    fitted = regression.predict(near)
    below, above = fitted[fitted <= expected].max(), fitted[fitted >= expected].min()
    pooled = [
        pair
        for pair, value in zip(pairs, fitted, strict=True)
        if np.isclose(value, below) or np.isclose(value, above)
    ]
    confused = sum(pair.confused for pair in pooled)
    pictures = sum(pair.pictures for pair in pooled)
    low, high = _interval(confused, pictures)
    return CandidateRisk(
        name=name,
        nearest=nearest,
        similarity=similarities[nearest],
        rate=confused / pictures,
        low=low,
        high=high,
        nearer_than_any=similarities[nearest] > float(near.max()),
    )


def _pair(
    names: tuple[str, str], similarity: float, cosine: float, confused: int, pictures: int
) -> NearPair:
    low, high = _interval(confused, pictures)
    known = None if np.isnan(similarity) else similarity
    return NearPair(*names, known, cosine, confused, pictures, low, high)


@cache
def _interval(confused: int, pictures: int) -> tuple[float, float]:
    """Remembered, because of the 4,950 pairs of a hundred classes most have the same counts."""
    return wilson_interval(confused, pictures)


def _correlation(points: Sequence[tuple[float | None, float]]) -> float | None:
    from scipy.stats import spearmanr

    known = np.asarray([point for point in points if point[0] is not None], np.float64)
    if len(known) < _FEWEST_PAIRS_TO_CORRELATE or not np.ptp(known, axis=0).all():
        return None
    return float(spearmanr(known[:, 0], known[:, 1]).statistic)


def _of(pair: NearPair) -> str:
    return (
        f"{pair.confused} of {pair.pictures} pictures ({_percent(pair.rate)}, 95 % interval "
        f"{_percent(pair.low)} to {_percent(pair.high)})"
    )


def _percent(share: float) -> str:
    return f"{100 * share:.1f} %"
