"""One training in MLflow while it is written: numbers, folds and files.

What belongs here: writing into a run that `Tracking.training` opened. What does not: finding
runs, or the registry (``tracking.py``), and what is worth logging (``training.py``).
"""

from __future__ import annotations

import json
import tempfile
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from mlflow import MlflowClient


# What MLflow takes in one request.
_METRICS_AT_ONCE, _PARAMS_AT_ONCE = 1000, 100


@dataclass(frozen=True)
class LearntDataset:
    """What a training learnt from, as MLflow shows it beside a run.

    Attributes:
        name: What people call it.
        digest: The start of a digest of the data, at most 36 characters.
        source: Where it comes from; no path or address of this machine.
        schema: MLflow's type of each column, such as ``string``.
        profile: What is in it, in numbers.
    """

    name: str
    digest: str
    source: Mapping[str, Any]
    schema: Mapping[str, str]
    profile: Mapping[str, Any]


class Training:
    """A parent run that is being written; made by `Tracking.training`."""

    def __init__(self, client: MlflowClient, run_id: str, experiment_id: str, name: str) -> None:
        self._client = client
        self._experiment_id = experiment_id
        self._name = name
        self.run_id = run_id

    def log_metrics(self, metrics: Mapping[str, float]) -> None:
        """Log final values on the parent run."""
        log_metrics(self._client, self.run_id, metrics)

    def log_params(self, params: Mapping[str, Any]) -> None:
        """Log what the parent run was made with, beside what it was opened with."""
        _log_params(self._client, self.run_id, params)

    def log_fold(
        self,
        number: int,
        metrics: Mapping[str, float],
        tags: Mapping[str, str],
        params: Mapping[str, Any] | None = None,
    ) -> None:
        """Log one fold (from 1) as a child run, so that folds can be compared in the UI."""
        run = self._client.create_run(
            self._experiment_id,
            run_name=f"{self._name} fold {number}",
            tags={"mlflow.parentRunId": self.run_id, "reds.fold": str(number), **tags},
        )
        _log_params(self._client, run.info.run_id, params or {})
        log_metrics(self._client, run.info.run_id, metrics)
        self._client.set_terminated(run.info.run_id, "FINISHED")

    def log_bytes(self, artifact_file: str, data: bytes) -> None:
        """Log ``data`` as the artifact ``artifact_file``, such as ``figures/confusion.png``."""
        log_bytes(self._client, self.run_id, artifact_file, data)

    def log_json(self, artifact_file: str, value: Any) -> None:
        """Log ``value`` as a JSON artifact."""
        self._client.log_dict(self.run_id, value, artifact_file)

    def log_dataset(self, dataset: LearntDataset) -> None:
        """Log what was learnt from, for the column of data sets in the list of runs."""
        from mlflow.entities import Dataset, DatasetInput, InputTag
        from mlflow.exceptions import MlflowException
        from mlflow.utils.mlflow_tags import MLFLOW_DATASET_CONTEXT

        entity = Dataset(
            name=dataset.name,
            digest=dataset.digest,
            source_type="reds",
            source=json.dumps(dict(dataset.source)),
            schema=json.dumps({"mlflow_colspec": _columns(dataset.schema)}),
            profile=json.dumps(dict(dataset.profile)),
        )
        context = InputTag(MLFLOW_DATASET_CONTEXT, "training")
        inputs = [DatasetInput(entity, [context])]
        try:
            self._client.log_inputs(self.run_id, inputs)
        except MlflowException:
            # Another training entered the same data set at the same moment; now it is found.
            self._client.log_inputs(self.run_id, inputs)

    def log_table(
        self, artifact_file: str, rows: Sequence[Mapping[str, Any]], columns: Sequence[str]
    ) -> None:
        """Log some columns of rows as JSON, in the form of MLflow's own tables."""
        self.log_json(
            artifact_file,
            {"columns": list(columns), "data": [[row[name] for name in columns] for row in rows]},
        )

    def describe(self, text: str) -> None:
        """Set what people read first on the page of the run, as Markdown."""
        from mlflow.utils.mlflow_tags import MLFLOW_RUN_NOTE

        self._client.set_tag(self.run_id, MLFLOW_RUN_NOTE, text)

    def log_directory(self, local: Path, artifact_path: str) -> None:
        """Log every file below ``local``."""
        self._client.log_artifacts(self.run_id, str(local), artifact_path)


def log_bytes(client: MlflowClient, run_id: str, artifact_file: str, data: bytes) -> None:
    """Log ``data`` as the artifact ``artifact_file`` of a run."""
    directory, _, name = artifact_file.rpartition("/")
    with tempfile.TemporaryDirectory() as temporary:
        path = Path(temporary) / name
        path.write_bytes(data)
        client.log_artifact(run_id, str(path), directory or None)


def log_metrics(client: MlflowClient, run_id: str, metrics: Mapping[str, float]) -> None:
    """Log values of now on a run."""
    from mlflow.entities import Metric

    now = int(time.time() * 1000)
    logged = [Metric(name, float(value), now, 0) for name, value in metrics.items()]
    for start in range(0, len(logged), _METRICS_AT_ONCE):
        client.log_batch(run_id, metrics=logged[start : start + _METRICS_AT_ONCE])


def _log_params(client: MlflowClient, run_id: str, params: Mapping[str, Any]) -> None:
    from mlflow.entities import Param

    logged = [Param(name, str(value)) for name, value in params.items()]
    for start in range(0, len(logged), _PARAMS_AT_ONCE):
        client.log_batch(run_id, params=logged[start : start + _PARAMS_AT_ONCE])


def _columns(schema: Mapping[str, str]) -> list[dict[str, Any]]:
    return [{"name": name, "type": kind, "required": True} for name, kind in schema.items()]
