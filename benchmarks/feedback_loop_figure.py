"""The figure and the table of ``feedback_loop``.

What belongs here: running it over several seeds, drawing and printing. What does not: the
simulation. Run ``python -m benchmarks.feedback_loop_figure --help`` in the repository.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click
import numpy as np
from numpy.typing import NDArray

from benchmarks.feedback_loop import Loop, Measures, NaiveLoop, OurLoop, simulate
from benchmarks.feedback_world import Plan, Visitors, World, deal
from benchmarks.planted_labels import read_pictures
from reds_pipeline.drawing import INK, PALETTE, new_figure, png, quiet_axes
from reds_pipeline.modeling.heads import HeadParameters
from reds_pipeline.settings import load_settings

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_NAIVE, _OURS = "naive", "REDS"
LOOPS: Mapping[str, Callable[[World], Loop]] = {
    _NAIVE: lambda world: NaiveLoop(world, HeadParameters()),
    _OURS: lambda world: OurLoop(world, HeadParameters(), load_settings()),
}

Curves = Mapping[str, Sequence[Sequence[Measures]]]
"""For each loop, for each seed, what was measured after each round."""


def run(features: NDArray[np.float32], names: NDArray[np.str_], eager: float, seeds: int) -> Curves:
    """Run both loops over several worlds; the unknown and the popular class take turns."""
    classes = np.unique(names).tolist()
    curves: dict[str, list[list[Measures]]] = {name: [] for name in LOOPS}
    for seed in range(seeds):
        unknown, popular = classes[seed % len(classes)], classes[(seed + 1) % len(classes)]
        world = deal(features, names, unknown, Plan(), seed)
        for name, loop in LOOPS.items():
            curves[name].append(simulate(world, loop(world), Visitors(eager, popular)))
    return curves


def mean_and_half_width(
    curves: Sequence[Sequence[Measures]], measure: str
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return the mean over seeds after each round, and half of its 95 % interval (Student's t)."""
    return _with_interval(_values(curves, measure))


def _values(curves: Sequence[Sequence[Measures]], measure: str) -> NDArray[np.float64]:
    """Return (seeds, rounds)."""
    return np.array([[getattr(each, measure) for each in curve] for curve in curves], float)


