"""Twenty retrainings with people who accept suggestions too eagerly: two ways to learn from them.

What belongs here: the naive loop, REDS's own, and the simulation. What does not: the page and its
visitors (``feedback_world.py``), drawing (``feedback_loop_figure.py``), or the rules themselves,
which are the project's own: what a photo is learnt as, share, weight, folds, frozen test and
promotion (R-IMP-6).
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np

from benchmarks.feedback_world import Given, Model, Rows, Visitors, World, give
from reds_pipeline.feedback.contributions import ContributedTag
from reds_pipeline.feedback.curation import FeedbackRules, judge_contributed
from reds_pipeline.feedback.labels import contributed_label
from reds_pipeline.imaging.duplicates import CopyPairs
from reds_pipeline.label_origins import SUGGESTED, contributed_origin, label_origins
from reds_pipeline.modeling.comparison import compare_predictions
from reds_pipeline.modeling.experiment import run_experiment
from reds_pipeline.modeling.heads import HeadParameters
from reds_pipeline.modeling.promotion import decide
from reds_pipeline.modeling.promotion_evidence import (
    LEAST_TEST_PICTURES,
    Challenger,
    ClassResult,
    Measured,
    PromotionRule,
    Rival,
    SharedTest,
)
from reds_pipeline.modeling.splits import make_split
from reds_pipeline.modeling.training_only import TrainingOnly
from reds_pipeline.review.decisions import DecisionBook
from reds_pipeline.settings import Settings

Row = dict[str, Any]

_TEST_SHARE = 0.25
"""Of the authors' posts: so many that the frozen test decides from the first round on."""


@dataclass(frozen=True)
class Measures:
    """What can be said of the model that serves after one round.

    Attributes:
        accuracy: Share of the judging photographs that it calls right.
        believed: What its own training says: the mean accuracy of its folds.
        sure_of_unknown: Share of the photographs of an unknown class of which it is sure.
        learnt: Given photos that it learnt from.
        promoted: Whether it is new in this round.
    """

    accuracy: float
    believed: float
    sure_of_unknown: float
    learnt: int
    promoted: bool


class Loop(Protocol):
    """A way to learn from what visitors give."""

    @property
    def model(self) -> Model:
        """The one that serves."""
        ...

    def retrain(self, posts: Rows, given: Sequence[Given]) -> bool:
        """Learn from all posts and all given photos so far; say whether another model serves."""
        ...


class NaiveLoop:
    """Learns every given photo like a post, measures itself on the mixture, always serves.

    Args:
        world: The photographs.
        parameters: Of the head.
    """

    model: Model

    def __init__(self, world: World, parameters: HeadParameters) -> None:
        self._world = world
        self._parameters = parameters

    def retrain(self, posts: Rows, given: Sequence[Given]) -> bool:
        """See ``Loop``."""
        world = self._world
        known = [each for each in given if each.tag in world.classes]
        rows = np.concatenate([posts, np.array([each.row for each in known], np.int64)])
        labels = [*world.truth[posts].tolist(), *(each.tag for each in known)]
        groups = [_key(row) for row in rows]
        split = make_split(labels, groups, protocol="grouped", seed=0, test_fraction=_TEST_SHARE)
        experiment = run_experiment(world.features[rows], labels, groups, split, self._parameters)
        self.model = Model(experiment, frozenset(rows[split.training].tolist()), rows[split.test])
        return True


