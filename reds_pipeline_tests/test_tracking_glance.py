"""Looking which version serves without importing MLflow finds what MLflow says."""

from __future__ import annotations

import shutil
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from reds_pipeline.errors import RedsError
from reds_pipeline.tracking_glance import serving_version


def test_it_is_read_from_mlflows_own_database(tmp_path: Path, mlflow_database: Path) -> None:
    from mlflow import MlflowClient

    path = tmp_path / "mlflow.sqlite"
    assert serving_version(f"sqlite:///{path}", "reds-tagger", "champion") == ""
    assert not path.exists(), "looking makes nothing"
    shutil.copyfile(mlflow_database, path)
    uri = f"sqlite:///{path}"
    assert serving_version(uri, "reds-tagger", "champion") == ""
    client = MlflowClient(tracking_uri=uri, registry_uri=uri)
    client.create_registered_model("reds-tagger")
    client.create_model_version("reds-tagger", source=str(tmp_path))
    client.set_registered_model_alias("reds-tagger", "champion", "1")
    assert serving_version(uri, "reds-tagger", "champion") == "1"


@pytest.mark.parametrize(
    "uri",
    ["http://127.0.0.1:9", "postgresql://nobody@127.0.0.1:9/none"],
    ids=["server", "database"],
)
def test_what_does_not_answer_is_a_sentence(uri: str) -> None:
    with pytest.raises(RedsError, match="MLflow cannot be reached"):
        serving_version(uri, "reds-tagger", "champion")


def test_an_empty_database_serves_nothing(tmp_path: Path) -> None:
    path = tmp_path / "mlflow.sqlite"
    with closing(sqlite3.connect(path)) as database:
        database.execute("CREATE TABLE other (name TEXT)")
    assert serving_version(f"sqlite:///{path}", "reds-tagger", "champion") == ""
    path.write_bytes(b"no database, though it is long enough to look like one")
    with pytest.raises(RedsError, match="not a database"):
        serving_version(f"sqlite:///{path}", "reds-tagger", "champion")
