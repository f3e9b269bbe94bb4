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


def hub_weights(name: str, weights_dir: Path | None) -> WeightsFile:
    """Return the file timm publishes for ``name``, fetching it once if the hub answers.

    Args:
        name: A name timm knows.
        weights_dir: Named in the error, so that the operator knows where a file is expected.

    Raises:
        RedsError: timm publishes no such file, or it is not on this machine and the hub does
            not give it.
    """
    import timm
    from huggingface_hub import hf_hub_download, try_to_load_from_cache

    config = timm.models.get_pretrained_cfg(name)
    hub_id = config.hf_hub_id if config else None
    file_name = (config.hf_hub_filename if config else None) or f"model{WEIGHTS_SUFFIX}"
    if not hub_id or not file_name.endswith(WEIGHTS_SUFFIX):
        raise _unavailable(name, weights_dir, "timm publishes no safetensors file for it")
    origin = f"{hub_id} as timm publishes it on the model hub"
    cached = try_to_load_from_cache(hub_id, file_name)
    if isinstance(cached, str):
        return WeightsFile(Path(cached), f"{origin} (already on this machine)", from_hub=True)
    # Asked first because a download that cannot reach the hub tries again for most of a minute.
    if not hub_answers(HUB_WAIT_SECONDS):
        raise _unavailable(name, weights_dir, "the model hub does not answer")
    try:
        path = hf_hub_download(hub_id, file_name)
    except (OSError, ValueError) as error:
        reason = f"the model hub did not give them ({type(error).__name__})"
        raise _unavailable(name, weights_dir, reason) from error
    return WeightsFile(Path(path), origin, from_hub=True)


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