class OurLoop:
    """Learns as REDS does where nobody reviews what was given: its weakest setting.

    Args:
        world: The photographs.
        parameters: Of the head.
        settings: Share and weight of what was given, and what a promotion needs.

    Attributes:
        contributed: Rows of the table ``contributed_dataset``, as of the last retraining.
        frozen: Posts that were ever held out.
    """

    model: Model

    def __init__(self, world: World, parameters: HeadParameters, settings: Settings) -> None:
        self.contributed: list[Row] = []
        self.frozen: set[int] = set()
        self._world = world
        self._parameters = parameters
        self._feedback = FeedbackRules(
            needs_review=False,
            share=settings.feedback_share,
            suggested_weight=settings.suggested_label_weight,
            perceptual_radius=settings.perceptual_radius,
        )
        self._promotion = PromotionRule(
            margin=settings.promotion_margin,
            class_loss=settings.promotion_class_loss,
            suggested_labels_limit=settings.suggested_labels_limit,
        )
        self._posts: set[int] = set()

    def retrain(self, posts: Rows, given: Sequence[Given]) -> bool:
        """See ``Loop``."""
        world, is_first = self._world, not self._posts
        labels, groups = world.truth[posts].tolist(), [_key(row) for row in posts]
        split = make_split(
            labels,
            groups,
            protocol="grouped",
            seed=0,
            test_fraction=_TEST_SHARE,
            held_out=None if is_first else np.isin(posts, list(self.frozen)),
            fresh=None if is_first else ~np.isin(posts, list(self._posts)),
        )
        self.frozen |= set(posts[split.test].tolist())
        self._posts |= set(posts.tolist())
        curated = [_post_row(row, label) for row, label in zip(posts, labels, strict=True)]
        self.contributed = judge_contributed(
            [_given_row(each, number, world.classes) for number, each in enumerate(given)],
            curated,
            curated,
            DecisionBook({}, str),
            classes=world.classes,
            copies=CopyPairs(),
            rules=self._feedback,
        )
        learnt = [row for row in self.contributed if row["kept"]]
        rows = np.array([int(row["contribution_id"]) for row in learnt], np.int64)
        only_trained = TrainingOnly(
            world.features[rows],
            [row["class_name"] for row in learnt],
            [row["group"] for row in learnt],
            np.array([row["sample_weight"] for row in learnt], np.float64),
        )
        experiment = run_experiment(
            world.features[posts],
            labels,
            groups,
            split,
            self._parameters,
            only_trained=only_trained if learnt else None,
        )
        trained = frozenset([*posts[split.training].tolist(), *rows.tolist()])
        challenger = Model(experiment, trained, posts[split.test])
        origins = label_origins([*curated, *learnt], {}, also=contributed_origin)
        if not is_first and not self._serves(challenger, origins.share(SUGGESTED)):
            return False
        self.model = challenger
        return True

    def _serves(self, challenger: Model, suggested_share: float) -> bool:
        """Ask the rule of promotion."""
        champion = self.model
        test = np.array([row for row in challenger.test if row not in champion.learnt], np.int64)
        shared = None if len(test) < LEAST_TEST_PICTURES else self._shared(challenger, test)
        rival = Rival(
            name="the champion",
            measured=_measured(champion),
            shared_test=shared,
            no_shared_test="" if shared else f"only {len(test)} test pictures are new to both",
        )
        return decide(
            Challenger(_measured(challenger), suggested_share), rival, self._promotion
        ).promote

    def _shared(self, challenger: Model, test: Rows) -> SharedTest:
        truth = self._world.truth[test]
        ours, theirs = (
            model.answers(self._world.features[test]) == truth for model in (challenger, self.model)
        )
        paired = compare_predictions(
            "challenger", ours, "champion", theirs, [_key(row) for row in test]
        )
        by_class = tuple(
            ClassResult(
                str(name),
                int((truth == name).sum()),
                int(ours[truth == name].sum()),
                int(theirs[truth == name].sum()),
            )
            for name in np.unique(truth)
        )
        return SharedTest(by_class, paired.low, paired.high, paired.mcnemar_p)


def simulate(world: World, loop: Loop, visitors: Visitors) -> list[Measures]:
    """Let visitors give photos and a loop learn from them, round after round.

    What a visitor does with a photo depends on what is suggested, never on the loop.

    Args:
        world: The photographs.
        loop: A new one.
        visitors: Of the page.

    Returns:
        One after the first training, before anybody gave anything, and one after each retraining.
    """
    posts = world.posts[0]
    loop.retrain(posts, [])
    measured = [_measures(world, loop.model, 0, promoted=True)]
    given: list[Given] = []
    for number, rows in enumerate(world.given, start=1):
        # The same throw of the dice for the same photo, whatever was suggested.
        generator = np.random.default_rng((world.seed, number))
        given += give(world, loop.model, rows, visitors, generator)
        posts = np.concatenate([posts, world.posts[number]])
        promoted = loop.retrain(posts, given)
        learnt = len(loop.model.learnt & {each.row for each in given})
        measured.append(_measures(world, loop.model, learnt, promoted=promoted))
    return measured


def _measures(world: World, model: Model, learnt: int, *, promoted: bool) -> Measures:
    right = model.answers(world.features[world.judging]) == world.truth[world.judging]
    return Measures(
        accuracy=float(right.mean()),
        believed=model.experiment.folds.mean,
        sure_of_unknown=float(model.sure(world.features[world.unknown]).mean()),
        learnt=learnt,
        promoted=promoted,
    )


def _measured(model: Model) -> Measured:
    folds = model.experiment.folds
    return Measured(
        backbone="the same", cv_mean=folds.mean, cv_variance=folds.var_ddof0, dataset_digest=""
    )


def _key(row: int) -> str:
    """Return what stands for the SHA-256 of a photograph, and for its author, who has one."""
    return hashlib.sha256(str(int(row)).encode()).hexdigest()


def _picture(row: int) -> Row:
    # No two of the photographs are alike, and no two of these are.
    key = _key(row)
    return {"sha256": key, "perceptual_hash": key[:16], "mirrored_hash": key[16:32]}


def _post_row(row: int, label: str) -> Row:
    return {
        **_picture(row),
        "class_name": label,
        "group": _key(row),
        "decision": "",
        "kept": True,
    }


def _given_row(given: Given, number: int, classes: Iterable[str]) -> Row:
    """Return the row of the table ``contributed_images`` about a given photo."""
    tag = ContributedTag(given.tag, "accepted" if given.accepted else "added")
    label = contributed_label([tag], (), lambda name: [each for each in classes if each == name])
    return {
        **_picture(given.row),
        "contribution_id": str(given.row),
        "extension": "jpg",
        "created_at": f"{number:06}",
        "width": 0,
        "height": 0,
        "flags": [],
        "class_name": label.class_name,
        "origin": label.origin,
        "drop_reason": label.reason,
    }
