"""MLflow: trainings, their folds, the model registry and its aliases.

What belongs here: reaching MLflow, and runs; what is written into one is in ``tracking_run.py``,
models and their versions in ``tracking_registry.py``. What does not: computing a metric or
deciding which model is better. Only the explicit-id client is used, never MLflow's global
"active run": stages run in different processes, and a global run ends up holding another stage's
numbers.
"""

from __future__ import annotations

import json
import logging
import os
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import quote
from uuid import uuid4

from reds_pipeline.backup.mlflow_paths import files_elsewhere
from reds_pipeline.errors import RedsError
from reds_pipeline.tracking_registry import (
    BUNDLE_DIRECTORY,
    CHALLENGER,
    CHAMPION,
    HASHTAG_MODEL,
    MODEL_ARTIFACT,
    REGISTERED_MODEL,
    ModelRegistry,
    RegisteredVersion,
)
from reds_pipeline.tracking_run import Training, log_bytes, log_metrics

if TYPE_CHECKING:
    from mlflow import MlflowClient

__all__ = [
    "BUNDLE_DIRECTORY",
    "CHALLENGER",
    "CHAMPION",
    "EXPERIMENT",
    "HASHTAG_MODEL",
    "MODEL_ARTIFACT",
    "MODEL_REMOVED",
    "PICTURES_REMOVED",
    "REGISTERED_MODEL",
    "TRAINING_KEY",
    "RegisteredVersion",
    "Tracking",
]

EXPERIMENT = "reds-tagging"
TRAINING_KEY = "reds.training_key"
# When the files of a training's model were erased, while its numbers stay.
MODEL_REMOVED = "reds.model_removed"
# When everything of a training that shows or names pictures was removed; its numbers stay.
PICTURES_REMOVED = "reds.pictures_removed"
_LONGEST_REASON = 200
# Without it the UI opens on its page for language models.
_EXPERIMENT_TAGS = {"mlflow.experimentKind": "custom_model_development"}


