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
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, unquote, urlsplit
from uuid import uuid4

from reds_pipeline.errors import RedsError
from reds_pipeline.storage.clock import as_text
from reds_pipeline.tracking_run import Training, log_metrics

if TYPE_CHECKING:
    from mlflow import MlflowClient

EXPERIMENT = "reds-tagging"
REGISTERED_MODEL = "reds-tagger"
HASHTAG_MODEL = "reds-hashtags"
MODEL_ARTIFACT = "model"
BUNDLE_DIRECTORY = "bundle"
TRAINING_KEY = "reds.training_key"
# When the files of a training's model were erased, while its numbers stay.
MODEL_REMOVED = "reds.model_removed"
CHAMPION, CHALLENGER = "champion", "challenger"
_DESCRIPTIONS = {
    REGISTERED_MODEL: "Recommends one hashtag of a few for a photo (REDS).",
    HASHTAG_MODEL: "Recommends every hashtag that fits a photo (REDS).",
}
_LONGEST_REASON = 200
# Without it the UI opens on its page for language models.
_EXPERIMENT_TAGS = {"mlflow.experimentKind": "custom_model_development"}


@dataclass(frozen=True)
class RegisteredVersion:
    """A version in the model registry.

    Attributes:
        version: Its number, as text.
        run_id: The training it was made by.
        source: Where its files are, as MLflow wrote it down.
        tags: MLflow tags of the version.
        model: Name of the registered model.
        description: What people read on its page.
        created_at: When it was registered, UTC in ISO 8601.
    """

    version: str
    run_id: str
    source: str
    tags: Mapping[str, str]
    model: str = REGISTERED_MODEL
    description: str = ""
    created_at: str = ""


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

    def artifacts(self, run_id: str, path: str = "") -> dict[str, int]:
        """Return every file below the directory ``path`` of a run, with its size in bytes."""
        found: dict[str, int] = {}
        for entry in self.client.list_artifacts(run_id, path or None):
            if entry.is_dir:
                found.update(self.artifacts(run_id, entry.path))
            else:
                found[entry.path] = int(entry.file_size or 0)
        return found

    def delete_artifacts(self, run_id: str, path: str) -> None:
        """Erase a file, or a directory with all in it, of a run; if it is gone, nothing happens.

        Raises:
            RedsError: The place where MLflow keeps its files does not let them be erased.
        """
        from mlflow.exceptions import MlflowException
        from mlflow.store.artifact.artifact_repository_registry import get_artifact_repository
        from requests import RequestException

        uri = self.client.get_run(run_id).info.artifact_uri
        directory, _, name = path.rpartition("/")
        listed = self.client.list_artifacts(run_id, directory or None)
        if not any(entry.path.rpartition("/")[2] == name for entry in listed):
            return
        try:
            repository = get_artifact_repository(uri, tracking_uri=self.uri)
            # Erasing is part of MLflow's interface of all its stores, though not of its client.
            repository.delete_artifacts(path)
        except (MlflowException, NotImplementedError, OSError, RequestException) as error:
            reason = " ".join(str(error).split())[:_LONGEST_REASON]
            raise RedsError(
                f"MLflow could not erase {path} of run {run_id} ({reason}); erase it at {uri} by "
                "hand, or run again when that place can be written to."
            ) from error

    def register(
        self,
        run_id: str,
        tags: Mapping[str, str],
        model: str = REGISTERED_MODEL,
        description: str = "",
    ) -> RegisteredVersion:
        """Make the model of a training a version of a registered model, once.

        Args:
            run_id: The training.
            tags: MLflow tags of the version.
            model: Name of the registered model; made if there is none of that name.
            description: What people read on the page of the version.
        """
        for version in self.versions(model):
            if version.run_id == run_id:
                return version
        if self._registered_model(model) is None:
            self.client.create_registered_model(model, description=_DESCRIPTIONS.get(model))
        source = f"{self.client.get_run(run_id).info.artifact_uri}/{MODEL_ARTIFACT}"
        created = self.client.create_model_version(
            model, source, run_id=run_id, tags=dict(tags), description=description or None
        )
        return _registered(created)

    def versions(self, model: str = REGISTERED_MODEL) -> list[RegisteredVersion]:
        """Return every version of a registered model, the newest first."""
        found: list[RegisteredVersion] = []
        token = None
        while True:
            page = self.client.search_model_versions(f"name = '{model}'", page_token=token)
            found.extend(_registered(version) for version in page)
            token = page.token
            if not token:
                return sorted(found, key=lambda version: -int(version.version))

    def version(self, number: str, model: str = REGISTERED_MODEL) -> RegisteredVersion | None:
        """Return one version of a registered model, or None if there is none of that number."""
        return next((each for each in self.versions(model) if each.version == number), None)

    def aliases(self, model: str = REGISTERED_MODEL) -> dict[str, str]:
        """Return which version each alias of a registered model points to."""
        found = self._registered_model(model)
        return {} if found is None else {name: str(at) for name, at in found.aliases.items()}

    def alias(self, name: str, model: str = REGISTERED_MODEL) -> RegisteredVersion | None:
        """Return the version an alias points to, or None before there is one."""
        number = self.aliases(model).get(name)
        if number is None:
            return None
        return _registered(self.client.get_model_version(model, number))

    def set_alias(self, name: str, version: str, model: str = REGISTERED_MODEL) -> None:
        """Point an alias at a version; the switch is one transaction in the registry."""
        self.client.set_registered_model_alias(model, name, version)

    def remove_alias(self, name: str, model: str = REGISTERED_MODEL) -> None:
        """Take an alias away; nothing happens where there is none."""
        if name in self.aliases(model):
            self.client.delete_registered_model_alias(model, name)

    def describe_version(self, version: str, text: str, model: str = REGISTERED_MODEL) -> None:
        """Set what people read on the page of a version, as Markdown."""
        self.client.update_model_version(model, version, description=text)

    def tag_version(
        self, version: str, name: str, value: str, model: str = REGISTERED_MODEL
    ) -> None:
        """Set one tag of a version."""
        self.client.set_model_version_tag(model, version, name, value)

    def delete_version(self, version: str, model: str = REGISTERED_MODEL) -> None:
        """Take a version out of the registry and erase its files; its run keeps its numbers.

        The files go first: a kill in between leaves a version that can be deleted again, never
        files that nothing names. Repeating it does nothing.

        Raises:
            RedsError: An alias points to the version.
        """
        held = [name for name, number in self.aliases(model).items() if number == version]
        if held:
            raise RedsError(
                f"Version {version} of {model} is the {held[0]} and stays; point that alias at "
                "another version first."
            )
        registered = self.version(version, model)
        if registered is None:
            return
        self.delete_artifacts(registered.run_id, MODEL_ARTIFACT)
        self.client.delete_model_version(model, version)

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
        return [run.info.run_id for run in runs if MODEL_REMOVED not in run.data.tags]

    def _registered_model(self, model: str) -> Any | None:
        found = self.client.search_registered_models(f"name = '{model}'")
        return found[0] if found else None


def _registered(version: Any) -> RegisteredVersion:
    return RegisteredVersion(
        version=str(version.version),
        run_id=version.run_id,
        source=version.source,
        tags=dict(version.tags),
        model=version.name,
        description=version.description or "",
        created_at=_as_time(version.creation_timestamp),
    )


def _as_time(milliseconds: int | None) -> str:
    """Return a time of MLflow, milliseconds since 1970, as the tables write it."""
    return as_text(datetime.fromtimestamp((milliseconds or 0) / 1000, UTC))


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
