"""Collecting the posts of one class through the consent gates.

What belongs here: the asset ``raw_posts``. What does not: walking timelines or judging posts
(``reds_pipeline.fediverse``), or pictures (``images.py``).
"""

import dagster as dg

from reds_pipeline.assets.common import HOST_POOL, markdown_table, plain_failures
from reds_pipeline.jobs import COLLECT
from reds_pipeline.partitions import classes
from reds_pipeline.resources import POSTS_READ, Platform
from reds_pipeline.stage_inputs import query_tags
from reds_pipeline.storage.locks import WITHDRAWAL_SECONDS, exclusive
from reds_pipeline.storage.partitions import partition_lock
from reds_pipeline.storage.tables import CURSORS, POSTS, read_rows, write_rows


@dg.asset(
    partitions_def=classes,
    deps=["class_selection"],
    group_name=COLLECT,
    kinds={"python", "parquet"},
    pool=HOST_POOL,
)
@plain_failures
def raw_posts(
    context: dg.AssetExecutionContext, platform: dg.ResourceParam[Platform]
) -> dg.MaterializeResult:
    """Posts of one class; of a gated post only a keyed hash and the reason (R-SCR-1 to 4)."""
    from reds_pipeline.fediverse.collection import Known, collect_posts
    from reds_pipeline.fediverse.walks import Cursor

    name, home = context.partition_key, platform.home
    posts, cursors = home.table("posts", name), home.table("cursors", name)
    journal = home.journal("posts", name)
    with (
        exclusive(
            partition_lock(home, "posts", name),
            f"collecting {name}",
            patience_seconds=WITHDRAWAL_SECONDS,
        ),
        platform.host() as client,
    ):
        profile = platform.profile(client)
        with platform.post_reader(client, profile) as reader:
            collected = collect_posts(
                client,
                profile,
                tags=query_tags(home, name),
                reader=reader,
                wanted_images=platform.settings.raw_per_class,
                journal=journal,
                known=Known(read_rows(posts, POSTS), [Cursor(**row) for row in read_rows(cursors)]),
                rules=platform.paging_rules,
            )
        write_rows(posts, collected.rows, POSTS)
        write_rows(cursors, [cursor.row() for cursor in collected.cursors], CURSORS)
        journal.delete()
        requests = client.requests_made
    if collected.stopped_by:
        platform.notices.append(f"{name}: {collected.stopped_by}")
    platform.cost[POSTS_READ] += collected.new_posts
    counts = collected.counts
    dropped = [{"reason": reason, "posts": n} for reason, n in counts["dropped"].items()]
    return dg.MaterializeResult(
        metadata={
            "dagster/row_count": len(collected.rows),
            "kept": counts["kept"],
            "gated": markdown_table(dropped),
            "new": collected.new_posts,
            "requests": requests,
            "pages that the host could not show": collected.unreadable,
            "ended early because": collected.stopped_by or "it did not",
            "tags asked for": ", ".join(query_tags(home, name)),
        }
    )
