"""How often "likely", "maybe" and "unlikely" are right on photographs that nothing has seen.

What belongs here: the counts and their table. What does not: the rule
(``reds_pipeline.tagging.likelihood``). Run ``python -m benchmarks.likelihoods --help`` in the
repository.

Every photograph is held out once, in six parts: the head, its C, its temperature and its threshold
come from the other five. Photographs of a class that the model does not know are asked about as
well, one class after the other; every answer to them is wrong. Both are counted as if the model
could not tell what is familiar, and as it does.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import click
import numpy as np
from numpy.typing import NDArray

from benchmarks.planted_labels import Pictures, read_pictures
from reds_pipeline.modeling.calibration import probabilities
from reds_pipeline.modeling.experiment import Experiment, run_experiment
from reds_pipeline.modeling.heads import HeadParameters, decision_values
from reds_pipeline.modeling.intervals import wilson_interval
from reds_pipeline.modeling.splits import make_split
from reds_pipeline.tagging.likelihood import likelihoods
from reds_pipeline.tagging.recommendation import Likelihood

_FOLDS = 5
_WORDS: tuple[Likelihood, ...] = ("likely", "maybe", "unlikely")

Chances = NDArray[np.float64]


@dataclass
class Counts:
    """What was said of photographs.

    Attributes:
        photographs: How many were asked about.
        familiar: How many of them were not called unlike what the model learnt from.
        said: How often each word was said of a class.
        right: How often the class was the true one.
        found: Photographs whose true class is likely or maybe.
        first: Photographs by the word of their likeliest class.
    """

    photographs: int = 0
    familiar: int = 0
    said: Counter[str] = field(default_factory=Counter)
    right: Counter[str] = field(default_factory=Counter)
    found: int = 0
    first: Counter[str] = field(default_factory=Counter)

    def add(
        self, chances: Chances, threshold: float, truth: list[bool], *, is_familiar: bool | None
    ) -> None:
        """Count one photograph; ``truth`` says of each class whether it is the true one."""
        thresholds = np.full(len(chances), threshold)
        words = likelihoods("classes", chances, thresholds, is_familiar=is_familiar)
        self.photographs += 1
        self.familiar += is_familiar is not False
        self.first[words[int(chances.argmax())]] += 1
        for word, is_true in zip(words, truth, strict=True):
            self.said[word] += 1
            self.right[word] += is_true
            self.found += is_true and word != "unlikely"


def held_out(pictures: Pictures, seed: int) -> tuple[Counts, Counts]:
    """Return what is said of every photograph while it is held out.

    Returns:
        (by a model that cannot tell what is familiar, by one that can).
    """
    without, counts = Counts(), Counts()
    for experiment, test in _experiments(pictures, seed):
        asked = zip(
            experiment.test_chances, pictures.names[test], experiment.test_familiar, strict=True
        )
        for chances, name, is_familiar in asked:
            truth = [known == name for known in experiment.folds.classes]
            without.add(chances, experiment.threshold, truth, is_familiar=None)
            counts.add(chances, experiment.threshold, truth, is_familiar=bool(is_familiar))
    return without, counts


def of_unknown_classes(pictures: Pictures, seed: int) -> tuple[Counts, Counts]:
    """Return what is said of photographs of classes that the model does not know.

    Returns:
        As `held_out` does.
    """
    without, counts = Counts(), Counts()
    for name in pictures.classes:
        known = pictures.names != name
        rest = Pictures(pictures.features[known], pictures.names[known], pictures.keys[known])
        experiment, _ = next(_experiments(rest, seed))
        values = decision_values(experiment.final.head.pipeline, pictures.features[~known])
        familiar = experiment.familiarity.is_familiar(pictures.features[~known])
        asked = zip(probabilities(values, experiment.temperature), familiar, strict=True)
        for chances, is_familiar in asked:
            truth = [False] * len(chances)
            without.add(chances, experiment.threshold, truth, is_familiar=None)
            counts.add(chances, experiment.threshold, truth, is_familiar=bool(is_familiar))
    return without, counts


def _experiments(pictures: Pictures, seed: int) -> Iterator[tuple[Experiment, NDArray[np.bool_]]]:
    names, groups = pictures.names.tolist(), pictures.keys.tolist()
    parts = make_split(names, groups, protocol="grouped", seed=seed, folds=_FOLDS)
    # The test part of that split is one more part, so that every photograph is held out once.
    for part in (-1, *range(_FOLDS)):
        test = parts.fold == part
        split = make_split(names, groups, protocol="grouped", seed=seed, held_out=test)
        parameters = HeadParameters(seed=seed)
        yield run_experiment(pictures.features, names, groups, split, parameters), split.test


def _table(name: str, counts: Counts) -> list[str]:
    rows = []
    for word in _WORDS:
        said, right = counts.said[word], counts.right[word]
        share = "-"
        if said:
            low, high = wilson_interval(right, said)
            share = f"{right / said:.3f} ({low:.3f} to {high:.3f})"
        first = counts.first[word] / counts.photographs
        rows.append(f"| {name} | {word} | {said} | {share} | {first:.3f} |")
    return rows


@click.command()
@click.option("--photos", type=click.Path(exists=True, path_type=Path), required=True)
@click.option("--weights", type=click.Path(exists=True, path_type=Path))
@click.option("--backbone", "backbones", multiple=True, default=("mobilenetv2_100", "tiny"))
@click.option("--seed", default=0, show_default=True)
def main(photos: Path, weights: Path | None, backbones: tuple[str, ...], seed: int) -> None:
    """Print what the words mean on photographs in ``PHOTOS/<class>/<file>``."""
    click.echo("| model | word | classes it was said of | of them right | of likeliest classes |")
    click.echo("|---|---|---|---|---|")
    for backbone in backbones:
        pictures, _ = read_pictures(photos, weights, backbone)
        without, known = held_out(pictures, seed)
        unknown_without, unknown = of_unknown_classes(pictures, seed)
        lines = _table(f"{backbone}, before", without) + _table(backbone, known)
        lines += _table(f"{backbone}, unknown class, before", unknown_without)
        lines += _table(f"{backbone}, unknown class", unknown)
        click.echo("\n".join(lines))
        for name, counts in (("known", known), ("unknown", unknown)):
            found = counts.photographs - counts.familiar
            low, high = wilson_interval(found, counts.photographs)
            click.echo(
                f"{backbone}: {found} of {counts.photographs} photographs of {name} classes are "
                f"unfamiliar ({low:.3f} to {high:.3f})."
            )
        low, high = wilson_interval(known.found, known.photographs)
        click.echo(
            f"{backbone}: the true class is likely or maybe for {known.found} of "
            f"{known.photographs} photographs ({low:.3f} to {high:.3f})."
        )


if __name__ == "__main__":
    main()