class Tracking(ModelRegistry):
    """One MLflow server or database.

    Args:
        uri: ``sqlite:///...``, ``postgresql://...`` or ``http(s)://...``.
        artifacts: Directory for files when MLflow itself has no other place for them.
        page: Address at which people see the MLflow UI, for links.
    """

    def __init__(self, uri: str, artifacts: Path, page: str = "http://127.0.0.1:5000") -> None:
        if uri.startswith("file:") or "://" not in uri:
            raise RedsError(
                f"MLflow no longer keeps runs in a plain directory ({uri}); set "
                "REDS_TRACKING_URI to sqlite:///<file> or to the address of an MLflow server."
            )
        self.uri = uri
        self._artifacts = artifacts
        self._page = page.rstrip("/")

    @cached_property
    def client(self) -> MlflowClient:
        """The MLflow client; the first use of a new database makes its tables (seconds).

        Raises:
            RedsError: MLflow cannot be used, or would use the files of another home.
        """
        self._require_own_files()
        # MLflow reads these once, when it is imported.
        os.environ.setdefault("MLFLOW_DISABLE_TELEMETRY", "true")
        os.environ.setdefault("MLFLOW_ENABLE_ARTIFACTS_PROGRESS_BAR", "false")
        # What a command prints is for its own reader, who may want JSON.
        os.environ.setdefault("MLFLOW_SUPPRESS_PRINTING_URL_TO_STDOUT", "true")
        # A server that does not answer should be known soon, not after minutes.
        os.environ.setdefault("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "2")
        for name in ("mlflow.store.db.utils", "alembic", "alembic.runtime.migration"):
            logging.getLogger(name).setLevel(logging.WARNING)
        from mlflow import MlflowClient

        try:
            if self.uri.startswith("sqlite:///"):
                _make_database(Path(self.uri.removeprefix("sqlite:///")))
            client = MlflowClient(tracking_uri=self.uri, registry_uri=self.uri)
            client.search_experiments(max_results=1)
        except Exception as error:
            # MLflow passes on whatever its database or HTTP library raises, in many lines.
            reason = " ".join(str(error).split())[:_LONGEST_REASON]
            raise RedsError(
                f"MLflow at {self.uri} cannot be used ({reason}); mend it or move it away, or set "
                "REDS_TRACKING_URI to another."
            ) from error
        return client

    @cached_property
    def experiment_id(self) -> str:
        """The experiment of the tagging task; made on first use."""
        experiment = self.client.get_experiment_by_name(EXPERIMENT)
        if experiment is not None:
            return experiment.experiment_id
        if self.uri.startswith("http"):
            # A server has its own place for artifacts.
            return self.client.create_experiment(EXPERIMENT, tags=_EXPERIMENT_TAGS)
        self._artifacts.mkdir(parents=True, exist_ok=True)
        return self.client.create_experiment(
            EXPERIMENT,
            artifact_location=self._artifacts.resolve().as_uri(),
            tags=_EXPERIMENT_TAGS,
        )

    def finished_training(self, key: str) -> str | None:
        """Return the run that already holds the training ``key``, if one finished.

        One whose model was removed since is not returned: what was kept of it is no model.
        """
        runs = self._runs_with(key, "FINISHED")
        return runs[0] if runs else None

    @contextmanager
    def training(
        self, name: str, key: str, *, params: Mapping[str, Any], tags: Mapping[str, str]
    ) -> Iterator[Training]:
        """Open the parent run of one training; it ends as FINISHED, or FAILED after an error.

        Args:
            name: Run name that people read.
            key: What was trained on what, with which settings; see `finished_training`.
            params: MLflow parameters.
            tags: MLflow tags.

        Yields:
            The training to log into.
        """
        # A run of this key that a kill left open will never be finished by anyone.
        for abandoned in self._runs_with(key, "RUNNING"):
            self.client.set_terminated(abandoned, "KILLED")
        run = self.client.create_run(
            self.experiment_id, run_name=name, tags={TRAINING_KEY: key, **tags}
        )
        run_id = run.info.run_id
        status = "FAILED"
        try:
            training = Training(self.client, run_id, self.experiment_id, name)
            training.log_params(params)
            yield training
            status = "FINISHED"
        finally:
            self.client.set_terminated(run_id, status)

    def add_metrics(self, run_id: str, metrics: Mapping[str, float]) -> None:
        """Add numbers to a run, finished or not, that were found out about it later."""
        log_metrics(self.client, run_id, metrics)

    def write_json(self, run_id: str, artifact_file: str, value: Any) -> None:
        """Write a JSON artifact of a run, finished or not, in place of what was there."""
        self.client.log_dict(run_id, value, artifact_file)

    def write_bytes(self, run_id: str, artifact_file: str, data: bytes) -> None:
        """Write an artifact of a run, finished or not, in place of what was there."""
        log_bytes(self.client, run_id, artifact_file, data)

    def metrics(self, run_id: str) -> dict[str, float]:
        """Return the last value of every metric of a run."""
        return dict(self.client.get_run(run_id).data.metrics)

    def read_bytes(self, run_id: str, artifact_file: str) -> bytes:
        """Return an artifact of a run."""
        with tempfile.TemporaryDirectory() as temporary:
            local = self.client.download_artifacts(run_id, artifact_file, temporary)
            return Path(local).read_bytes()

    def read_json(self, run_id: str, artifact_file: str) -> Any:
        """Return a JSON artifact of a run."""
        return json.loads(self.read_bytes(run_id, artifact_file))

    def record(self, run_id: str, artifact_file: str) -> dict[str, Any] | None:
        """Return a JSON artifact of a run, or None if it can no longer be read."""
        from mlflow.exceptions import MlflowException

        try:
            return dict(self.read_json(run_id, artifact_file))
        except (MlflowException, OSError, ValueError):
            return None

    def link(self, run_id: str = "") -> str:
        """Return the address of a run's page in the MLflow UI, or of the list of runs."""
        # Without the parameter the UI puts its pages for language models first.
        path = "/".join(filter(None, ("experiments", self.experiment_id, "runs", run_id)))
        return f"{self._page}/#/{quote(path)}?workflowType=machine_learning"

    def _require_own_files(self) -> None:
        """Refuse a home that was moved or copied by hand.

        MLflow knows its files by absolute addresses: it would read, and with a withdrawal erase,
        those of the home that this one was copied from.

        Raises:
            RedsError: The files are said to be elsewhere.
        """
        database = Path(self.uri.removeprefix("sqlite:///"))
        # A database that several homes share knows best where its files are.
        if not self.uri.startswith("sqlite:///") or database.parent != self._artifacts.parent:
            return
        if elsewhere := files_elsewhere(database, EXPERIMENT, self._artifacts):
            raise RedsError(
                f"MLflow's files of {database.parent} are said to be in {elsewhere}, because the "
                f"home was moved or copied; `reds restore --moved --home {database.parent}` lets "
                "MLflow find those that came along."
            )

    def _runs_with(self, key: str, status: str) -> list[str]:
        runs = self.client.search_runs(
            [self.experiment_id],
            filter_string=f"tags.`{TRAINING_KEY}` = '{key}' and attributes.status = '{status}'",
        )
        return [run.info.run_id for run in runs if MODEL_REMOVED not in run.data.tags]


def _make_database(path: Path) -> None:
    """Make a new SQLite database with MLflow's tables, all of it or nothing.

    MLflow makes them in dozens of steps, and cannot go on where a kill left them.
    """
    from mlflow import MlflowClient

    if path.exists():
        return
    path.parent.mkdir(parents=True, exist_ok=True)
    unfinished = path.with_name(f".writing-{uuid4().hex}-{path.name}")
    MlflowClient(tracking_uri=f"sqlite:///{unfinished}").search_experiments(max_results=1)
    if path.exists():
        # Another process was faster, and may have written to it by now.
        unfinished.unlink()
    else:
        unfinished.replace(path)
