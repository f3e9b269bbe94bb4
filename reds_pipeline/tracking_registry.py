"""Registered models in MLflow: their versions, aliases and files.

What belongs here: the registry's side of `Tracking`, which adds it to runs. What does not:
deciding which version serves or goes (``promotion.py``, ``pruning.py``).
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote, urlsplit

from reds_pipeline.errors import RedsError
from reds_pipeline.storage.clock import as_text

if TYPE_CHECKING:
    from mlflow import MlflowClient

REGISTERED_MODEL = "reds-tagger"
HASHTAG_MODEL = "reds-hashtags"
MODEL_ARTIFACT = "model"
BUNDLE_DIRECTORY = "bundle"
CHAMPION, CHALLENGER = "champion", "challenger"
_DESCRIPTIONS = {
    REGISTERED_MODEL: "Recommends one hashtag of a few for a photo (REDS).",
    HASHTAG_MODEL: "Recommends every hashtag that fits a photo (REDS).",
}
_LONGEST_REASON = 200


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


class ModelRegistry(ABC):
    """The registered models of one MLflow server or database.

    Attributes:
        uri: Address of MLflow.
    """

    uri: str

    @property
    @abstractmethod
    def client(self) -> MlflowClient:
        """The MLflow client."""

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
