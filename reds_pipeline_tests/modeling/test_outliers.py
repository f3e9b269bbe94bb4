from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from reds_pipeline.modeling.outliers import outlier_scores, unusual
from reds_pipeline_tests.modeling.clouds import clouds


def plain_scores(
    features: NDArray[np.float32], labels: list[str], groups: list[str]
) -> NDArray[np.float64]:
    """Say the same as the docstring of the module, picture by picture."""
    names, units = np.array(labels), np.array(groups)
    classes = np.unique(names)
    means = [features[names == name].mean(axis=0, dtype=np.float64) for name in classes]
    centred = features - (np.mean(means, axis=0) if len(classes) > 1 else 0.0)
    directions = centred / np.linalg.norm(centred, axis=1, keepdims=True)
    scores = []
    for direction, unit in zip(directions, units, strict=True):
        others = [directions[(names == name) & (units != unit)].sum(axis=0) for name in classes]
        cosines = [
            direction @ other / np.linalg.norm(other)
            for other, name in zip(others, classes, strict=True)
            if ((names == name) & (units != unit)).any()
        ]
        scores.append((1 - max(cosines, default=1.0)) / 2)
    return np.array(scores)


@given(
    st.lists(st.tuples(st.sampled_from("abc"), st.integers(0, 9).map(str)), max_size=40),
    st.integers(0, 99),
)
def test_scores_are_those_of_the_definition(pictures: list[tuple[str, str]], seed: int) -> None:
    """Also with one class, one group, groups of several classes, and no picture at all."""
    labels, groups = ([picture[part] for picture in pictures] for part in (0, 1))
    features = np.random.default_rng(seed).normal(size=(len(labels), 4)).astype(np.float32)
    scores = outlier_scores(features, labels, groups)
    assert np.allclose(scores, plain_scores(features, labels, groups))
    assert ((scores >= 0) & (scores <= 1)).all()


def test_blocks_do_not_change_the_scores() -> None:
    """2,400 pictures go through in blocks, and one group is larger than a block."""
    features, labels = clouds(classes=3, each=800, dimension=6)
    groups = [str(number // 3) if number > 1300 else "one author" for number in range(2400)]
    assert np.allclose(
        outlier_scores(features, labels, groups), plain_scores(features, labels, groups)
    )


@pytest.mark.parametrize("label", ["class 0", "class 2"])
def test_pictures_unlike_all_classes_stand_out(label: str) -> None:
    """Each class lies along an axis of its own, the foreign pictures along a fourth."""
    axes = np.repeat([0, 1, 2, 3], [60, 60, 60, 5])
    noise = np.random.default_rng(9).normal(size=(185, 20))
    features = (np.eye(20)[axes] + 0.1 * noise).astype(np.float32)
    labels = [f"class {axis}" if axis < 3 else label for axis in axes]
    scores = outlier_scores(features, labels, [str(number) for number in range(185)])
    assert scores[180:].min() > scores[:180].max()
    assert unusual(scores)[180:].all()
    assert unusual(scores)[:180].mean() < 0.1


def test_a_wrong_label_is_no_outlier() -> None:
    """The picture is like the pictures of another class, whatever it is called."""
    features, labels = clouds(classes=3, each=60)
    groups = [str(number) for number in range(180)]
    renamed = ["class 1", *labels[1:]]
    given_rightly = outlier_scores(features, labels, groups)[0]
    assert outlier_scores(features, renamed, groups)[0] == pytest.approx(given_rightly, abs=0.02)


def test_copies_do_not_vouch_for_one_another() -> None:
    """A hundred copies of a foreign picture would be a class mean of their own."""
    features, labels = clouds(classes=2, each=30)
    features = np.concatenate([features, np.tile(-4 * features[:1], (100, 1))])
    labels = [*labels, *["class 2"] * 100]
    numbers = [str(number) for number in range(60)]
    together = outlier_scores(features, labels, [*numbers, *["copies"] * 100])
    apart = outlier_scores(features, labels, [*numbers, *map(str, range(60, 160))])
    assert together[60:].min() > apart[60:].max()


@pytest.mark.parametrize(
    ("scores", "expected"),
    [
        ([], []),
        ([0.3, 0.3, 0.3], [False, False, False]),
        ([0.3, 0.3 + 1e-12, 0.3], [False, False, False]),
        ([0.1, 0.2, 0.2, 0.3, 0.3, 0.9], [False, False, False, False, False, True]),
    ],
)
def test_only_scores_far_above_the_others_are_unusual(
    scores: list[float], expected: list[bool]
) -> None:
    """Rounding among equal scores is not far."""
    assert unusual(np.array(scores, np.float64)).tolist() == expected
