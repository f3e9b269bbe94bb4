"""Which classes to learn.

What belongs here: the asset ``class_selection``, and keeping Dagster's partitions in step with
it. What does not: the rules (``lexicon.selection``).
"""

from dataclasses import asdict

import dagster as dg

from reds_pipeline.assets.common import markdown_table, plain_failures
from reds_pipeline.errors import RedsError
from reds_pipeline.jobs import DISCOVER
from reds_pipeline.partitions import classes
from reds_pipeline.resources import Platform
from reds_pipeline.storage.tables import CLASS_SELECTION, read_rows, write_rows


@dg.asset(deps=["trending_tags"], group_name=DISCOVER, kinds={"python", "parquet"})
@plain_failures
def class_selection(
    context: dg.AssetExecutionContext, platform: dg.ResourceParam[Platform]
) -> dg.MaterializeResult:
    """The classes, each with its reason; those not chosen too (R-CLS-1, 6 to 8, 11)."""
    from reds_pipeline.lexicon.selection import SelectionRules, named_classes, select_classes
    from reds_pipeline.lexicon.semantics import closest_pair, wu_palmer_matrix
    from reds_pipeline.lexicon.trends import count_hashtags
    from reds_pipeline.lexicon.wordnet import load_wordnet

    home, settings, wordnet = platform.home, platform.settings, load_wordnet()
    counts = count_hashtags(read_rows(home.table("sample_posts")), wordnet)
    if settings.classes:
        candidates = named_classes(settings.classes, counts, wordnet)
    else:
        candidates = select_classes(counts, wordnet, SelectionRules(count=settings.class_count))
    chosen = [candidate for candidate in candidates if candidate.accepted]
    if len(chosen) < 2 and settings.classes:
        raise RedsError(
            f"One class, {settings.classes[0]}, leaves nothing to tell apart; name two or more."
        )
    if len(chosen) < 2:
        raise RedsError(
            f"{len(chosen)} of {len(candidates)} frequent hashtags can be a class, and two are "
            "needed; sample more posts (REDS_SAMPLE_POSTS) or name classes with --classes."
        )
    rows = [
        {**asdict(candidate), "query_tags": list(candidate.query_tags)} for candidate in candidates
    ]
    write_rows(home.table("class_selection"), rows, CLASS_SELECTION)
    names = [candidate.lemma for candidate in chosen]
    assert classes.name is not None
    context.instance.add_dynamic_partitions(classes.name, names)
    matrix = wu_palmer_matrix([candidate.synset for candidate in chosen], wordnet)
    closest = closest_pair(names, matrix)
    return dg.MaterializeResult(
        metadata={
            "classes": ", ".join(names),
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
                        "lemma": candidate.lemma,
                        "posts": candidate.posts,
                        "authors": candidate.authors,
                        "chosen": "yes" if candidate.accepted else "no",
                        "why": candidate.reason,
                    }
                    for candidate in candidates
                ]
            ),
        }
    )
