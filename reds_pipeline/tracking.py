"""MLflow: trainings, their folds, the model registry and its aliases.

What belongs here: everything that talks to MLflow. What does not: computing a metric or deciding
which model is better. Only the explicit-id client is used, never MLflow's global "active run":
stages run in different processes, and a global run ends up holding another stage's numbers.
"""

from __future__ import annotations

import json
import logging
import os
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, unquote, urlsplit
from uuid import uuid4

from reds_pipeline.errors import RedsError

if TYPE_CHECKING:
    from mlflow import MlflowClient

EXPERIMENT = "reds-tagging"
REGISTERED_MODEL = "reds-tagger"
MODEL_ARTIFACT = "model"
BUNDLE_DIRECTORY = "bundle"
TRAINING_KEY = "reds.training_key"
CHAMPION, CHALLENGER = "champion", "challenger"
_LONGEST_REASON = 200
# Without it the UI opens on its page for language models.
_EXPERIMENT_TAGS = {"mlflow.experimentKind": "custom_model_development"}


@dataclass(frozen=True)
class RegisteredVersion:
    """A version in the model registry."""

    version: str
    run_id: str
    source: str
    tags: Mapping[str, str]


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


class Tracking:
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
        """The MLflow client; the first use of a new database makes its tables (seconds)."""
        # MLflow reads these once, when it is imported.
        os.environ.setdefault("MLFLOW_DISABLE_TELEMETRY", "true")
        os.environ.setdefault("MLFLOW_ENABLE_ARTIFACTS_PROGRESS_BAR", "false")
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
        """Return the run that already holds the training ``key``, if one finished."""
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
            from mlflow.entities import Param

            self.client.log_batch(
                run_id, params=[Param(name, str(value)) for name, value in params.items()]
            )
            yield Training(self.client, run_id, self.experiment_id, name)
            status = "FINISHED"
        finally:
            self.client.set_terminated(run_id, status)

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

    def register(self, run_id: str, tags: Mapping[str, str]) -> RegisteredVersion:
        """Make the model of a training a version of the registered model, once."""
        for version in self._versions():
            if version.run_id == run_id:
                return version
        if self._registered_model() is None:
            self.client.create_registered_model(
                REGISTERED_MODEL, description="Recommends hashtags for a photo (REDS)."
            )
        source = f"{self.client.get_run(run_id).info.artifact_uri}/{MODEL_ARTIFACT}"
        created = self.client.create_model_version(
            REGISTERED_MODEL, source, run_id=run_id, tags=dict(tags)
        )
        return _registered(created)

    def alias(self, name: str) -> RegisteredVersion | None:
        """Return the version an alias points to, or None before there is one."""
        model = self._registered_model()
        if model is None or name not in model.aliases:
            return None
        return _registered(
            self.client.get_model_version(REGISTERED_MODEL, str(model.aliases[name]))
        )

    def set_alias(self, name: str, version: str) -> None:
        """Point an alias at a version; the switch is one transaction in the registry."""
        self.client.set_registered_model_alias(REGISTERED_MODEL, name, version)

    def bundle(self, version: RegisteredVersion, destination: Path) -> Path:
        """Return a local directory with the portable bundle of a version.

        Args:
            version: A registered version.
            destination: Where a remote bundle is downloaded to; local ones are read in place.
        """
        parsed = urlsplit(version.source)
        if parsed.scheme == "file":
            return Path(unquote(parsed.path)) / BUNDLE_DIRECTORY
        from mlflow.artifacts import download_artifacts

        return Path(
            download_artifacts(
                artifact_uri=f"{version.source}/{BUNDLE_DIRECTORY}",
                dst_path=str(destination),
                tracking_uri=self.uri,
            )
        )

    def link(self, run_id: str = "") -> str:
        """Return the address of a run's page in the MLflow UI, or of the list of runs."""
        # Without the parameter the UI puts its pages for language models first.
        path = "/".join(filter(None, ("experiments", self.experiment_id, "runs", run_id)))
        return f"{self._page}/#/{quote(path)}?workflowType=machine_learning"

    def _runs_with(self, key: str, status: str) -> list[str]:
        runs = self.client.search_runs(
            [self.experiment_id],
            filter_string=f"tags.`{TRAINING_KEY}` = '{key}' and attributes.status = '{status}'",
        )
        return [run.info.run_id for run in runs]

    def _registered_model(self) -> Any | None:
        found = self.client.search_registered_models(f"name = '{REGISTERED_MODEL}'")
        return found[0] if found else None

    def _versions(self) -> list[RegisteredVersion]:
        found = self.client.search_model_versions(f"name = '{REGISTERED_MODEL}'")
        return [_registered(version) for version in found]


def _registered(version: Any) -> RegisteredVersion:
    return RegisteredVersion(
        version=str(version.version),
        run_id=version.run_id,
        source=version.source,
        tags=dict(version.tags),
    )


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


def _log_metrics(client: MlflowClient, run_id: str, metrics: Mapping[str, float]) -> None:
    from mlflow.entities import Metric

    now = int(time.time() * 1000)
    client.log_batch(
        run_id, metrics=[Metric(name, float(value), now, 0) for name, value in metrics.items()]
    )
