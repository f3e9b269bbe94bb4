"""Photos that people gave for training, each in a directory of its own.

What belongs here: what is kept of a contributed photo, and writing, reading and removing it as one
thing. What does not: who may contribute and what deletes it (``desk.py``, ``deletion.py``), and
learning from it (``labels.py``).

A contribution is the directory ``contributions/<id>/`` with the clean photo and one JSON file. It
is put together under another name and then renamed, and renamed away before it is removed, so it
is there whole or not at all. Whatever was derived from one that is not there any more is
erased by ``withdrawal``, which needs no other memory of a deletion.
"""

from __future__ import annotations

import json
import secrets
import shutil
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any, Literal

from reds_pipeline.errors import RedsError
from reds_pipeline.storage import atomic
from reds_pipeline.storage.home import Home
from reds_pipeline.storage.locks import WITHDRAWAL_SECONDS, exclusive

How = Literal["unprompted", "accepted", "added"]

_FACTS = "contribution.json"
_IDS = "[0-9a-f]" * 32
DELETING_PREFIX = ".deleting-"
# What is half written is taken for the work of a killed process only after this time.
_UNFINISHED_SECONDS = 3600.0


@dataclass(frozen=True)
class ContributedTag:
    """One tag that a person gave to a photo.

    Attributes:
        tag: The model's name of it where a model knows it, otherwise as typed, without ``#``.
        how: ``unprompted`` was typed before any suggestion was seen, ``accepted`` is a suggestion
            that was taken, ``added`` was typed after suggestions were seen.
        rank: Of a suggested one its place among the suggestions, from 1; otherwise 0.
        probability: Of a suggested one the calibrated chance that was shown; otherwise None.
        model: Name of the registered model that suggested it, or "".
        version: Its version, or "".
    """

    tag: str
    how: How
    rank: int = 0
    probability: float | None = None
    model: str = ""
    version: str = ""


@dataclass(frozen=True)
class Contribution:
    """A photo that somebody gave for training.

    Attributes:
        id: Keyed hash of its code, 32 hexadecimal digits.
        sha256: Of the photo as kept, without metadata.
        extension: Of the photo as kept: ``jpg``, ``png`` or ``webp``.
        at: When it was given, ISO 8601 in UTC.
        width: Upright, in pixels.
        height: The same.
        perceptual_hash: As ``images`` has it, 16 hexadecimal digits.
        mirrored_hash: The same of the mirrored photo.
        consent: Version of the text that the person agreed to.
        delete_after: ISO 8601 time in UTC after which it goes unless something learns from it.
        tags: What the person called it, unprompted ones first.
        rejected: Suggestions that the person said are wrong.
        code: What deletes it; known only in the answer to giving it, otherwise "".
    """

    id: str
    sha256: str
    extension: str
    at: str
    width: int
    height: int
    perceptual_hash: str
    mirrored_hash: str
    consent: str
    delete_after: str
    tags: tuple[ContributedTag, ...] = ()
    rejected: tuple[str, ...] = ()
    code: str = field(default="", repr=False)


def contributions(home: Home) -> list[Contribution]:
    """Return all contributions that are there now, oldest first.

    Raises:
        RedsError: The file of one is damaged.
    """
    found = (_read(path.parent) for path in home.contributions.glob(f"{_IDS}/{_FACTS}"))
    return sorted((one for one in found if one), key=lambda one: (one.at, one.id))


def contribution(home: Home, contribution_id: str) -> Contribution | None:
    """Return the contribution of an id (32 hexadecimal digits), if it is there."""
    return _read(home.contributions / contribution_id)


def read_contributed_photo(home: Home, contributed: Contribution) -> bytes:
    """Return the photo of a contribution as kept: a file without metadata.

    Raises:
        FileNotFoundError: It was deleted meanwhile.
    """
    return _photo(home.contributions / contributed.id, contributed).read_bytes()


