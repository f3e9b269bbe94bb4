"""What a stage that embeds leaves in the home."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from reds_pipeline.embedding.embed_missing import embeddings_store
from reds_pipeline.embedding.engines.measured import now_measured
from reds_pipeline.embedding.engines.measurement import EngineMeasurement
from reds_pipeline.embedding_runs import embed_pictures, embedded_pictures, engine_table
from reds_pipeline.resources import Platform
from reds_pipeline.settings import load_settings
from reds_pipeline.storage.tables import EMBEDDING_RUNS, read_rows, write_rows
from reds_pipeline_tests.embedding.networks import OTHER_SIZE_NETWORK, write_weights
from reds_pipeline_tests.imaging.pictures import encoded, scene


def _platform(root: Path, **settings: Any) -> tuple[Platform, list[dict[str, Any]]]:
    platform = Platform(load_settings(home=root / "home", **settings))
    rows = [
        {
            "sha256": platform.home.images.put(encoded(scene(320, 240, seed)), "jpg"),
            "extension": "jpg",
            "class_name": ("cat", "dog")[seed % 2],
        }
        for seed in range(4)
    ]
    return platform, rows


def test_a_network_of_another_size_gets_squares_of_the_originals(tmp_path: Path) -> None:
    """And the run's row says which size it was."""
    weights = write_weights(tmp_path / "weights", OTHER_SIZE_NETWORK)
    platform, rows = _platform(tmp_path, weights_dir=weights)
    report = embed_pictures(platform, OTHER_SIZE_NETWORK, rows)
    assert (report.input_size, report.computed, report.engine) == (160, 4, "pytorch")
    run, store = embedded_pictures(platform.home, OTHER_SIZE_NETWORK, [rows[0]["sha256"]])
    assert (run["input_size"], run["embeddings_id"]) == (160, report.encoder_id)
    assert "squares of 160 pixels" in run["preprocessing"]
    shapes = {found.row_shape for found in platform.home.array_stores()}
    assert shapes == {(160, 160, 3), (report.dimension,)}
    assert store.erase([rows[0]["sha256"]]) == 1


def test_embeddings_of_an_older_version_are_found(tmp_path: Path) -> None:
    """Its runs name the encoder only, under whose name the reference still keeps them."""
    platform, rows = _platform(tmp_path)
    keys = [row["sha256"] for row in rows]
    features = np.ones((4, 5), np.float32)
    embeddings_store(platform.home.embeddings, "net-1-2", 5).append(keys, features)
    older = {"encoder_id": "net-1-2", "dimension": 5, "weights": "a file", "computed": 4}
    table = platform.home.table("embedding_runs", "net")
    write_rows(table, [older], EMBEDDING_RUNS)
    assert read_rows(table)[0]["embeddings_id"] is None
    run, store = embedded_pictures(platform.home, "net", keys)
    assert run["encoder_id"] == "net-1-2"
    np.testing.assert_array_equal(store.read(keys), features)


@pytest.mark.parametrize("engine", ["pytorch", "pytorch-bf16"])
def test_a_deletion_reaches_the_embeddings_of_every_engine(engine: str, tmp_path: Path) -> None:
    """Stores are found by looking, so one of a new engine is not forgotten."""
    platform, rows = _platform(tmp_path)
    gone = rows[0]["sha256"]
    store = embeddings_store(platform.home.embeddings, f"net-1-2-{engine}", 5)
    store.append([row["sha256"] for row in rows], np.ones((4, 5), np.float32))
    assert [found.erase([gone]) for found in platform.home.array_stores()] == [1]
    assert store.missing([gone]) == [gone]


def test_the_table_says_what_may_be_used_first() -> None:
    results = {
        "slow": EngineMeasurement("slow", "", rate=2.0, images_per_cpu_second=1.0),
        "wrong": EngineMeasurement("wrong", "it is too far", rate=9.0),
        "fast": EngineMeasurement("fast", "", rate=4.0, lowest_cosine=0.99995),
        "absent": EngineMeasurement("absent", "not installed"),
    }
    table = engine_table(now_measured(2, 48, results))
    assert [row["engine"] for row in table] == ["fast", "slow", "wrong", "absent"]
    assert table[0]["lowest cosine"] == "0.999950"
    assert [row["verdict"] for row in table[2:]] == ["it is too far", "not installed"]
