"""Figures of an experiment, as PNG bytes.

What belongs here: drawing numbers that others computed. What does not: computing them. Figures
are drawn on matplotlib's own objects, never through pyplot, whose global state leaks between
steps of one process. Colours are those of Okabe and Ito, which people with any colour vision
tell apart, and shapes differ as well.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from reds_pipeline.drawing import FAINT, INK, PALETTE, QUIET, new_figure, png

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

MARKERS = ("o", "s", "^", "D", "v", "P", "X", "*")
_MOST_WITH_NUMBERS = 20
_NAMES_IN_A_COLUMN = 24


def confusion_figure(
    shares: NDArray[np.floating[Any]], classes: Sequence[str], title: str
) -> bytes:
    """Draw a confusion matrix, true classes down and predicted ones across (R-EXP-6).

    Args:
        shares: (k, k), of each true class the shares predicted as each class, 0 to 1.
        classes: The k classes in that order; of many only the colours are shown, no numbers.
        title: Printed above.
    """
    has_numbers = len(classes) <= _MOST_WITH_NUMBERS
    side = 2.6 + (0.75 if has_numbers else 0.17) * len(classes)
    figure, axes = _canvas(side + 0.6, side, title)
    image = axes.imshow(shares, cmap="Blues", vmin=0.0, vmax=1.0, aspect="auto")
    ticks = range(len(classes))
    letters = None if has_numbers else 6
    axes.set_xticks(
        ticks,
        labels=list(classes),
        rotation=30 if has_numbers else 90,
        ha="right",
        va="top" if has_numbers else "center",
        rotation_mode="anchor",
        size=letters,
    )
    axes.set_yticks(ticks, labels=list(classes), size=letters)
    axes.set_xlabel("predicted")
    axes.set_ylabel("true")
    axes.tick_params(length=0)
    axes.spines[:].set_visible(False)
    for row, column in np.ndindex(*np.shape(shares)) if has_numbers else ():
        share = float(shares[row, column])
        axes.text(
            column,
            row,
            "0" if share == 0 else f"{share:.3f}".removeprefix("0"),
            ha="center",
            va="center",
            color="white" if share > 0.55 else INK if share else FAINT,
        )
    bar = figure.colorbar(image, ax=axes, shrink=0.8, label="share of the true class")
    bar.outline.set_visible(False)
    return png(figure)


def tsne_figure(points: NDArray[np.floating[Any]], labels: Sequence[str], title: str) -> bytes:
    """Draw points (n, 2) coloured and shaped by class (R-EXP-10)."""
    figure, axes = _canvas(7.6, 5.8, title)
    names = np.asarray(labels, dtype=str)
    for number, name in enumerate(np.unique(names)):
        chosen = points[names == name]
        axes.scatter(
            chosen[:, 0],
            chosen[:, 1],
            s=20,
            alpha=0.75,
            linewidths=0,
            color=PALETTE[number % len(PALETTE)],
            marker=MARKERS[number % len(MARKERS)],
            label=f"{name} ({len(chosen)})",
        )
    axes.set_aspect("equal", adjustable="datalim")
    # The coordinates of t-SNE mean nothing by themselves, so there are none to read.
    axes.set_xticks([])
    axes.set_yticks([])
    axes.spines[:].set_color(FAINT)
    axes.legend(
        loc="center left",
        bbox_to_anchor=(1.01, 0.5),
        frameon=False,
        markerscale=1.5,
        ncols=-(-len(np.unique(names)) // _NAMES_IN_A_COLUMN),
    )
    return png(figure)


def fold_accuracy_figure(accuracies: Mapping[str, Sequence[float]], title: str) -> bytes:
    """Draw the accuracy of each fold, backbones side by side, with their means.

    Args:
        accuracies: For each backbone its folds' accuracies, in the order to be drawn.
        title: Printed above.
    """
    figure, axes = _canvas(2.4 + 1.7 * len(accuracies), 4.6, title)
    for position, (name, folds) in enumerate(accuracies.items()):
        colour = PALETTE[position % len(PALETTE)]
        mean = float(np.mean(folds))
        spread = np.linspace(-0.22, 0.22, len(folds)) if len(folds) > 1 else np.zeros(1)
        axes.hlines(mean, position - 0.34, position + 0.34, color=colour, linewidth=2.5)
        axes.scatter(
            position + spread,
            folds,
            s=42,
            color=colour,
            marker=MARKERS[position % len(MARKERS)],
            edgecolors="white",
            linewidths=0.8,
            zorder=3,
            label=name,
        )
        axes.annotate(
            f"{mean:.3f}",
            (position + 0.36, mean),
            xytext=(3, 0),
            textcoords="offset points",
            va="center",
            color=INK,
        )
    axes.set_xticks(range(len(accuracies)), labels=[_broken(name) for name in accuracies])
    axes.set_xlim(-0.6, len(accuracies) - 0.25)
    axes.set_ylabel("accuracy of a fold")
    axes.margins(y=0.15)
    axes.set_ylim(top=min(axes.get_ylim()[1], 1.02))
    axes.grid(axis="y", color=FAINT, linewidth=0.6, alpha=0.6)
    axes.set_axisbelow(True)
    axes.spines[["top", "right"]].set_visible(False)
    axes.set_xlabel("points: folds in order, line: their mean", color=QUIET, size=8)
    return png(figure)


def _canvas(width: float, height: float, title: str) -> tuple[Figure, Axes]:
    """Return a figure of so many inches with one titled pair of axes."""
    figure = new_figure(width, height)
    axes = figure.add_subplot()
    axes.set_title(title, color=INK, pad=12, wrap=True)
    return figure, axes


def _broken(name: str) -> str:
    """Return a backbone's name on two lines when it is long, broken at an underscore."""
    if len(name) <= 16 or "_" not in name:
        return name
    breaks = [place for place, letter in enumerate(name) if letter == "_"]
    middle = min(breaks, key=lambda place: abs(place - len(name) / 2))
    return f"{name[: middle + 1]}\n{name[middle + 1 :]}"
