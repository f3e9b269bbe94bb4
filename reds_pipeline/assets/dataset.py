"""All classes as one data set.

What belongs here: the asset ``curated_dataset``. What does not: the rules of curation
(``imaging.curation``), and splits, which belong to a training.
"""

from datetime import timedelta

import dagster as dg

from reds_pipeline.assets.common import HEAVY_POOL, markdown_table, plain_failures
from reds_pipeline.errors import RedsError
from reds_pipeline.jobs import CLEAN
from reds_pipeline.resources import Platform
from reds_pipeline.stage_inputs import selected_classes, unconfirmed_posts
from reds_pipeline.status import class_funnel
from reds_pipeline.storage.tables import CURATED, read_rows, write_rows


@dg.asset(
    deps=[
        dg.AssetDep("clean_images", partition_mapping=dg.AllPartitionMapping()),
        "class_selection",
        "recheck",
    ],
    group_name=CLEAN,
    kinds={"python", "parquet"},
    pool=HEAVY_POOL,
)
@plain_failures
def curated_dataset(platform: dg.ResourceParam[Platform]) -> dg.MaterializeResult:
    """The pictures to learn from: no copy in two classes, so many a class, groups for splits."""
    from reds_pipeline.imaging.cleaning import CleaningRules
    from reds_pipeline.imaging.curation import curate, dataset_digest

    home, settings = platform.home, platform.settings
    names = selected_classes(home)
    rows = curate(
        {name: read_rows(home.table("clean_images", name)) for name in names},
        settings.images_per_class,
        CleaningRules(perceptual_radius=settings.perceptual_radius),
        unconfirmed_posts(home, timedelta(days=settings.confirmed_within_days)),
    )
    write_rows(home.table("curated_dataset"), rows, CURATED)
    if not any(row["kept"] for row in rows):
        raise RedsError(
            f"No picture of {', '.join(names)} is left to learn from; `reds status` says where "
            "they went, so collect from another host or choose other classes."
        )
    digest = dataset_digest(rows)
    funnels = {name: class_funnel(home, name) for name in names}
    return dg.MaterializeResult(
        data_version=dg.DataVersion(digest),
        metadata={
            "dagster/row_count": sum(row["kept"] for row in rows),
            "digest": digest,
            "groups": len({row["group"] for row in rows if row["kept"]}),
            "funnel": markdown_table(
                [
                    {
                        "class": name,
                        "seen": funnel.seen,
                        "kept": funnel.kept,
                        "dropped": ", ".join(f"{why} {n}" for why, n in funnel.dropped.items()),
                    }
                    for name, funnel in funnels.items()
                ]
            ),
            "short of the minimum": ", ".join(
                f"{name} {funnel.kept} of {settings.min_images_per_class}"
                for name, funnel in funnels.items()
                if funnel.kept < settings.min_images_per_class
            )
            or "none",
        },
    )
