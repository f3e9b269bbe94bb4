"""The photos that people gave on the page, described and labelled like collected ones.

What belongs here: the asset ``contributed_images``. What does not: keeping and deleting
contributions (``feedback``), and which of them are learnt from, which ``curated_dataset`` decides.
"""

from collections import Counter

import dagster as dg

from reds_pipeline.assets.common import HEAVY_POOL, markdown_table, plain_failures
from reds_pipeline.jobs import CLEAN
from reds_pipeline.resources import Platform
from reds_pipeline.stage_inputs import learnt_classes, query_tags


@dg.asset(
    deps=["class_selection", "recheck"],
    group_name=CLEAN,
    kinds={"python", "parquet"},
    pool=HEAVY_POOL,
)
@plain_failures
def contributed_images(platform: dg.ResourceParam[Platform]) -> dg.MaterializeResult:
    """Photos given on the page with consent: what they show, and their quality (R-IMP-6)."""
    from reds_pipeline.feedback.classes_of_tags import ClassesOfTags
    from reds_pipeline.feedback.contributed_tables import write_contributed_images
    from reds_pipeline.withdrawal.withdraw import finish_withdrawals

    home = platform.home
    tags = {name: query_tags(home, name) for name in learnt_classes(home)}
    rows = write_contributed_images(home, ClassesOfTags(tags), platform.cleaning_rules)
    if rows:
        # Who deleted a photo meanwhile takes along what was made of it.
        finish_withdrawals(home, platform.ledger, platform.tracking)
    fates = Counter(row["drop_reason"] or "may be learnt from" for row in rows)
    return dg.MaterializeResult(
        metadata={
            "dagster/row_count": len(rows),
            "fates": markdown_table(
                [{"fate": fate, "photos": count} for fate, count in fates.most_common()]
            ),
            "labels": markdown_table(
                [
                    {"class": name, "came about as": origin, "photos": count}
                    for (name, origin), count in sorted(
                        Counter(
                            (row["class_name"], row["origin"]) for row in rows if row["kept"]
                        ).items()
                    )
                ]
            ),
        }
    )