def _with_interval(
    values: NDArray[np.float64],
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    from scipy.stats import t

    error = values.std(axis=0, ddof=1) / np.sqrt(len(values))
    return values.mean(axis=0), t.ppf(0.975, len(values) - 1) * error


def draw(curves: Curves, title: str) -> bytes:
    """Draw how right the models are, and how sure of what they do not know."""
    from matplotlib.ticker import MultipleLocator

    figure = new_figure(9.6, 4.3)
    figure.suptitle(title, color=INK, size=11)
    left, right = figure.subplots(1, 2)
    for number, (name, of_seeds) in enumerate(curves.items()):
        for axes, measure in ((left, "accuracy"), (right, "sure_of_unknown")):
            _curve(axes, of_seeds, measure, number=number, label=name)
    left.set_ylabel("photos of known classes answered rightly", color=INK, size=9)
    right.set_ylabel("photos of an unknown class it is sure of", color=INK, size=9)
    for axes in (left, right):
        axes.set_xlabel("retrainings", color=INK, size=9)
        axes.set_xticks(range(0, 21, 5))
        axes.yaxis.set_major_formatter("{x:.0%}")
        quiet_axes(axes, grid="y")
    left.legend(frameon=False, fontsize=9, loc="lower left")
    left.yaxis.set_major_locator(MultipleLocator(0.05))
    left.set_ylim(top=1.002)
    right.set_ylim(-0.02, 1.02)
    return png(figure)


def _curve(
    axes: Axes,
    of_seeds: Sequence[Sequence[Measures]],
    measure: str,
    *,
    number: int,
    label: str,
) -> None:
    """Draw the mean with its interval at every fifth retraining, and each seed as a thin line."""
    colour, marker = (PALETTE[3], "s") if number == 0 else (PALETTE[0], "o")
    mean, half = mean_and_half_width(of_seeds, measure)
    rounds = np.arange(len(mean))
    for curve in of_seeds:
        values = [getattr(each, measure) for each in curve]
        axes.plot(rounds, values, color=colour, linewidth=0.7, alpha=0.35)
    axes.plot(rounds, mean, color=colour, linewidth=2.2, label=label)
    fifth = rounds[::5]
    # A share lies between 0 and 1, whatever the formula says of a few seeds.
    below, above = np.minimum(half, mean)[fifth], np.minimum(half, 1 - mean)[fifth]
    axes.errorbar(
        fifth + 0.2 * number,
        mean[fifth],
        [below, above],
        fmt=marker,
        color=colour,
        markersize=5,
        capsize=3,
    )


def _shown(curves: Sequence[Sequence[Measures]], measure: str, after: int) -> str:
    mean, half = mean_and_half_width(curves, measure)
    return f"{100 * mean[after]:.1f} ± {100 * half[after]:.1f}"


def _paired(curves: Curves, measure: str) -> str:
    """Return what REDS has more than the naive loop in the end, seed by seed, in points."""
    more = _values(curves[_OURS], measure)[:, -1] - _values(curves[_NAIVE], measure)[:, -1]
    mean, half = _with_interval(more)
    return (
        f"{100 * mean:+.1f} ± {100 * half:.1f} points "
        f"({100 * more.min():+.1f} to {100 * more.max():+.1f})"
    )


@click.command()
@click.option("--photos", type=click.Path(exists=True, path_type=Path), required=True)
@click.option("--weights", type=click.Path(exists=True, path_type=Path))
@click.option("--backbone", default="mobilenetv2_100", show_default=True)
@click.option("--eager", "shares", multiple=True, type=float, default=(0.0, 0.25, 0.5, 0.75))
@click.option("--seeds", type=click.IntRange(min=2), default=10, show_default=True)
@click.option("--figure", type=click.Path(dir_okay=False, path_type=Path), help="Of the last one.")
def main(
    *,
    photos: Path,
    weights: Path | None,
    backbone: str,
    shares: tuple[float, ...],
    seeds: int,
    figure: Path | None,
) -> None:
    """Print, for each share of eager visitors, what becomes of both loops."""
    pictures, _ = read_pictures(photos, weights, backbone)
    differences = []
    click.echo(
        "| eager | loop | right before | right after | its folds say after | sure of unknown "
        "before | after | learnt of those given | promotions |"
    )
    click.echo("|---|---|---|---|---|---|---|---|---|")
    for eager in shares:
        curves = run(pictures.features, pictures.names, eager, seeds)
        for name, of_seeds in curves.items():
            # The first model replaces none.
            promotions = np.mean([sum(each.promoted for each in curve[1:]) for curve in of_seeds])
            learnt = np.mean([curve[-1].learnt for curve in of_seeds])
            columns = [
                f"{eager:.0%}",
                name,
                _shown(of_seeds, "accuracy", 0),
                _shown(of_seeds, "accuracy", -1),
                _shown(of_seeds, "believed", -1),
                _shown(of_seeds, "sure_of_unknown", 0),
                _shown(of_seeds, "sure_of_unknown", -1),
                f"{learnt:.0f}",
                f"{promotions:.1f}",
            ]
            click.echo(f"| {' | '.join(columns)} |")
        differences.append(
            f"{eager:.0%} eager: on the same photographs REDS is right on "
            f"{_paired(curves, 'accuracy')} more than naive, and sure of an unknown class on "
            f"{_paired(curves, 'sure_of_unknown')} more."
        )
    click.echo("\n" + "\n".join(differences))
    if figure is not None:
        title = (
            f"{100 * shares[-1]:.0f} % of visitors accept without looking: {seeds} seeds (thin), "
            "their mean and its 95 % interval"
        )
        figure.write_bytes(draw(curves, title))


if __name__ == "__main__":
    main()
