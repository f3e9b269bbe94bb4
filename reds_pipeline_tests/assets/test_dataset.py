from __future__ import annotations

from pathlib import Path

import dagster as dg
import pytest

from reds_pipeline.assets.dataset import label_suspects
from reds_pipeline.imaging.curation import BEYOND_TARGET
from reds_pipeline.imaging.resize import RESIZE_RULE
from reds_pipeline.resources import EMBEDDINGS_COMPUTED, PICTURES_RESIZED, Platform
from reds_pipeline.settings import load_settings
from reds_pipeline.storage.tables import CURATED, LABEL_SUSPECTS, read_rows, write_rows
from reds_pipeline_tests import curated_home
from reds_pipeline_tests.imaging.pictures import encoded, scene


@pytest.mark.req("R-SCR-8")
def test_a_picture_that_a_person_brought_in_meanwhile_stops_nothing(tmp_path: Path) -> None:
    """A decision may fall between the features of all cleaned pictures and the data set."""
    home = curated_home.fill(tmp_path / "home")
    brought_in = home.images.put(encoded(scene(400, 300, seed=7), "JPEG"), "jpg")
    table = home.table("curated_dataset")
    rows = [row for row in read_rows(table, CURATED) if row["kept"]]
    late = {**rows[0], "sha256": brought_in, "extension": "jpg", "drop_reason": BEYOND_TARGET}
    write_rows(table, [*rows, {**late, "kept": False, "group": brought_in}], CURATED)
    platform = Platform(load_settings(home=home.root, backbones=("tiny",)), attended=True)
    result = dg.materialize([label_suspects], resources={"platform": platform})
    assert result.success
    judged = {row["sha256"] for row in read_rows(home.table("label_suspects"), LABEL_SUSPECTS)}
    assert brought_in in judged
    assert home.tensors(RESIZE_RULE).missing([brought_in]) == []
    cost = {what: platform.cost[what] for what in (PICTURES_RESIZED, EMBEDDINGS_COMPUTED)}
    assert cost == {PICTURES_RESIZED: 1, EMBEDDINGS_COMPUTED: len(judged)}
