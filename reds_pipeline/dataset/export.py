"""Writing the data set down for use elsewhere: pictures, card and description in one directory.

What belongs here: the order of the steps, and what an export must not do. What does not: each
format (``image_folder.py``, ``parquet_export.py``, ``webdataset_export.py``).

The directory is put together under a temporary name beside its place and renamed at the end, the
list of its files last of all, so that it is whole or absent. Exports are remembered before the
first picture is copied (``remembered.py``): a kill leaves copies under the temporary name, which a
withdrawal has to know of, until the directory is exported again or noted as deleted.
"""

from __future__ import annotations

import hashlib
import json
import secrets
import shutil
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, get_args

from reds_pipeline.dataset import image_folder, parquet_export, webdataset_export
from reds_pipeline.dataset.card import ExportFacts, render_card
from reds_pipeline.dataset.collect_facts import curated_table
from reds_pipeline.dataset.croissant import Distribution, croissant
from reds_pipeline.dataset.facts import DatasetFacts
from reds_pipeline.dataset.licences import Sharing
from reds_pipeline.dataset.records import ExportChoice, choose_records
from reds_pipeline.dataset.remembered import (
    RememberedExport,
    forget_export,
    remember,
    remove_unfinished_copies,
    unfinished_copy,
)
from reds_pipeline.dataset.sentences import licence_sentences
from reds_pipeline.dataset.splits import split_dataset
from reds_pipeline.errors import RedsError
from reds_pipeline.frozen_test import remembered_test
from reds_pipeline.imaging.curation import dataset_digest
from reds_pipeline.storage.clock import utc_now
from reds_pipeline.storage.home import Home
from reds_pipeline.storage.locks import exclusive
from reds_pipeline.storage.tables import CURATED, read_rows

Format = Literal["image_folder", "parquet", "webdataset"]
FORMATS: tuple[Format, ...] = get_args(Format)

CARD = "README.md"
CROISSANT = "croissant.json"
MANIFEST = "manifest.json"

_Writer = Callable[[Path, Home, ExportChoice], dict[str, str]]
_WRITERS: Mapping[Format, tuple[_Writer, tuple[str, ...]]] = {
    "image_folder": (image_folder.write_image_folder, image_folder.LAYOUT),
    "parquet": (parquet_export.write_parquet, parquet_export.LAYOUT),
    "webdataset": (webdataset_export.write_webdataset, webdataset_export.LAYOUT),
}
_LAYOUT_OF_ALL = (
    f"`{CROISSANT}`: this description for machines. `{MANIFEST}`: every other file with its "
    "SHA-256, and the names of all pictures.",
)


@dataclass(frozen=True)
class ExportRequest:
    """What to export.

    Attributes:
        directory: Where to; absent or empty, and not inside the home.
        format: How the pictures are stored.
        sharing: Which licences to take; see ``licences.Sharing``.
    """

    directory: Path
    format: Format = "image_folder"
    sharing: Sharing = "open"


@dataclass(frozen=True)
class _Plan:
    """An export about to be made."""

    export_id: str
    facts: DatasetFacts
    request: ExportRequest
    choice: ExportChoice


@dataclass(frozen=True)
class ExportReport:
    """What was exported.

    Attributes:
        export_id: By which the card names it and the home remembers it.
        directory: Where it is.
        pictures: How many.
        by_class: How many of each class.
        left_out: How many pictures of the data set are not in it, by reason.
        total_bytes: Of all files.
        notes: What the operator has to know before giving it to anybody, as sentences.
    """

    export_id: str
    directory: Path
    pictures: int
    by_class: Mapping[str, int]
    left_out: Mapping[str, int]
    total_bytes: int
    notes: tuple[str, ...]


def export_dataset(home: Home, facts: DatasetFacts, request: ExportRequest) -> ExportReport:
    """Write an export of the present data set.

    Args:
        home: Whose data set.
        facts: About it, collected just now.
        request: What to export, and where to.

    Raises:
        RedsError: The directory is in use or inside the home, no picture may be exported, the
            data set changed on the way, or the disk is full.
    """
    directory = request.directory.absolute()
    _require_free(directory, home)
    with exclusive(home.lock("export"), "exporting a data set"):
        rows = curated_table(home)
        if dataset_digest(rows) != facts.digest:
            raise _changed_meanwhile()
        split = split_dataset(rows, facts.rules.seed, remembered_test(home))
        choice = choose_records(home, rows, split, request.sharing)
        if not choice.records:
            raise _nothing_to_export(choice)
        export_id = f"{utc_now()[:10]}-{secrets.token_hex(4)}"
        plan = _Plan(export_id, facts, request, choice)
        with _remembered(home, plan), _becoming(directory, home, export_id) as temporary:
            files = _write(temporary, home, plan)
            # Whatever was withdrawn before this is missing now; whatever is withdrawn later finds
            # this export remembered.
            if not all(record.stored_in(home).exists() for record in choice.records):
                raise _changed_meanwhile()
            temporary.rename(directory)
    return ExportReport(
        export_id=export_id,
        directory=directory,
        pictures=len(choice.records),
        by_class=dict(Counter(record.class_name for record in choice.records)),
        left_out=choice.left_out,
        total_bytes=sum(entry["bytes"] for entry in files.values()),
        notes=_notes(choice),
    )


