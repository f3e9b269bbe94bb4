"""The pictures of one class: fetched and examined, then cleaned.

What belongs here: the assets ``raw_images`` and ``clean_images``. What does not: fetching
(``fediverse.media``), examining and the cleaning rules (``imaging``).
"""

from collections import Counter
from collections.abc import Sequence
from contextlib import suppress
from functools import partial
from typing import Any

import dagster as dg

from reds_pipeline.assets.common import (
    HEAVY_POOL,
    HOST_POOL,
    markdown_table,
    picture,
    plain_failures,
)
from reds_pipeline.errors import ImageRejected
from reds_pipeline.housekeeping.disk_notice import tell_of_full_disk
from reds_pipeline.housekeeping.disk_use import has_room
from reds_pipeline.jobs import CLEAN, COLLECT
from reds_pipeline.partitions import classes
from reds_pipeline.resources import PICTURES_FETCHED, PICTURES_RESIZED, Platform
from reds_pipeline.run_history import remove_withdrawn_photographs
from reds_pipeline.stage_inputs import learnt_classes, shared_pictures, with_known_descriptions
from reds_pipeline.storage.home import Home
from reds_pipeline.storage.locks import WITHDRAWAL_SECONDS, exclusive
from reds_pipeline.storage.partitions import partition_lock
from reds_pipeline.storage.tables import CLEAN_IMAGES, IMAGES, read_rows, write_rows

_SHOWN = 20


@dg.asset(
    partitions_def=classes,
    deps=["raw_posts"],
    group_name=COLLECT,
    kinds={"python", "parquet"},
    pool=HOST_POOL,
)
@plain_failures
def raw_images(
    context: dg.AssetExecutionContext, platform: dg.ResourceParam[Platform]
) -> dg.MaterializeResult:
    """Pictures of one class, verified, without metadata; one row an attempt (R-SCR-2, 11)."""
    from reds_pipeline.fediverse.media.download import download_images
    from reds_pipeline.imaging.examine import examine_image
    from reds_pipeline.imaging.resize import RESIZE_RULE
    from reds_pipeline.imaging.tensors import TensorWriter
    from reds_pipeline.withdrawal.withdraw import finish_withdrawals, withdrawn_keys

    name, home = context.partition_key, platform.home
    table, journal = home.table("images", name), home.journal("images", name)
    lock = partition_lock(home, "images", name)
    with (
        exclusive(lock, f"fetching pictures of {name}", patience_seconds=WITHDRAWAL_SECONDS),
        platform.media_fetcher() as fetcher,
        TensorWriter(home.tensors(RESIZE_RULE)) as squares,
    ):
        rows = download_images(
            read_rows(home.table("posts", name)),
            [*shared_pictures(home, name), *read_rows(table)],
            fetch=fetcher,
            examine=examine_image,
            store=home.images,
            journal=journal,
            key=home.keyed_hash,
            maximum=platform.settings.raw_per_class,
            withdrawn=withdrawn_keys(platform.ledger),
            # The one decode that examines a picture also makes what backbones see of it.
            keep_square=squares.add,
            has_room=partial(has_room, home.root, platform.settings),
        )
        write_rows(table, rows, IMAGES)
        journal.delete()
    # A post that was gated since takes its picture along, wherever it went.
    withdrawal = finish_withdrawals(home, platform.ledger, platform.tracking)
    sheets = remove_withdrawn_photographs(context.instance, home, context.run_id)
    platform.notices.extend(withdrawal.copies_sentences)
    platform.cost[PICTURES_FETCHED] += fetcher.files_requested
    platform.cost[PICTURES_RESIZED] += squares.added
    if not_had := Counter(row["reason"] for row in rows if row["status"] == "failed"):
        reasons = ", ".join(f"{reason.replace('_', ' ')} {n}" for reason, n in not_had.items())
        platform.notices.append(
            f"{name}: {not_had.total()} pictures could not be fetched this time ({reasons}); the "
            "next run asks for them again."
        )
    if not_had["disk_full"]:
        tell_of_full_disk(platform)
    fates = Counter(row["reason"] or row["status"] for row in rows)
    return dg.MaterializeResult(
        metadata={
            "dagster/row_count": len(rows),
            "stored": fates["stored"],
            "requests": fetcher.files_requested,
            "erased because their post was gated since": withdrawal.removed.get("picture files", 0),
            "contact sheets removed from history": sheets,
            "fates": _counts(fates, "fate"),
        }
    )


@dg.asset(
    partitions_def=classes,
    deps=["raw_images", "class_selection"],
    group_name=CLEAN,
    kinds={"python", "parquet"},
    pool=HEAVY_POOL,
    check_specs=[
        dg.AssetCheckSpec(
            "every_picture_is_accounted_for",
            asset="clean_images",
            blocking=True,
            description="Each stored picture comes out once, kept or with a reason.",
        )
    ],
)
@plain_failures
def clean_images(
    context: dg.AssetExecutionContext, platform: dg.ResourceParam[Platform]
) -> dg.MaterializeResult:
    """Each stored picture, kept or dropped with its reason (R-SCR-5 to 7)."""
    from reds_pipeline.imaging.cleaning import clean_class
    from reds_pipeline.imaging.resize import RESIZE_RULE
    from reds_pipeline.imaging.tensors import describe_missing
    from reds_pipeline.lexicon.labels import classes_of_posts
    from reds_pipeline.lexicon.wordnet import load_wordnet

    name, home = context.partition_key, platform.home
    images = read_rows(home.table("images", name), IMAGES)
    stored = [row for row in images if row["status"] == "stored"]
    cleaned = clean_class(
        name,
        describe_missing(
            with_known_descriptions(home, name, stored), home.images, home.tensors(RESIZE_RULE)
        ),
        # Not other newcomers: what is not learnt yet must take nothing from what is.
        classes_of_posts(stored, {name, *learnt_classes(home)}, load_wordnet()),
        platform.cleaning_rules,
        platform.decisions,
    )
    complete = sorted(row["media_key"] for row in cleaned) == sorted(
        row["media_key"] for row in stored
    )
    if complete:
        write_rows(home.table("clean_images", name), cleaned, CLEAN_IMAGES)
    fates = Counter(row["drop_reason"] or "kept" for row in cleaned)
    kept = [row for row in cleaned if row["kept"]]
    return dg.MaterializeResult(
        metadata={
            "dagster/row_count": len(cleaned),
            "kept": fates["kept"],
            "fates": _counts(fates, "fate"),
            "quality gates that hit": _counts(
                Counter(flag for row in cleaned for flag in row["flags"]), "gate"
            ),
            "contact sheet": picture(_sheet(home, kept[:_SHOWN]), f"Pictures kept of {name}"),
        },
        check_results=[
            dg.AssetCheckResult(
                check_name="every_picture_is_accounted_for",
                passed=complete,
                metadata={"stored": len(stored), "judged": len(cleaned)},
            )
        ],
    )


def _counts(counts: Counter[str], column: str) -> dg.MarkdownMetadataValue:
    return markdown_table(
        [{column: label, "pictures": count} for label, count in counts.most_common()]
    )


def _sheet(home: Home, rows: Sequence[dict[str, Any]]) -> bytes:
    import numpy as np

    from reds_pipeline.imaging.contact_sheet import contact_sheet
    from reds_pipeline.imaging.resize import square_224

    squares = []
    for row in rows:
        # A damaged file is dealt with where it is needed, not where it is only shown.
        with suppress(OSError, ImageRejected):
            squares.append(square_224(home.images.read(row["sha256"], row["extension"]))[0])
    return contact_sheet(np.array(squares).reshape(-1, 224, 224, 3))
