"""The figure of the classes with everything that is a kind of them (R-CLS-9).

What belongs here: drawing what ``class_graph.py`` laid out. What does not: the graph itself.

Each class stands in the middle of a circle and its kinds around it, in rings. Hundreds of names
cannot all be read, so the largest parts are named, then as many others as there is room for; the
tables beside the figure hold every name.
"""

from __future__ import annotations

import math
import textwrap
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np

from reds_pipeline.drawing import INK, PALETTE, QUIET, ink_on, new_figure, png
from reds_pipeline.lexicon.class_graph import (
    ClassGraph,
    GraphNode,
    Place,
    branches,
    leaf_counts,
    places,
)

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_PANEL_INCHES = 5.0
_COLUMNS = 3
# The circle has radius 1; names stand outside it.
_HALF_WIDTH = 1.95
_RING = 1.05
_MOST_PARTS = 40
_NAME_POINTS = 6.5
_LONGEST_NAME = 24
_LETTERS_OF_A_PANEL = 66
# Radians between the middles of two names, so that their lines do not touch.
_ROOM = 1.2 * _NAME_POINTS / 72 / (_RING * _PANEL_INCHES / 2 / _HALF_WIDTH)


def class_graph_figure(graph: ClassGraph, title: str) -> bytes:
    """Draw the groups side by side; ties between two groups are drawn in red, if there are any.

    Args:
        graph: At least one group.
        title: Printed above.
    """
    names = graph.class_names
    columns = min(_COLUMNS, max(len(names), 1))
    rows = max(-(-len(names) // columns), 1)
    figure = new_figure(_PANEL_INCHES * columns, _PANEL_INCHES * rows + 1.0)
    figure.suptitle(title, color=INK, size=15)
    explanation = textwrap.fill(_explanation(graph), _LETTERS_OF_A_PANEL * columns)
    figure.supxlabel(explanation, color=QUIET, size=10)
    panels = np.ravel(figure.subplots(rows, columns))
    for axes in panels:
        axes.set_axis_off()
        axes.set_aspect("equal")
        axes.set_xlim(-_HALF_WIDTH, _HALF_WIDTH)
        axes.set_ylim(-_HALF_WIDTH, _HALF_WIDTH)
    for number, (name, axes) in enumerate(zip(names, panels, strict=False)):
        _draw_group(axes, graph, name, PALETTE[number % len(PALETTE)])
    return png(figure)


def _draw_group(axes: Axes, graph: ClassGraph, class_name: str, colour: str) -> None:
    from matplotlib.collections import LineCollection

    group = graph.group(class_name)
    where = places(group)
    deepest = max(1, *(node.depth for node in group))
    leaves = {node.synset for node in group} - {node.parent for node in group}
    # What has no kinds of its own stands on the rim, next to its name.
    points = {
        synset: _on_circle(place.angle, 1 if synset in leaves else place.depth / deepest)
        for synset, place in where.items()
    }
    own = {edge.kind for edge in graph.bridges if edge.class_name == class_name}
    lines = [
        (points[edge.synset], points[edge.kind], edge.kind in own)
        for edge in graph.edges
        if edge.class_name == class_name
    ]
    axes.add_collection(
        LineCollection(
            [(start, end) for start, end, _ in lines],
            colors=["#CC0000" if bridge else colour for _, _, bridge in lines],
            linewidths=0.5 if len(group) > 120 else 0.8,
            alpha=0.45,
        )
    )
    across, up = zip(*points.values(), strict=True)
    size = 5 if len(group) > 400 else 8 if len(group) > 120 else 16
    axes.scatter(across, up, s=size, color=colour, linewidths=0, zorder=3)
    axes.text(
        0,
        0,
        class_name,
        ha="center",
        va="center",
        size=12,
        weight="bold",
        color=ink_on(colour),
        zorder=5,
        parse_math=False,
        bbox={"boxstyle": "round,pad=0.35", "facecolor": colour, "edgecolor": "none"},
    )
    kinds = len(group) - 1
    named = _name_kinds(axes, group, where, colour) if kinds else 0
    shared = f", {len(own)} of them in another class too" if own else ""
    axes.set_title(f"{kinds} kinds{shared}, {named} named", color=QUIET, size=10, y=0.985)


def _name_kinds(
    axes: Axes, group: Sequence[GraphNode], where: Mapping[str, Place], colour: str
) -> int:
    """Write names around the circle as long as there is room; returns how many found it.

    The largest parts come first, in bold and with an arc over what they include.
    """
    from matplotlib.collections import LineCollection

    leaves, names = leaf_counts(group), {node.synset: node.name for node in group}
    parts = branches(group, _MOST_PARTS)
    above = {node.synset: node.parent for node in group}
    rest = [
        node.synset
        for node in group
        if leaves[node.synset] == 1 and node.synset not in set(above.values())
    ]
    taken: list[float] = []
    arcs = []
    for synset in [*parts, *rest]:
        place = where[synset]
        is_part = synset in above.values()
        if is_part and leaves[synset] > 1:
            half = place.width / 2 - min(0.008, place.width / 6)
            angles = np.linspace(place.angle - half, place.angle + half, 24)
            arcs.append(np.column_stack([np.cos(angles), np.sin(angles)]) * _RING)
        if all(_apart(place.angle, other) >= _ROOM for other in taken):
            taken.append(place.angle)
            _write_outwards(axes, place.angle, names[synset], bold=is_part)
    axes.add_collection(LineCollection(arcs, colors=colour, linewidths=2.2, alpha=0.6))
    return len(taken)


def _write_outwards(axes: Axes, angle: float, name: str, *, bold: bool) -> None:
    to_the_left = math.pi / 2 < angle % (2 * math.pi) < 3 * math.pi / 2
    across, up = _on_circle(angle, _RING + 0.05)
    axes.text(
        across,
        up,
        name if len(name) <= _LONGEST_NAME else f"{name[: _LONGEST_NAME - 1]}…",
        rotation=math.degrees(angle) + (180 if to_the_left else 0),
        rotation_mode="anchor",
        ha="right" if to_the_left else "left",
        va="center",
        size=_NAME_POINTS,
        weight="bold" if bold else "normal",
        color=INK if bold else QUIET,
        parse_math=False,
        # The axes leave room for names; to measure hundreds of them would take seconds.
        in_layout=False,
    )


def _explanation(graph: ClassGraph) -> str:
    ties = (
        f"{len(graph.bridges)} lines, drawn in red, lead into another class."
        if graph.bridges
        else "No line leads from one class to another."
    )
    return (
        "A dot is a sense in WordNet, and lines lead from a sense to its kinds; an arc spans what "
        f"the name in bold includes. {ties}"
    )


def _on_circle(angle: float, radius: float) -> tuple[float, float]:
    return radius * math.cos(angle), radius * math.sin(angle)


def _apart(one: float, other: float) -> float:
    """Return the angle between two directions, 0 to pi."""
    return abs((one - other + math.pi) % (2 * math.pi) - math.pi)
