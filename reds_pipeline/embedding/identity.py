"""Who an encoder is, known without loading it.

What belongs here: the name under which embeddings are kept, and a note beside them of which
file of weights gave which encoder, so that a run with nothing to embed need not import a deep
learning library. What does not: building encoders. A note is trusted only while the file has
the very bytes it had then and timm is the same version.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields, replace
from importlib.metadata import version
from pathlib import Path
from typing import Any

from reds_pipeline.embedding.weights import WeightsFile, file_digest, local_weights
from reds_pipeline.storage.atomic import write_text

NOTE_NAME = "encoder_of_{name}.json"
DIGEST_DIGITS = 12


@dataclass(frozen=True)
class EncoderIdentity:
    """What an encoder says about itself.

    Attributes:
        encoder_id: See ``Encoder``.
        dimension: Length of a feature vector.
        input_size: Side in pixels of the square pictures it takes.
        weights: Origin of the weights in plain words.
        preprocessing: What happens to a square before the network, in plain words.
    """

    encoder_id: str
    dimension: int
    input_size: int
    weights: str
    preprocessing: str


def file_safe(name: str) -> str:
    """Return ``name`` with everything but letters, digits, dot, dash and underscore as dash."""
    return re.sub(r"[^A-Za-z0-9._-]", "-", name)


def encoder_id(name: str, weights_digest: str, preprocessing_digest: str) -> str:
    """Return ``<name>-<weights>-<preprocessing>``, safe as a file name."""
    digests = (weights_digest[:DIGEST_DIGITS], preprocessing_digest[:DIGEST_DIGITS])
    return "-".join((file_safe(name), *digests))


def remembered_identity(
    name: str, weights_dir: Path | None, notes_dir: Path
) -> EncoderIdentity | None:
    """Return the identity noted for the weights that would be loaded now, or None.

    Args:
        name: The encoder's name.
        weights_dir: As in ``EncoderSpec``.
        notes_dir: Where ``remember_identity`` wrote.
    """
    note = _read_note(_note_path(name, notes_dir))
    if note is None or note.get("timm") != version("timm"):
        return None
    local = local_weights(name, weights_dir)
    # Without a file of the user's own the hub's would be loaded: the one noted, if it was one.
    path = local.path if local else Path(note["path"])
    if (local is None) != note["from_hub"] or not path.is_file():
        return None
    if file_digest(path) != note["file_sha256"]:
        return None
    if set(note["identity"]) != {field.name for field in fields(EncoderIdentity)}:
        # An older version of REDS wrote down less.
        return None
    identity = EncoderIdentity(**note["identity"])
    return replace(identity, weights=local.origin) if local else identity


def remember_identity(
    name: str, identity: EncoderIdentity, file: WeightsFile, notes_dir: Path
) -> None:
    """Note in ``notes_dir`` that the weights in ``file`` gave the encoder ``identity``."""
    note = {
        "timm": version("timm"),
        "path": str(file.path),
        "from_hub": file.from_hub,
        "file_sha256": file_digest(file.path),
        "identity": asdict(identity),
    }
    write_text(_note_path(name, notes_dir), json.dumps(note, indent=2))


def _note_path(name: str, notes_dir: Path) -> Path:
    return notes_dir / NOTE_NAME.format(name=file_safe(name))


def _read_note(path: Path) -> Mapping[str, Any] | None:
    try:
        note = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    return note if isinstance(note, dict) else None
