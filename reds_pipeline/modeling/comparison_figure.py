"""The figure of how much one backbone is better than others, with intervals.

What belongs here: drawing differences that others computed. What does not: computing them.
"""

from __future__ import annotations

from collections.abc import Sequence

from reds_pipeline.drawing import INK, PALETTE, QUIET, new_figure, png, quiet_axes
from reds_pipeline.modeling.backbone_comparison import BackbonePair
from reds_pipeline.modeling.comparison import PairedComparison

_PARTS = (("pictures of the folds", "o", 0.14), ("pictures of the test", "s", -0.14))
_POINTS = 100


def difference_figure(pairs: Sequence[BackbonePair], title: str) -> bytes:
    """Draw each pair's difference in accuracy with its 95 % interval, right of 0 when it is sure.

    Args:
        pairs: As ``compare_to_best`` gives them, from the top down.
        title: Printed above.
    """
    figure = new_figure(8.0, 1.9 + 0.75 * len(pairs))
    axes = figure.add_subplot()
    axes.set_title(title, color=INK, pad=12)
    axes.axvline(0, color=QUIET, linewidth=1)
    for colour, (label, marker, offset) in zip(PALETTE, _PARTS, strict=False):
        for position, found in _drawn(pairs, label):
            axes.errorbar(
                _POINTS * found.difference,
                position + offset,
                xerr=[
                    [_POINTS * (found.difference - found.low)],
                    [_POINTS * (found.high - found.difference)],
                ],
                fmt=marker,
                color=colour,
                capsize=3,
                markersize=6,
            )
        axes.plot([], [], marker, color=colour, label=label)
    axes.set_yticks(
        [-number for number in range(len(pairs))],
        labels=[f"{pair.first}\nless {pair.second}" for pair in pairs],
    )
    axes.set_ylim(-len(pairs) + 0.5, 0.5)
    axes.set_xlabel("points of accuracy, with 95 % intervals over whole groups")
    quiet_axes(axes, grid="x")
    figure.legend(loc="outside lower center", ncols=2, frameon=False)
    return png(figure)


def _drawn(pairs: Sequence[BackbonePair], label: str) -> list[tuple[int, PairedComparison]]:
    """Return the comparisons of one part that could be made, with their heights."""
    of_folds = label == _PARTS[0][0]
    found = [(-number, pair.unseen if of_folds else pair.test) for number, pair in enumerate(pairs)]
    return [(position, one) for position, one in found if one is not None]
