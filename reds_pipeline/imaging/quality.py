"""Quality gates: which measured figures make a picture unfit, and which only worth a look.

What belongs here: the gates with their thresholds, and asking them about a row. What does not:
measuring (colour.py, scores.py), dropping rows (cleaning.py) and what a person decided about them
(the package review). A gate that hits writes its name into the flags of the row whether or not it
drops, so deletion is a view of the table and a threshold can change without any decoding.

The thresholds were set on 845 photographs and on planted faults; ``benchmarks/quality_gates.py``
prints hits, false hits and recall for each of them again.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any


@dataclass(frozen=True)
class QualityGate:
    """One way in which a picture can be unfit.

    Attributes:
        name: What the flags and the funnel call it.
        column: The figure it looks at, a key of ``figures``.
        threshold: The gate hits at this figure and beyond.
        side: ``"low"`` (hits at or below the threshold) or ``"high"`` (at or above).
        drops: Whether a hit drops the picture unless the caller says otherwise.
        sentence: What the gate says about a picture, for people.
    """

    name: str
    column: str
    threshold: float
    side: str
    drops: bool
    sentence: str


# Black, white and flat pictures are also grey, so these are asked first: what says more about a
# picture becomes its reason.
GATES: tuple[QualityGate, ...] = (
    QualityGate("dark", "highlights", 64.0, "low", True, "Nearly all of the picture is black."),
    QualityGate("bright", "shadows", 200.0, "high", True, "Nearly all of the picture is white."),
    QualityGate(
        "flat", "entropy", 1.8, "low", True, "There is hardly anything but one colour or gradient."
    ),
    QualityGate(
        "greyscale",
        "colour_spread",
        10.0,
        "low",
        True,
        "The picture is grey, whether or not its file is in colour.",
    ),
    QualityGate(
        "cmyk",
        "cmyk",
        1.0,
        "high",
        True,
        "The file holds printing inks (CMYK), whose colours on a screen are a guess.",
    ),
    QualityGate(
        "transparent",
        "transparent_share",
        0.05,
        "high",
        True,
        "A part of the picture is transparent: a cut-out or a sticker.",
    ),
    QualityGate(
        "extreme_aspect",
        "aspect",
        3.0,
        "high",
        True,
        "One side is three times the other or more, so that most of it would be cropped away.",
    ),
    QualityGate(
        "tiny",
        "shorter_side",
        111.0,
        "low",
        True,
        "The shorter side is less than half of the 224 pixels that a model sees.",
    ),
    QualityGate(
        "blurry",
        "sharpness",
        0.35,
        "low",
        True,
        "The picture is blurred, or enlarged from a much smaller one.",
    ),
    QualityGate(
        "text_heavy",
        "text_share",
        0.3,
        "high",
        True,
        "Much of the picture is writing: a screenshot, a document or a poster.",
    ),
)
"""All gates, in the order in which they are asked; the first that drops gives the reason."""

DEFAULT_DROPS: frozenset[str] = frozenset(gate.name for gate in GATES if gate.drops)
"""Names of the gates whose hits drop a picture unless the caller says otherwise."""

_DEFAULT_THRESHOLDS: Mapping[str, float] = MappingProxyType({})
_SCORE_COLUMNS = (
    "transparent_share",
    "highlights",
    "shadows",
    "entropy",
    "sharpness",
    "text_share",
)


def flags(
    row: Mapping[str, Any], thresholds: Mapping[str, float] = _DEFAULT_THRESHOLDS
) -> list[str]:
    """Return the names of all gates that a picture fails (R-SCR-5).

    Args:
        row: Of the images table: ``colour_spread``, ``width``, ``height`` and ``scores``. Gates
            whose figure is missing, as in rows from before there were scores, say nothing.
        thresholds: By gate name, instead of those in ``GATES``.

    Returns:
        In the order of ``GATES``.
    """
    known = figures(row)
    return [
        gate.name
        for gate in GATES
        if _hits(gate, known.get(gate.column), thresholds.get(gate.name, gate.threshold))
    ]


def first_drop(flags: Sequence[str], drops: Collection[str] = DEFAULT_DROPS) -> str:
    """Return the reason for which flags drop a picture.

    Args:
        flags: From ``flags``.
        drops: Names of the gates that drop; all others only flag.

    Returns:
        The first flag that drops, or an empty string.
    """
    return next((flag for flag in flags if flag in drops), "")


def figures(row: Mapping[str, Any]) -> dict[str, float]:
    """Return what is known of a picture, by the names that gates use.

    Args:
        row: Of the images table.

    Returns:
        ``colour_spread``, ``cmyk`` (0 or 1), ``aspect`` (longer by shorter side), ``shorter_side``
        in pixels and the scores; without those that the row does not have.
    """
    known: dict[str, float] = {}
    if row.get("colour_spread") is not None:
        known["colour_spread"] = row["colour_spread"]
    width, height = row.get("width"), row.get("height")
    if width and height:
        known["aspect"] = max(width, height) / min(width, height)
        known["shorter_side"] = min(width, height)
    scores: Mapping[str, Any] = row.get("scores") or {}
    if scores.get("mode"):
        known["cmyk"] = float(scores["mode"] == "CMYK")
    for column in _SCORE_COLUMNS:
        if scores.get(column) is not None:
            known[column] = scores[column]
    return known


def _hits(gate: QualityGate, figure: float | None, threshold: float) -> bool:
    if figure is None:
        return False
    return figure <= threshold if gate.side == "low" else figure >= threshold
