from __future__ import annotations

from dataclasses import replace

import pytest

from reds_pipeline.modeling.promotion import Measured, best, decide

CHAMPION = Measured("vit", 0.90, 1e-4, "digest-1", ("cat", "dog"))


@pytest.mark.req("R-EXP-12")
@pytest.mark.parametrize(
    ("models", "winner"),
    [
        ([(0.90, 1e-4), (0.95, 1e-2)], 1),
        ([(0.95, 1e-3), (0.95, 1e-4)], 1),
        ([(0.95, 1e-4), (0.95, 1e-4)], 0),
    ],
    ids=["the more accurate", "of equals the steadier", "of twins the first"],
)
def test_the_best_of_several(models: list[tuple[float, float]], winner: int) -> None:
    measured = [replace(CHAMPION, cv_mean=mean, cv_variance=variance) for mean, variance in models]
    assert best(measured) == winner


@pytest.mark.parametrize(
    ("candidate", "promoted"),
    [
        ({"cv_mean": 0.91}, True),
        ({"cv_mean": 0.90}, False),
        ({"cv_mean": 0.89}, False),
        ({"cv_mean": 0.895, "dataset_digest": "digest-2"}, True),
        ({"cv_mean": 0.88, "dataset_digest": "digest-2"}, False),
        ({"cv_mean": 0.50, "dataset_digest": "digest-2", "classes": ("cat", "fox")}, True),
    ],
    ids=[
        "better on the same data",
        "equal on the same data",
        "worse on the same data",
        "newer data, within the margin",
        "newer data, beyond the margin",
        "other classes: the old model cannot name them",
    ],
)
def test_the_rule(candidate: dict[str, object], promoted: bool) -> None:
    decision = decide(replace(CHAMPION, **candidate), CHAMPION, margin=0.01)  # type: ignore[arg-type]
    assert decision.promote is promoted
    assert decision.reason.endswith(".")


def test_the_first_model_serves() -> None:
    decision = decide(CHAMPION, None, margin=0.0)
    assert decision.promote
    assert decision.reason == "There was no model before."