def store_contribution(home: Home, contributed: Contribution, data: bytes) -> None:
    """Keep a contribution; a kill at any point leaves all of it or nothing that is ever read.

    Args:
        home: Where to.
        contributed: What is known of it; its code is not kept.
        data: The photo, without metadata.

    Raises:
        RedsError: The disk is full, or the directory cannot be written.
    """
    place = home.contributions / contributed.id
    with atomic.writing(place):
        home.contributions.mkdir(parents=True, exist_ok=True)
        # Nobody but the owner of the process may look into it.
        unfinished = Path(tempfile.mkdtemp(prefix=atomic.TEMPORARY_PREFIX, dir=home.contributions))
        try:
            _photo(unfinished, contributed).write_bytes(data)
            (unfinished / _FACTS).write_text(_as_json(contributed), encoding="utf-8")
            unfinished.rename(place)
        finally:
            shutil.rmtree(unfinished, ignore_errors=True)


def retag_contribution(
    home: Home,
    contribution_id: str,
    tags: tuple[ContributedTag, ...],
    rejected: tuple[str, ...] = (),
) -> bool:
    """Replace what the person called a photo; returns False if it was deleted meanwhile.

    Raises:
        RedsError: The disk is full, or the directory cannot be written.
    """
    with _alone(home):
        known = contribution(home, contribution_id)
        if known is None:
            return False
        changed = replace(known, tags=tags, rejected=rejected)
        if changed != known:
            atomic.write_text(home.contributions / known.id / _FACTS, _as_json(changed))
    return True


def remove_contribution(home: Home, contribution_id: str) -> bool:
    """Remove a photo with everything that was said about it; returns whether it was there.

    Raises:
        RedsError: The directory cannot be changed.
    """
    place = home.contributions / contribution_id
    with _alone(home), atomic.writing(place):
        going = home.contributions / f"{DELETING_PREFIX}{secrets.token_hex(16)}"
        try:
            place.rename(going)
        except FileNotFoundError:
            return False
        shutil.rmtree(going)
    return True


def remove_unfinished(home: Home) -> int:
    """Remove what kills left of contributions that were being kept or removed.

    Returns:
        How many directories went.
    """
    latest = time.time() - _UNFINISHED_SECONDS
    leftovers = [*home.contributions.glob(f"{DELETING_PREFIX}*")]
    for path in home.contributions.rglob(f"{atomic.TEMPORARY_PREFIX}*"):
        with suppress(FileNotFoundError):
            if path.stat().st_mtime <= latest:
                leftovers.append(path)
    for path in leftovers:
        if path.is_dir():
            shutil.rmtree(path, ignore_errors=True)
        else:
            path.unlink(missing_ok=True)
    return len(leftovers)


def _photo(place: Path, contributed: Contribution) -> Path:
    return place / f"photo.{contributed.extension}"


def _as_json(contributed: Contribution) -> str:
    facts = asdict(contributed)
    del facts["code"]
    return json.dumps(facts, ensure_ascii=False, indent=1)


def _read(place: Path) -> Contribution | None:
    path = place / _FACTS
    try:
        facts: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
        tags = tuple(ContributedTag(**tag) for tag in facts.pop("tags"))
        return Contribution(**facts | {"tags": tags, "rejected": tuple(facts["rejected"])})
    except (FileNotFoundError, NotADirectoryError):
        return None
    except (ValueError, TypeError, KeyError, AttributeError) as error:
        raise RedsError(
            f"{path} is damaged, so nobody can tell what was contributed there; put it back from "
            f"a backup, or delete {place}."
        ) from error


@contextmanager
def _alone(home: Home) -> Iterator[None]:
    """Hold off others who change contributions: a tag must not bring back what was deleted."""
    with exclusive(
        home.lock("contributions"),
        "changing a contributed photo",
        patience_seconds=WITHDRAWAL_SECONDS,
    ):
        yield
