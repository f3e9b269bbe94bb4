"""Figures of what people tag and how close the classes are, as PNG bytes.

What belongs here: drawing counts and similarities that others computed (R-TAG-11, R-TAG-13,
R-CLS-6). What does not: the graph of the classes (``graph_figure.py``), and computing.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from reds_pipeline.drawing import (
    FAINT,
    INK,
    PALETTE,
    QUIET,
    can_be_drawn,
    new_figure,
    png,
    quiet_axes,
    text_families,
)

if TYPE_CHECKING:
    from matplotlib.axes import Axes

Counts = Sequence[tuple[str, int]]

_ROW_INCHES = 0.235
# A title needs as much.
_NARROWEST_INCHES = 5.6
_LONGEST_WORD = 26
_RANK_POINTS = 22
_IN_A_COLUMN = 25


def top_words_figure(
    raw: Counts, processed: Counts, newcomers: Collection[str], title: str
) -> bytes:
    """Draw the top hashtags as written beside the top lemmas, by posts (R-TAG-11).

    Args:
        raw: Hashtags as written with their posts, the largest first.
        processed: Lemmas with their posts, the largest first.
        newcomers: Lemmas that stand out, because no hashtag of theirs is among ``raw``.
        title: Printed above.
    """
    rows = max(len(raw), len(processed), 1)
    figure = new_figure(9.2, 1.5 + _ROW_INCHES * rows)
    figure.suptitle(title, color=INK)
    left, right = figure.subplots(1, 2)
    highest = max((posts for _, posts in [*raw, *processed]), default=1)
    _draw_bars(left, raw, rows, highest, [PALETTE[0]] * len(raw))
    left.set_title("hashtags as written", color=INK, size=11)
    colours = [PALETTE[1] if word in newcomers else PALETTE[0] for word, _ in processed]
    _draw_bars(right, processed, rows, highest, colours)
    right.set_title("lemmas after cleaning", color=INK, size=11)
    for axes in (left, right):
        axes.set_xlabel("posts", color=QUIET, size=9)
    if set(newcomers) & {word for word, _ in processed}:
        figure.supxlabel(
            "orange: newcomers, whose own hashtags are not on the left", color=QUIET, size=9
        )
    return png(figure)


def word_columns_figure(words: Counts, chosen: Collection[str], title: str) -> bytes:
    """Draw a long ranking, such as the top 100 lemmas, in columns of 25 (R-TAG-13).

    Args:
        words: Words with their posts, the largest first.
        chosen: Words to stand out, which are the classes.
        title: Printed above.
    """
    columns = max(-(-len(words) // _IN_A_COLUMN), 1)
    rows = min(max(len(words), 1), _IN_A_COLUMN)
    figure = new_figure(max(0.6 + 2.9 * columns, _NARROWEST_INCHES), 1.3 + _ROW_INCHES * rows)
    figure.suptitle(title, color=INK)
    if {word for word, _ in words} & set(chosen):
        figure.supxlabel("orange: the classes", color=QUIET, size=9)
    highest = max((posts for _, posts in words), default=1)
    for number, axes in enumerate(np.ravel(figure.subplots(1, columns))):
        start = number * _IN_A_COLUMN
        part = words[start : start + _IN_A_COLUMN]
        colours = [PALETTE[1] if word in chosen else PALETTE[0] for word, _ in part]
        _draw_bars(axes, part, rows, highest, colours, first_rank=start + 1)
        axes.set_xlabel("posts", color=QUIET, size=9)
    return png(figure)


def similarity_figure(names: Sequence[str], matrix: NDArray[np.float64], title: str) -> bytes:
    """Draw the Wu-Palmer similarity of the classes' senses (R-CLS-6).

    Args:
        names: The k classes.
        matrix: (k, k), 0 to 1; NaN where WordNet does not know a class.
        title: Printed above.
    """
    side = 1.9 + 0.72 * len(names)
    figure = new_figure(side + 0.9, side - 0.4)
    figure.suptitle(title, color=INK)
    axes = figure.add_subplot()
    # Squares by the size of the paper: axes held square can push their labels off its edge.
    image = axes.imshow(matrix, cmap="Blues", vmin=0.0, vmax=1.0, aspect="auto")
    places = range(len(names))
    axes.set_xticks(places, labels=list(names), rotation=30, ha="right", rotation_mode="anchor")
    axes.set_yticks(places, labels=list(names))
    axes.tick_params(length=0, labelcolor=INK)
    axes.spines[:].set_visible(False)
    for row, column in np.ndindex(*np.shape(matrix)):
        _write_similarity(axes, row, column, float(matrix[row, column]))
    bar = figure.colorbar(image, ax=axes, shrink=0.9, label="Wu-Palmer similarity")
    bar.outline.set_visible(False)
    bar.ax.tick_params(length=0)
    return png(figure)


def _write_similarity(axes: Axes, row: int, column: int, value: float) -> None:
    known = not np.isnan(value)
    ink = "white" if known and value > 0.55 else INK if known else FAINT
    text = f"{value:.3f}" if known else "?"
    axes.text(column, row, text, ha="center", va="center", color=ink, size=9, in_layout=False)


def _draw_bars(
    axes: Axes,
    words: Counts,
    rows: int,
    highest: int,
    colours: Sequence[str],
    *,
    first_rank: int = 1,
) -> None:
    """Draw one ranking downwards, each bar with its word, rank and number."""
    axes.barh(range(len(words)), [posts for _, posts in words], color=colours, height=0.72)
    # One scale for all columns, with room for the number behind the longest bar.
    axes.set_xlim(0, 1.16 * highest)
    axes.set_ylim(rows - 0.4, -0.6)
    quiet_axes(axes)
    axes.locator_params(axis="x", nbins=4, integer=True)
    axes.tick_params(axis="x", labelsize=8, labelcolor=QUIET)
    axes.set_yticks(range(len(words)), labels=[_written(word) for word, _ in words])
    axes.tick_params(axis="y", pad=_RANK_POINTS)
    for tick in axes.get_yticklabels():
        # What people write is no formula, whatever signs are in it.
        tick.set_parse_math(False)
        tick.set_fontfamily(list(text_families()))
        tick.set_fontsize(9)
    for place, (_, posts) in enumerate(words):
        axes.annotate(
            f"{posts:,}",
            (posts, place),
            xytext=(3, 0),
            textcoords="offset points",
            va="center",
            size=8,
            color=QUIET,
            in_layout=False,
        )
        # By itself, because it would change sides with a word that is written from the right.
        axes.annotate(
            str(first_rank + place),
            (0, place),
            xytext=(-4, 0),
            textcoords="offset points",
            ha="right",
            va="center",
            size=8,
            color=QUIET,
            annotation_clip=False,
            in_layout=False,
        )


def _written(word: str) -> str:
    """Return a word as it fits beside its bar; one in a script without a font says so."""
    if not can_be_drawn(word):
        return "(no font for it)"
    return word if len(word) <= _LONGEST_WORD else f"{word[: _LONGEST_WORD - 1]}…"
