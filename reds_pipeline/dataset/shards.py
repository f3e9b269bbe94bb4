"""Which pictures go into which file of an export that packs many into one.

What belongs here: cutting a list into pieces of about equal size, and going through them. What
does not: the form of a file (``parquet_export.py``, ``webdataset_export.py``).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from itertools import groupby
from pathlib import Path

from reds_pipeline.dataset.records import ExportChoice, ExportRecord
from reds_pipeline.dataset.splits import PARTS, Part
from reds_pipeline.storage.home import Home

# Large enough that few files result, small enough that one is read, sent and shown at once.
SHARD_BYTES = 256 * 1024 * 1024


def shard_numbers(sizes: Sequence[int], limit: int) -> list[int]:
    """Return the number of the shard of each of some files, in their order.

    A shard is full as soon as the next file would take it over the limit; a single file that is
    larger than the limit gets a shard of its own.

    Args:
        sizes: In bytes.
        limit: In bytes, at least 1.

    Raises:
        ValueError: The limit is not positive.
    """
    if limit < 1:
        raise ValueError("a shard needs room for a byte at least")
    numbers: list[int] = []
    number = filled = 0
    for size in sizes:
        if filled and filled + size > limit:
            number, filled = number + 1, 0
        filled += size
        numbers.append(number)
    return numbers


def shards_by_part(
    home: Home, choice: ExportChoice, limit: int
) -> dict[Part, list[list[ExportRecord]]]:
    """Return the shards of each part that has pictures.

    Args:
        home: Where the pictures lie.
        choice: What to export.
        limit: Bytes of pictures a shard.
    """
    shards: dict[Part, list[list[ExportRecord]]] = {}
    for part in PARTS:
        records = [record for record in choice.records if record.part == part]
        if not records:
            continue
        sizes = [_size(record.stored_in(home)) for record in records]
        numbered = zip(shard_numbers(sizes, limit), records, strict=True)
        shards[part] = [
            [record for _, record in shard] for _, shard in groupby(numbered, lambda one: one[0])
        ]
    return shards


def write_shards(
    directory: Path,
    shards: Mapping[Part, Sequence[list[ExportRecord]]],
    name_of: Callable[[Part, int, Sequence[list[ExportRecord]]], str],
    write: Callable[[Path, list[ExportRecord]], None],
) -> dict[str, str]:
    """Write every shard into ``data``, a directory of its own.

    Args:
        directory: An existing directory.
        shards: What ``shards_by_part`` returned.
        name_of: Gives the file name of a shard, told its part, its number and all of the part;
            names of one part begin with it and a dash and end alike.
        write: Writes one shard.

    Returns:
        The pattern of the files of each part.

    Raises:
        FileNotFoundError: A picture is gone.
        OSError: The disk is full.
    """
    (directory / "data").mkdir()
    data_files: dict[str, str] = {}
    for part, of_part in shards.items():
        for number, records in enumerate(of_part):
            path = directory / "data" / name_of(part, number, of_part)
            write(path, records)
            data_files[part] = f"data/{part}-*{path.suffix}"
    return data_files


def _size(path: Path) -> int:
    return path.stat().st_size
