"""Which classes to learn.

What belongs here: the asset ``class_selection``, and keeping Dagster's partitions in step with
it. What does not: the rules (``lexicon.selection``, ``lexicon.class_turnover``).
"""

from collections.abc import Callable, Iterable, Sequence
from datetime import UTC, datetime

import dagster as dg

from reds_pipeline.assets.common import markdown_table, plain_failures
from reds_pipeline.class_refresh import decide_classes
from reds_pipeline.class_states import class_states, in_words, record_changes, table_rows
from reds_pipeline.jobs import DISCOVER, TO_COLLECT
from reds_pipeline.lexicon.class_memory import COLLECTING, LEARNING, ClassChange
from reds_pipeline.notices import CLASS_CHANGE, notify
from reds_pipeline.partitions import classes
from reds_pipeline.resources import Platform
from reds_pipeline.storage.clock import as_text
from reds_pipeline.storage.tables import CLASS_SELECTION, write_rows


@dg.asset(deps=["trending_tags"], group_name=DISCOVER, kinds={"python", "parquet"})
@plain_failures
def class_selection(
    context: dg.AssetExecutionContext, platform: dg.ResourceParam[Platform]
) -> dg.MaterializeResult:
    """The classes, each with its reason; those not chosen too (R-CLS-1, 6 to 8, 11)."""
    from reds_pipeline.lexicon.semantics import closest_pair, wu_palmer_matrix
    from reds_pipeline.lexicon.wordnet import load_wordnet

    home, wordnet = platform.home, load_wordnet()
    had_classes = bool(class_states(home))
    decided = decide_classes(
        platform, wordnet, _collected_since(context.instance), datetime.now(UTC)
    )
    changes = record_changes(platform.ledger, decided.changes)
    write_rows(
        home.table("class_selection"),
        table_rows(decided, as_text(decided.counted_at)),
        CLASS_SELECTION,
    )
    names = decided.names(LEARNING, COLLECTING)
    _follow(context.instance, names)
    if had_classes and not platform.attended:
        _tell(platform, changes)
    senses = {row.lemma: row.candidate.synset for row in decided.rows}
    matrix = wu_palmer_matrix([senses[name] for name in names], wordnet)
    closest = closest_pair(names, matrix)
    return dg.MaterializeResult(
        metadata={
            # The sensors collect what this very refresh chose.
            TO_COLLECT: dg.MetadataValue.json(names),
            "classes": ", ".join(decided.names(LEARNING)),
            "collected, not learnt yet": ", ".join(decided.names(COLLECTING)) or "none",
            "changes": _changes_table(changes),
            "closest pair": f"{closest.first} and {closest.second}, {closest.similarity:.3f}"
            if closest
            else "unknown",
            "Wu-Palmer similarity": markdown_table(
                [
                    {
                        "class": name,
                        **{other: float(value) for other, value in zip(names, line, strict=True)},
                    }
                    for name, line in zip(names, matrix, strict=True)
                ]
            ),
            "candidates": markdown_table(
                [
                    {
                        "lemma": row.lemma,
                        "posts": row.candidate.posts,
                        "authors": row.candidate.authors,
                        "chosen": row.state or "no",
                        "since": row.since[:10],
                        "dry refreshes": row.dry_refreshes,
                        "why": row.candidate.reason,
                    }
                    for row in decided.rows
                ]
            ),
        }
    )


def _collected_since(instance: dg.DagsterInstance) -> Callable[[str, datetime], bool]:
    """Return what says whether a collection of a class has finished since a moment."""

    def collected(name: str, since: datetime) -> bool:
        found = instance.fetch_materializations(
            dg.AssetRecordsFilter(
                asset_key=dg.AssetKey("clean_images"),
                asset_partitions=[name],
                after_timestamp=since.timestamp(),
            ),
            limit=1,
        )
        return bool(found.records)

    return collected


def _follow(instance: dg.DagsterInstance, names: Iterable[str]) -> None:
    """Let Dagster's partitions be the classes that are collected.

    What it knows of the runs of a partition stays in its event log, and shows again when the
    class comes back.
    """
    assert classes.name is not None
    wanted = list(names)
    instance.add_dynamic_partitions(classes.name, wanted)
    for gone in set(instance.get_dynamic_partitions(classes.name)) - set(wanted):
        instance.delete_dynamic_partition(classes.name, gone)


def _tell(platform: Platform, changes: Sequence[ClassChange]) -> None:
    """Tell the operator which classes entered, are learnt from now on, or left."""
    told = [each for each in changes if each.change in ("entered", "learning", "left")]
    if told:
        body = "\n".join(f"{each.lemma} {in_words(each.change)}: {each.reason}." for each in told)
        notify(platform, CLASS_CHANGE, "A class entered, is learnt now, or left", body)


def _changes_table(changes: Sequence[ClassChange]) -> dg.MarkdownMetadataValue | str:
    if not changes:
        return "none"
    return markdown_table(
        [{"class": each.lemma, "change": each.change, "why": each.reason} for each in changes]
    )
