from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from reds_pipeline.drawing import PALETTE
from reds_pipeline.retraining.accuracy_figure import accuracy_figure
from reds_pipeline.retraining.supply import class_supply
from reds_pipeline.retraining.supply_figure import supply_figure
from reds_pipeline.retraining.tag_drift import tag_drift
from reds_pipeline.retraining.tag_figures import ranks_figure, retention_figure
from reds_pipeline.storage.clock import as_text
from reds_pipeline_tests.figure_checks import assert_readable, coloured
from reds_pipeline_tests.retraining.tagged_weeks import samples_of_weeks

START = datetime(2026, 1, 1, tzinfo=UTC)


@pytest.mark.req("R-IMP-5")
def test_tags_over_time_are_drawn() -> None:
    samples = samples_of_weeks(6, 14)
    drifts = {kind: tag_drift(samples, kind, seed=0) for kind in ("lemma", "tag")}
    drawn = retention_figure(drifts)
    assert_readable(drawn)
    assert coloured(drawn, PALETTE[1]) > 100
    assert_readable(ranks_figure(samples))
    two = samples[:2]
    assert_readable(ranks_figure(two))
    assert_readable(retention_figure({"lemma": tag_drift(two, "lemma", seed=0)}))


@pytest.mark.parametrize("days", [3, 40])
def test_supply_is_drawn(days: int) -> None:
    posts = []
    for day in range(2 * days):
        moment = as_text(START + timedelta(days=day / 2))
        posts.append(
            {
                "status": "kept",
                "created_at": moment,
                "collected_at": moment,
                "post_id": str(day),
                "kept": True,
            }
        )
    cursor = {
        "tag": "cat",
        "newest_id": posts[-1]["post_id"],
        "oldest_id": "0",
        "exhausted": False,
        "walked_at": as_text(START + timedelta(days=days)),
    }
    supplies = [
        supply
        for name in ("cat", "$dog$", "猫")
        if (supply := class_supply(name, posts, posts, [cursor]))
    ]
    assert len(supplies) == 3
    assert_readable(supply_figure(supplies))


def test_accuracy_over_time_is_drawn() -> None:
    rows: list[dict[str, Any]] = [
        {
            "at": as_text(START + timedelta(days=7 * week)),
            "model_version": str(1 + week // 3),
            "accuracy_new": 0.9 - 0.05 * (week % 3) if week else None,
            "accuracy_new_low": 0.8 - 0.05 * (week % 3),
            "accuracy_new_high": 0.95,
            "accuracy_before": 0.93 if week != 2 else None,
        }
        for week in range(6)
    ]
    assert_readable(accuracy_figure(rows))
    assert_readable(accuracy_figure(rows[:2]))
