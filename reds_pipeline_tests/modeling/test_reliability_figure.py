from __future__ import annotations

import io

import numpy as np
import pytest
from PIL import Image

from reds_pipeline.modeling.abstention import NO_ANSWER
from reds_pipeline.modeling.calibration_error import reliability_bins
from reds_pipeline.modeling.figures import confusion_figure
from reds_pipeline.modeling.reliability_figure import reliability_figure


def test_the_diagram_depends_on_the_bins_and_the_line() -> None:
    generator = np.random.default_rng(0)
    chances = generator.uniform(0.3, 1, 300)
    honest = reliability_bins(chances, generator.random(300) < chances)
    boastful = reliability_bins(chances, generator.random(300) < chances**3)
    drawn = [
        reliability_figure({"folds": honest}, "a", 0.8),
        reliability_figure({"folds": boastful}, "a", 0.8),
        reliability_figure({"folds": honest}, "a", 0.5),
        reliability_figure({"folds": honest, "test": boastful}, "a", 0.8),
    ]
    assert len(set(drawn)) == len(drawn)
    assert drawn[0] == reliability_figure({"folds": honest}, "a", 0.8)
    nothing = reliability_figure({"folds": honest}, "a", NO_ANSWER)
    assert nothing == reliability_figure({"folds": honest}, "a"), (
        "no line where nothing is answered"
    )


@pytest.mark.req("R-IMP-7")
def test_a_matrix_of_a_hundred_classes_stays_of_a_size_to_look_at() -> None:
    names = [f"class {number}" for number in range(100)]
    with Image.open(io.BytesIO(confusion_figure(np.eye(100), names, "many"))) as opened:
        assert max(opened.size) < 3000
