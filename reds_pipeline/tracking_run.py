"""One training in MLflow while it is written: numbers, folds and files.

What belongs here: writing into a run that `Tracking.training` opened. What does not: finding
runs, or the registry (``tracking.py``), and what is worth logging (``training.py``).
"""

from __future__ import annotations

import tempfile
import time
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from mlflow import MlflowClient


class Training:
    """A parent run that is being written; made by `Tracking.training`."""

    def __init__(self, client: MlflowClient, run_id: str, experiment_id: str, name: str) -> None:
        self._client = client
        self._experiment_id = experiment_id
        self._name = name
        self.run_id = run_id

    def log_metrics(self, metrics: Mapping[str, float]) -> None:
        """Log final values on the parent run."""
        _log_metrics(self._client, self.run_id, metrics)

    def log_fold(self, number: int, metrics: Mapping[str, float], tags: Mapping[str, str]) -> None:
        """Log one fold (from 1) as a child run, so that folds can be compared in the UI."""
        run = self._client.create_run(
            self._experiment_id,
            run_name=f"{self._name} fold {number}",
            tags={"mlflow.parentRunId": self.run_id, "reds.fold": str(number), **tags},
        )
        _log_metrics(self._client, run.info.run_id, metrics)
        self._client.set_terminated(run.info.run_id, "FINISHED")

    def log_bytes(self, artifact_file: str, data: bytes) -> None:
        """Log ``data`` as the artifact ``artifact_file``, such as ``figures/confusion.png``."""
        directory, _, name = artifact_file.rpartition("/")
        with tempfile.TemporaryDirectory() as temporary:
            path = Path(temporary) / name
            path.write_bytes(data)
            self._client.log_artifact(self.run_id, str(path), directory or None)

    def log_json(self, artifact_file: str, value: Any) -> None:
        """Log ``value`` as a JSON artifact."""
        self._client.log_dict(self.run_id, value, artifact_file)

    def log_directory(self, local: Path, artifact_path: str) -> None:
        """Log every file below ``local``."""
        self._client.log_artifacts(self.run_id, str(local), artifact_path)


def _log_metrics(client: MlflowClient, run_id: str, metrics: Mapping[str, float]) -> None:
    from mlflow.entities import Metric

    now = int(time.time() * 1000)
    client.log_batch(
        run_id, metrics=[Metric(name, float(value), now, 0) for name, value in metrics.items()]
    )