def withdrawn_from(directory: Path, home: Home, was_erased: Callable[[str], bool]) -> list[str]:
    """Return the pictures of an export that this installation has had to erase since.

    Args:
        directory: The export, or a copy of it.
        home: Where it was made.
        was_erased: Says of a SHA-256 whether its picture was ever erased here.

    Returns:
        Their SHA-256, sorted. One that came back by another post is not among them.

    Raises:
        RedsError: There is no export in that directory.
    """
    try:
        pictures = json.loads((directory / MANIFEST).read_text(encoding="utf-8"))["pictures"]
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise RedsError(
            f"{directory} holds no export of REDS that could be checked, because its {MANIFEST} "
            "cannot be read; give the directory that `reds export` wrote."
        ) from error
    # Not ``curated_table``: the data set may have lost its last picture since.
    rows = read_rows(home.table("curated_dataset"), CURATED)
    kept = {row["sha256"] for row in rows if row["kept"]}
    return sorted(sha256 for sha256 in pictures if sha256 not in kept and was_erased(sha256))


def _write(directory: Path, home: Home, plan: _Plan) -> dict[str, dict[str, Any]]:
    """Write every file of an export; return size and hash of each but the list of them."""
    facts, request, choice = plan.facts, plan.request, plan.choice
    write_pictures, layout = _WRITERS[request.format]
    try:
        data_files = write_pictures(directory, home, choice)
    except FileNotFoundError as error:
        raise _changed_meanwhile() from error
    export = ExportFacts(
        export_id=plan.export_id,
        format=request.format,
        sharing=request.sharing,
        records=choice.records,
        classes=choice.classes,
        left_out=choice.left_out,
        data_files=data_files,
        layout=(*layout, *_LAYOUT_OF_ALL),
    )
    hashes = {path: entry["sha256"] for path, entry in _files_of(directory).items()}
    described = croissant(facts, Distribution(export, hashes))
    (directory / CARD).write_text(render_card(facts, export), encoding="utf-8")
    (directory / CROISSANT).write_text(_as_json(described), encoding="utf-8")
    files = _files_of(directory)
    manifest = {
        "export_id": plan.export_id,
        "made_at": facts.made_at,
        "made_by": f"REDS {facts.reds_version}",
        "format": request.format,
        "sharing": request.sharing,
        "dataset_digest": facts.digest,
        "classes": list(choice.classes),
        "pictures": [record.sha256 for record in choice.records],
        "files": files,
    }
    (directory / MANIFEST).write_text(_as_json(manifest), encoding="utf-8")
    return files


def _files_of(directory: Path) -> dict[str, dict[str, Any]]:
    """Return ``{"sha256", "bytes"}`` of every file by its path within the directory."""
    entries = {}
    for path in sorted(directory.rglob("*")):
        if path.is_file():
            with path.open("rb") as file:
                sha256 = hashlib.file_digest(file, "sha256").hexdigest()
            name = path.relative_to(directory).as_posix()
            entries[name] = {"sha256": sha256, "bytes": path.stat().st_size}
    return entries


@contextmanager
def _becoming(directory: Path, home: Home, export_id: str) -> Iterator[Path]:
    """Yield a temporary directory beside ``directory``; erase whatever was not renamed."""
    temporary = unfinished_copy(directory, export_id)
    try:
        directory.parent.mkdir(parents=True, exist_ok=True)
        remove_unfinished_copies(home, directory)
        temporary.mkdir()
        yield temporary
    except OSError as error:
        raise RedsError(
            f"The export could not be written to {directory} ({error.strerror or error}); make "
            "room there or choose another directory, and export again."
        ) from error
    finally:
        shutil.rmtree(temporary, ignore_errors=True)


@contextmanager
def _remembered(home: Home, plan: _Plan) -> Iterator[None]:
    """Remember an export, unless finishing it fails."""
    remember(
        home,
        RememberedExport(
            export_id=plan.export_id,
            at=utc_now(),
            format=plan.request.format,
            sharing=plan.request.sharing,
            dataset_digest=plan.facts.digest,
            directory=plan.request.directory.absolute().name,
            sha256s=frozenset(record.sha256 for record in plan.choice.records),
        ),
    )
    try:
        yield
    except BaseException:
        forget_export(home, plan.export_id)
        raise


def _require_free(directory: Path, home: Home) -> None:
    if directory.resolve().is_relative_to(home.root.resolve()):
        raise RedsError(
            f"{directory} lies inside REDS_HOME, where a withdrawal would not look for an export; "
            "choose a directory outside."
        )
    if directory.exists() and (not directory.is_dir() or any(directory.iterdir())):
        raise RedsError(
            f"{directory} is not empty, and an export never writes over what is there; choose a "
            "new directory, or empty that one."
        )


def _nothing_to_export(choice: ExportChoice) -> RedsError:
    if by_licence := choice.left_out.get("licence"):
        return RedsError(
            f"Nothing was exported because the licences of all {by_licence} pictures reserve more "
            "rights than the export may take; `--licences open` takes every open licence, and "
            "`--licences all` everything, for your own use alone."
        )
    return RedsError(
        "Nothing was exported because the files of all pictures are gone; run `reds run` to "
        "collect again."
    )


def _changed_meanwhile() -> RedsError:
    return RedsError(
        "Nothing was exported because the data set changed while it was being written, perhaps "
        "by a withdrawal; export again."
    )


def _notes(choice: ExportChoice) -> tuple[str, ...]:
    notes = licence_sentences(record.licence for record in choice.records)
    if left_behind := choice.left_out.get("licence"):
        notes.append(f"{left_behind} pictures were left out because of their licence.")
    if lost := choice.left_out.get("file_lost"):
        notes.append(f"{lost} pictures were left out because their file is gone.")
    return tuple(notes)


def _as_json(value: Any) -> str:
    return json.dumps(value, indent=2, ensure_ascii=False) + "\n"
