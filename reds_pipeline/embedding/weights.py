"""The one file that holds a network's weights.

What belongs here: finding the file of a timm network, in the weights directory or at the hub,
and saying in words where it was. What does not: reading it into a network. Only safetensors
files are taken, because other formats can run code when they are opened.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path

from reds_pipeline.embedding.availability import WEIGHTS_SUFFIX, hub_answers
from reds_pipeline.errors import RedsError

HUB_WAIT_SECONDS = 5.0


@dataclass(frozen=True)
class WeightsFile:
    """A file of weights and its origin.

    Attributes:
        path: The safetensors file.
        origin: Where it comes from, in plain words.
        from_hub: Whether timm published it for this network. Such a file may use older names
            for its parameters, which timm translates; a user's own file must use timm's names.
    """

    path: Path
    origin: str
    from_hub: bool


def local_weights(name: str, weights_dir: Path | None) -> WeightsFile | None:
    """Return the file for ``name`` in ``weights_dir``, or None when it is not there."""
    if weights_dir is None:
        return None
    path = weights_dir / f"{name}{WEIGHTS_SUFFIX}"
    return WeightsFile(path, f"the file {path}", from_hub=False) if path.is_file() else None


def cached_hub_weights(name: str) -> WeightsFile | None:
    """Return the published file for ``name`` if an earlier run fetched it, or None."""
    return fetched_file(published_file(name))


def fetched_file(published: tuple[str, str] | None) -> WeightsFile | None:
    """Return a file of ``published_file`` if an earlier run fetched it, or None."""
    from huggingface_hub import try_to_load_from_cache

    cached = try_to_load_from_cache(*published) if published else None
    if published is None or not isinstance(cached, str):
        return None
    return WeightsFile(
        Path(cached), f"{_origin(published[0])} (already on this machine)", from_hub=True
    )


def hub_weights(name: str, weights_dir: Path | None) -> WeightsFile:
    """Return the file timm publishes for ``name``, fetching it once if the hub answers.

    Args:
        name: A name timm knows.
        weights_dir: Named in the error, so that the operator knows where a file is expected.

    Raises:
        RedsError: timm publishes no such file, or it is not on this machine and the hub does
            not give it.
    """
    from huggingface_hub import hf_hub_download

    published = published_file(name)
    if published is None:
        raise _unavailable(name, weights_dir, "timm publishes no safetensors file for it")
    if (cached := fetched_file(published)) is not None:
        return cached
    # Asked first because a download that cannot reach the hub tries again for most of a minute.
    if not hub_answers(HUB_WAIT_SECONDS):
        raise _unavailable(name, weights_dir, "the model hub does not answer")
    try:
        path = hf_hub_download(*published)
    except (OSError, ValueError) as error:
        reason = f"the model hub did not give them ({type(error).__name__})"
        raise _unavailable(name, weights_dir, reason) from error
    return WeightsFile(Path(path), _origin(published[0]), from_hub=True)


def published_file(name: str) -> tuple[str, str] | None:
    """Return repository and file name of the weights timm publishes, if they are safe to open."""
    import timm

    config = timm.models.get_pretrained_cfg(name)
    hub_id = config.hf_hub_id if config else None
    file_name = (config.hf_hub_filename if config else None) or f"model{WEIGHTS_SUFFIX}"
    return (hub_id, file_name) if hub_id and file_name.endswith(WEIGHTS_SUFFIX) else None


def _origin(hub_id: str) -> str:
    return f"{hub_id} as timm publishes it on the model hub"


def file_digest(path: Path) -> str:
    """Return the SHA-256 of the file's bytes, as hexadecimal digits."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _unavailable(name: str, weights_dir: Path | None, reason: str) -> RedsError:
    place = f"{weights_dir} holds no {name}{WEIGHTS_SUFFIX}"
    if weights_dir is None:
        place = "no weights directory is set"
    return RedsError(
        f"There are no weights for the backbone {name}: {place}, and {reason}; put "
        f"{name}{WEIGHTS_SUFFIX} into the directory that REDS_WEIGHTS_DIR names, or let this "
        "machine reach the model hub, or choose the encoder tiny, which needs none."
    )
