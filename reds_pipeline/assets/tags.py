"""What people tag at the moment.

What belongs here: the asset ``trending_tags``. What does not: sampling
(``fediverse.collection``) and counting (``lexicon.trends``).
"""

from dataclasses import asdict
from typing import Any

import dagster as dg

from reds_pipeline.assets.common import HOST_POOL, markdown_table, plain_failures
from reds_pipeline.jobs import DISCOVER
from reds_pipeline.resources import POSTS_READ, Platform
from reds_pipeline.storage.clock import utc_now
from reds_pipeline.storage.locks import WITHDRAWAL_SECONDS, exclusive
from reds_pipeline.storage.tables import CURSORS, HASHTAGS, LEMMAS, POSTS, read_rows, write_rows

_SHOWN = 20


@dg.asset(
    group_name=DISCOVER,
    kinds={"python", "parquet"},
    pool=HOST_POOL,
)
@plain_failures
def trending_tags(platform: dg.ResourceParam[Platform]) -> dg.MaterializeResult:
    """Hashtags of the newest posts, as posted and as lemmas (R-TAG-1 to 13)."""
    from reds_pipeline.fediverse.collection import Collected, Known, funnel, sample_public
    from reds_pipeline.fediverse.walks import Cursor
    from reds_pipeline.fediverse.web.failures import AuthenticationRequired, HostRefused
    from reds_pipeline.lexicon.trends import count_hashtags
    from reds_pipeline.lexicon.wordnet import load_wordnet
    from reds_pipeline.retraining.kept_samples import keep_sample

    home = platform.home
    posts, cursors = home.table("sample_posts"), home.table("sample_cursors")
    journal = home.journal("sample", "public")
    sample_lock = exclusive(
        home.lock("sample"), "sampling posts", patience_seconds=WITHDRAWAL_SECONDS
    )
    with sample_lock, platform.host() as client:
        profile = platform.profile(client)
        known = Known(read_rows(posts, POSTS), [Cursor(**row) for row in read_rows(cursors)])
        try:
            with platform.post_reader(client, profile) as reader:
                sample = sample_public(
                    client,
                    profile,
                    reader=reader,
                    wanted_posts=platform.settings.sample_posts,
                    journal=journal,
                    known=known,
                    rules=platform.paging_rules,
                )
        except (AuthenticationRequired, HostRefused) as closed:
            if not platform.settings.classes:
                raise
            # Somebody has named the classes, so that nothing depends on what is posted now.
            sample = Collected(
                list(known.rows), list(known.cursors), 0, funnel(known.rows), stopped_by=str(closed)
            )
        write_rows(posts, sample.rows, POSTS)
        write_rows(cursors, [cursor.row() for cursor in sample.cursors], CURSORS)
        journal.delete()
    if sample.stopped_by:
        platform.notices.append(f"The sample: {sample.stopped_by}")
    platform.cost[POSTS_READ] += sample.new_posts
    counts = count_hashtags(sample.rows, load_wordnet())
    hashtags = [asdict(tag) for tag in counts.tags]
    lemmas = [
        {**asdict(lemma), "sources": [{"tag": tag, "occurrences": n} for tag, n in lemma.sources]}
        for lemma in counts.lemmas
    ]
    write_rows(home.table("hashtags"), hashtags, HASHTAGS)
    write_rows(home.table("lemmas"), lemmas, LEMMAS)
    kept = keep_sample(home, sample.rows, {tag.tag: tag.lemmas for tag in counts.tags}, utc_now())
    # Times and not ids: this stays in Dagster's event log when a post has long been deleted.
    times = sorted(row["created_at"] for row in sample.rows if row["created_at"])
    return dg.MaterializeResult(
        metadata={
            "posts": counts.posts,
            "kept for the study of trends": kept,
            "new posts": sample.new_posts,
            "oldest and newest": " to ".join(times[:: len(times) - 1]) if len(times) > 1 else "",
            "pages that the host could not show": sample.unreadable,
            "ended early because": sample.stopped_by or "it did not",
            "gated": markdown_table(
                [{"reason": why, "posts": n} for why, n in sample.counts["dropped"].items()]
            ),
            "hashtags written": counts.occurrences,
            "hashtags per post": counts.tags_per_post,
            "different hashtags": counts.unique_tags,
            "tokens after cleaning": counts.tokens,
            "different lemmas": counts.unique_lemmas,
            "hashtags emptied by cleaning": counts.emptied_tags,
            "top hashtags": _top(hashtags, ("tag", "posts", "authors")),
            "top lemmas": _top(lemmas, ("lemma", "posts", "authors")),
        }
    )


def _top(rows: list[dict[str, Any]], columns: tuple[str, ...]) -> dg.MarkdownMetadataValue:
    return markdown_table([{column: row[column] for column in columns} for row in rows[:_SHOWN]])
