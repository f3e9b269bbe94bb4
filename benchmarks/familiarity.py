"""Which measure tells photographs of an unknown class from those of the known ones best.

What belongs here: the measures that were considered, and their comparison. What does not: the one
that was chosen (``reds_pipeline.modeling.familiarity``), or what it does to the words
(``likelihoods``). Run ``python -m benchmarks.familiarity --help`` in the repository.

One class after the other is left out. A measure is fitted on the training photographs of the
others, its line drawn out of fold so that 95 % of them are familiar, and then the test photographs
of the known classes and all of the unknown one are asked about.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path

import click
import numpy as np
from numpy.typing import NDArray

from benchmarks.planted_labels import Pictures, read_pictures
from reds_pipeline.modeling.familiarity import familiar_limit, fit_means
from reds_pipeline.modeling.heads import HeadParameters, decision_values, fit_head
from reds_pipeline.modeling.intervals import wilson_interval
from reds_pipeline.modeling.splits import make_split

_NEIGHBOURS = 10
_RANK = 32
_LEAST_VARIANCE = 1e-12

Features = NDArray[np.float32]
Names = NDArray[np.str_]
Scores = NDArray[np.float64]
Score = Callable[[Features], Scores]
Measure = Callable[[Features, Names], Score]


def class_means(features: Features, names: Names) -> Score:
    """Cosine to the nearest class mean, as REDS has it."""
    return fit_means(features, names).similarity


def nearest_neighbours(features: Features, names: Names) -> Score:
    """Cosine to the tenth nearest training picture (Sun and others, ICML 2022)."""
    del names
    known = _unit(features)
    return lambda asked: np.sort(_unit(asked) @ known.T, axis=1)[:, -_NEIGHBOURS]


def mahalanobis(features: Features, names: Names, *, is_relative: bool) -> Score:
    """Distance to the nearest class mean, with one covariance for all classes.

    The covariance keeps its 32 largest directions and one variance for the others. On unit vectors,
    as by Mueller and Hein ("Mahalanobis++", ICML 2025); the distance is by Lee and others (NeurIPS
    2018), relative to that from the mean of all by Ren and others (2021).
    """
    known = _unit(features)
    classes, codes = np.unique(names, return_inverse=True)
    means = np.stack([known[codes == code].mean(axis=0) for code in range(len(classes))])
    within = _spread(known - means[codes])
    overall = known.mean(axis=0)
    all_together = _spread(known - overall)

    def score(asked: Features) -> Scores:
        points = _unit(asked)
        nearest = np.min([_distance(points - mean, within) for mean in means], axis=0)
        background = _distance(points - overall, all_together) if is_relative else 0
        return np.asarray(background - nearest)

    return score


def highest_value(features: Features, names: Names) -> Score:
    """Return the largest decision value of the head, which orders as its highest chance does."""
    head = fit_head(features, names.tolist(), HeadParameters())
    return lambda asked: decision_values(head.pipeline, asked).max(axis=1)


def highest_chance(features: Features, names: Names) -> Score:
    """Return the lead of the likeliest class before the others, as a softmax sees it."""
    head = fit_head(features, names.tolist(), HeadParameters())

    def score(asked: Features) -> Scores:
        values = decision_values(head.pipeline, asked)
        highest = values.max(axis=1, keepdims=True)
        return np.asarray(-np.log(np.exp(values - highest).sum(axis=1)))

    return score


MEASURES: Mapping[str, Measure] = {
    "nearest class mean (REDS)": class_means,
    "tenth nearest neighbour, which keeps every embedding": nearest_neighbours,
    "Mahalanobis": partial(mahalanobis, is_relative=False),
    "relative Mahalanobis": partial(mahalanobis, is_relative=True),
    "largest decision value": highest_value,
    "highest chance": highest_chance,
}


def compare(
    pictures: Pictures, measure: Measure, seed: int
) -> tuple[float, list[bool], list[bool]]:
    """Return how well a measure tells unknown classes.

    Returns:
        (area under the ROC curve, mean over the classes left out; whether each test photograph of
        known classes is called unfamiliar; whether each of an unknown class is).
    """
    from sklearn.metrics import roc_auc_score

    areas, known_found, unknown_found = [], [], []
    for name in pictures.classes:
        known = pictures.names != name
        features, names = pictures.features[known], pictures.names[known]
        keys = pictures.keys[known].tolist()
        split = make_split(names.tolist(), keys, protocol="grouped", seed=seed)
        out_of_fold = np.concatenate(
            [
                _fitted(measure, features, names, split.training & (split.fold != fold))(
                    features[split.fold == fold]
                )
                for fold in range(split.folds)
            ]
        )
        limit = familiar_limit(out_of_fold, lowest=-np.inf)
        final = _fitted(measure, features, names, split.training)
        tested, unknown = final(features[split.test]), final(pictures.features[~known])
        truth = np.repeat([1, 0], [len(tested), len(unknown)])
        areas.append(float(roc_auc_score(truth, np.concatenate([tested, unknown]))))
        known_found += (tested < limit).tolist()
        unknown_found += (unknown < limit).tolist()
    return float(np.mean(areas)), known_found, unknown_found


def _fitted(measure: Measure, features: Features, names: Names, rows: NDArray[np.bool_]) -> Score:
    return measure(features[rows], names[rows])


def _unit(features: Features) -> Scores:
    vectors = features.astype(np.float64)
    return np.asarray(vectors / np.maximum(np.linalg.norm(vectors, axis=1, keepdims=True), 1e-12))


def _spread(residuals: Scores) -> tuple[Scores, Scores, float]:
    """Return the largest directions (r, d), their variances, and that of every other direction."""
    from sklearn.utils.extmath import randomized_svd

    count, dimension = residuals.shape
    _, values, directions = randomized_svd(residuals, _RANK, random_state=0)
    variances = values**2 / count
    rest = ((residuals**2).sum() / count - variances.sum()) / (dimension - _RANK)
    return directions, variances, max(float(rest), _LEAST_VARIANCE)


def _distance(residuals: Scores, spread: tuple[Scores, Scores, float]) -> Scores:
    directions, variances, rest = spread
    along = residuals @ directions.T
    others = (residuals**2).sum(axis=1) - (along**2).sum(axis=1)
    return np.asarray((along**2 / variances).sum(axis=1) + others / rest)


def _share(found: list[bool]) -> str:
    low, high = wilson_interval(sum(found), len(found))
    return f"{np.mean(found):.3f} ({low:.3f} to {high:.3f})"


@click.command()
@click.option("--photos", type=click.Path(exists=True, path_type=Path), required=True)
@click.option("--weights", type=click.Path(exists=True, path_type=Path))
@click.option("--backbone", "backbones", multiple=True, default=("mobilenetv2_100", "tiny"))
@click.option("--seed", default=0, show_default=True)
def main(photos: Path, weights: Path | None, backbones: tuple[str, ...], seed: int) -> None:
    """Print how well each measure tells unknown classes among ``PHOTOS/<class>/<file>``."""
    click.echo("| features | measure | AUROC | known, unfamiliar | unknown, unfamiliar |")
    click.echo("|---|---|---|---|---|")
    for backbone in backbones:
        pictures, _ = read_pictures(photos, weights, backbone)
        for name, measure in MEASURES.items():
            area, known, unknown = compare(pictures, measure, seed)
            shares = f"{_share(known)} | {_share(unknown)}"
            click.echo(f"| {backbone} | {name} | {area:.3f} | {shares} |")


if __name__ == "__main__":
    main()
