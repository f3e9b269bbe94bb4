"""A page and its visitors: who has which photograph, and what people call those that they give.

What belongs here: dealing photographs, what a model suggests, and what eager people make of it.
What does not: learning from it (``feedback_loop.py``).

Each photograph appears once: as an author's post, as a photo that a visitor gives, or among those
that judge the models and that nobody learns from. Photos of one more class, which no model knows,
are given too.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from reds_pipeline.modeling.calibration import probabilities
from reds_pipeline.modeling.experiment import Experiment
from reds_pipeline.modeling.heads import decision_values
from reds_pipeline.tagging.answering import LEAST_CHANCE
from reds_pipeline.tagging.likelihood import likelihoods

Features = NDArray[np.float32]
Names = NDArray[np.str_]
Rows = NDArray[np.int64]


@dataclass(frozen=True)
class Plan:
    """How much of everything there is.

    Attributes:
        rounds: Retrainings after the first training.
        first_posts: Authors' posts of each class before the first training.
        posts_a_round: New ones of each class before every other.
        judging: Photographs of each class, the unknown one too, that judge and are never learnt.
    """

    rounds: int = 20
    first_posts: int = 8
    posts_a_round: int = 1
    judging: int = 40


@dataclass(frozen=True)
class Visitors:
    """People on the page.

    Attributes:
        eager: Share of photos whose giver accepts a suggestion without looking: the popular class
            if it is suggested at all, otherwise the first suggestion. The others accept the right
            tag or type it.
        popular: A tag that many like to see on their photo.
    """

    eager: float
    popular: str


@dataclass(frozen=True, eq=False)
class World:
    """Who has which photograph.

    Attributes:
        features: float32 (n, d).
        truth: What each shows.
        classes: Those that are learnt.
        posts: Rows of the authors' posts, by round; the first before any retraining.
        given: Rows of the photos that visitors give, by round.
        judging: Rows that judge how often a model is right.
        unknown: Rows of a class that no model knows, that judge how sure a model is of them.
        seed: With which it was dealt.
    """

    features: Features
    truth: Names
    classes: tuple[str, ...]
    posts: tuple[Rows, ...]
    given: tuple[Rows, ...]
    judging: Rows
    unknown: Rows
    seed: int


def deal(features: Features, truth: Names, unknown: str, plan: Plan, seed: int) -> World:
    """Deal photographs to authors, visitors and judges.

    Args:
        features: float32 (n, d).
        truth: What each shows.
        unknown: A class that no author posts.
        plan: How many go where; all that are left are given, evenly over the rounds.
        seed: Of the shuffling.
    """
    generator = np.random.default_rng(seed)
    posts: list[list[int]] = [[] for _ in range(plan.rounds + 1)]
    judging: list[int] = []
    unfamiliar: list[int] = []
    left: list[int] = []
    for name in np.unique(truth):
        rows = generator.permutation(np.flatnonzero(truth == name)).tolist()
        chosen, rows = rows[: plan.judging], rows[plan.judging :]
        if name == unknown:
            unfamiliar += chosen
        else:
            judging += chosen
            for number in range(len(posts)):
                count = plan.posts_a_round if number else plan.first_posts
                posts[number] += rows[:count]
                rows = rows[count:]
        left += rows
    stream = generator.permutation(left)
    return World(
        features,
        truth,
        tuple(str(name) for name in np.unique(truth) if name != unknown),
        tuple(np.array(posted, np.int64) for posted in posts),
        tuple(np.array_split(stream, plan.rounds)),
        np.array(judging, np.int64),
        np.array(unfamiliar, np.int64),
        seed,
    )


@dataclass(frozen=True, eq=False)
class Model:
    """A trained model, as the page asks it.

    Attributes:
        experiment: What its training gave.
        learnt: Rows of everything it learnt from.
        test: Rows that its training held out.
    """

    experiment: Experiment
    learnt: frozenset[int]
    test: Rows

    @property
    def classes(self) -> tuple[str, ...]:
        """What it can say."""
        return self.experiment.folds.classes

    def chances(self, features: Features) -> NDArray[np.float64]:
        """Return float64 (n, k), calibrated."""
        values = decision_values(self.experiment.final.head.pipeline, features)
        return probabilities(values, self.experiment.temperature)

    def answers(self, features: Features) -> Names:
        """Return the likeliest class of each."""
        return np.asarray(self.classes)[self.chances(features).argmax(axis=1)]

    def sure(self, features: Features) -> NDArray[np.bool_]:
        """Return bool (n,), where the page calls the likeliest class likely."""
        thresholds = np.full(len(self.classes), self.experiment.threshold)
        familiar = self.experiment.familiarity.is_familiar(features)
        return np.array(
            [
                "likely" in likelihoods("classes", row, thresholds, is_familiar=bool(known))
                for row, known in zip(self.chances(features), familiar, strict=True)
            ]
        )

    def suggestions(self, features: Features) -> list[list[str]]:
        """Return what the page suggests for each photo, the likeliest first."""
        names = np.asarray(self.classes)
        return [
            names[order[: max(1, int((row >= LEAST_CHANCE).sum()))]].tolist()
            for row in self.chances(features)
            for order in [np.argsort(-row)]
        ]


@dataclass(frozen=True)
class Given:
    """A photo that a visitor gave.

    Attributes:
        row: Which.
        tag: What they called it.
        accepted: Whether it was suggested, or typed.
    """

    row: int
    tag: str
    accepted: bool


def give(
    world: World, model: Model, rows: Rows, visitors: Visitors, generator: np.random.Generator
) -> Iterator[Given]:
    """Yield what visitors call the photos that they give."""
    for row, suggested in zip(rows, model.suggestions(world.features[rows]), strict=True):
        tag = str(world.truth[row])
        if generator.random() < visitors.eager:
            tag = visitors.popular if visitors.popular in suggested else suggested[0]
        yield Given(int(row), tag, tag in suggested)
