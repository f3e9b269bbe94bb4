from __future__ import annotations

import subprocess
import sys

import numpy as np
import pytest
from sklearn.neighbors import KNeighborsClassifier

from reds_pipeline.modeling.projection import sample_rows, tsne_points
from reds_pipeline_tests.modeling.clouds import clouds


@pytest.mark.req("R-EXP-10")
def test_neighbours_stay_neighbours_and_the_seed_decides() -> None:
    features, labels = clouds(3, each=40, spread=0.3)
    points = tsne_points(features / features.std(axis=0), seed=4)
    assert points.shape == (120, 2)
    assert KNeighborsClassifier(5).fit(points, labels).score(points, labels) > 0.95
    assert np.array_equal(points, tsne_points(features / features.std(axis=0), seed=4))


def test_few_rows_are_drawn_too() -> None:
    """A demonstration's perplexity of 30 would be refused for so few."""
    features, _labels = clouds(2, each=3)
    assert np.isfinite(tsne_points(features, seed=0)).all()
    with pytest.raises(ValueError, match="four rows"):
        tsne_points(features[:3], seed=0)


def test_a_sample_keeps_the_shares_of_the_classes() -> None:
    labels = ["cat"] * 800 + ["dog"] * 199 + ["owl"]
    rows = sample_rows(labels, 100, seed=0)
    counts = {name: sum(labels[row] == name for row in rows) for name in ("cat", "dog", "owl")}
    assert counts == {"cat": 80, "dog": 19, "owl": 1}
    assert len(set(rows.tolist())) == 100
    assert rows.tolist() == sorted(rows.tolist()) == sample_rows(labels, 100, seed=0).tolist()


def test_everything_is_shown_when_it_fits() -> None:
    assert sample_rows(["cat", "dog", "cat"], 3, seed=0).tolist() == [0, 1, 2]


def test_skops_is_imported_without_torch() -> None:
    """It would take seconds of every retraining for an adapter that nobody uses."""
    program = "import sys; from reds_pipeline.modeling.quick_skops import import_skops; "
    program += "import_skops(); import sklearn.utils.discovery as discovery; "
    program += "print('torch' in sys.modules, 'skops.io' in sys.modules)"
    assert subprocess.check_output([sys.executable, "-c", program], text=True) == "False True\n"
