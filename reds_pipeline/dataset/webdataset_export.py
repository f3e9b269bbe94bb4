"""An export as tar files in which the files of one picture follow one another.

What belongs here: writing that form, which the library webdataset and dataset hubs stream. What
does not: choosing the pictures. They come in the order of their SHA-256, so that every shard
mixes the classes. The same data set gives the same bytes: no times and no owners are written.
The name of a shard says what is in it, because readers keep what they unpacked under that name,
and would take the shard of another export for this one.
"""

from __future__ import annotations

import csv
import hashlib
import io
import json
import tarfile
from pathlib import Path
from typing import Any

from reds_pipeline.dataset.records import ExportChoice, ExportRecord
from reds_pipeline.dataset.shards import SHARD_BYTES, shards_by_part, write_shards
from reds_pipeline.storage.home import Home

LAYOUT = (
    "`data/<part>-<number>-<digest>.tar`: of each picture three files that follow one another, "
    "`<sha256>.<extension>` as it was stored, `<sha256>.cls` with the number of its class, and "
    "`<sha256>.json` with the columns below. Files keep their kind, so ask for `jpg;png;webp`; a "
    "reader that takes the first kind it meets for the only one misses the others.",
    "`pictures.csv`: the same columns of all pictures in one table, for who only wants to count.",
)
TABLE = "pictures.csv"


def write_webdataset(
    directory: Path, home: Home, choice: ExportChoice, shard_bytes: int = SHARD_BYTES
) -> dict[str, str]:
    """Write the pictures of an export; memory holds one picture at a time.

    Args:
        directory: An existing directory.
        home: Where the pictures lie.
        choice: What to export.
        shard_bytes: Bytes of pictures a file.

    Returns:
        The pattern of the files of each part.

    Raises:
        FileNotFoundError: A picture is gone.
        OSError: The disk is full.
    """
    data_files = write_shards(
        directory,
        shards_by_part(home, choice, shard_bytes),
        lambda part, number, shards: f"{part}-{number:06d}-{_contents_digest(shards[number])}.tar",
        lambda path, records: _write_shard(path, home, records),
    )
    _write_table(directory / TABLE, choice)
    return data_files


def _write_shard(path: Path, home: Home, records: list[ExportRecord]) -> None:
    with tarfile.open(path, "w", format=tarfile.USTAR_FORMAT) as tar:
        for record in records:
            _add_record(tar, home, record)


def _contents_digest(records: list[ExportRecord]) -> str:
    descriptions = json.dumps([_description(record) for record in records])
    return hashlib.sha256(descriptions.encode()).hexdigest()[:12]


def _write_table(path: Path, choice: ExportChoice) -> None:
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, list(_description(choice.records[0])))
        writer.writeheader()
        writer.writerows(map(_description, choice.records))


def _description(record: ExportRecord) -> dict[str, Any]:
    return {"file_name": record.file_name, "label": record.label, **record.description()}


def _add_record(tar: tarfile.TarFile, home: Home, record: ExportRecord) -> None:
    description = _description(record)
    _add_file(tar, record.file_name, record.stored_in(home).read_bytes())
    _add_file(tar, f"{record.sha256}.cls", str(record.label).encode("ascii"))
    _add_file(
        tar, f"{record.sha256}.json", json.dumps(description, ensure_ascii=False).encode("utf-8")
    )


def _add_file(tar: tarfile.TarFile, name: str, data: bytes) -> None:
    member = tarfile.TarInfo(name)
    member.size = len(data)
    tar.addfile(member, io.BytesIO(data))
