"""All classes as one data set, and the labels in it that are worth a second look.

What belongs here: the assets ``curated_dataset`` and ``label_suspects``. What does not: the rules
of curation (``imaging.curation``), finding wrong labels (``modeling.label_issues``), and splits,
which belong to a training.
"""

from collections import Counter
from datetime import timedelta

import dagster as dg

from reds_pipeline import embedding_runs
from reds_pipeline.assets.common import HEAVY_POOL, markdown_table, plain_failures
from reds_pipeline.balance import raw_posts_needed
from reds_pipeline.errors import RedsError
from reds_pipeline.funnel import class_funnels
from reds_pipeline.jobs import CLEAN, REPORT
from reds_pipeline.resources import Platform
from reds_pipeline.small_classes import too_small_classes, without_classes
from reds_pipeline.stage_inputs import learnt_classes, reviewable_rows, unconfirmed_posts
from reds_pipeline.storage.tables import (
    CLEAN_IMAGES,
    CURATED,
    LABEL_SUSPECTS,
    SIMILAR_PAIRS,
    read_rows,
    write_rows,
)


@dg.asset(
    deps=["picture_features", "class_selection", "recheck"],
    group_name=CLEAN,
    kinds={"python", "parquet"},
    pool=HEAVY_POOL,
)
@plain_failures
def curated_dataset(platform: dg.ResourceParam[Platform]) -> dg.MaterializeResult:
    """The pictures to learn from: no copies, reviewers' decisions, so many a class (R-SCR-6 to 13).

    Every cleaned picture is in the table, with its final verdict. Contributed photos are judged
    against it and get a table of their own: they train, and nothing is measured on them.
    """
    from reds_pipeline.feedback.contributed_tables import write_contributed_dataset
    from reds_pipeline.imaging.curation import curate, dataset_digest

    home, settings = platform.home, platform.settings
    names = learnt_classes(home)
    rows = curate(
        {name: read_rows(home.table("clean_images", name), CLEAN_IMAGES) for name in names},
        settings.images_per_class,
        platform.cleaning_rules,
        unconfirmed_posts(home, timedelta(days=settings.confirmed_within_days)),
        decisions=platform.decisions,
        similar=read_rows(home.table("similar_pairs"), SIMILAR_PAIRS),
        keep=settings.keep_pictures,
    )
    small = []
    if not settings.classes:
        small = too_small_classes(home, [row for row in rows if row["kept"]], settings.seed)
        rows = without_classes(rows, small)
    write_rows(home.table("curated_dataset"), rows, CURATED)
    contributed = write_contributed_dataset(
        home,
        rows,
        platform.decisions,
        [name for name in names if name not in small],
        platform.feedback_rules,
    )
    if not any(row["kept"] for row in rows):
        raise RedsError(
            f"No picture of {', '.join(names)} is left to learn from; `reds status --details` says "
            "where they went, so collect from another host or choose other classes."
        )
    digest = dataset_digest(rows)
    funnels = class_funnels(home, names)
    return dg.MaterializeResult(
        data_version=dg.DataVersion(digest),
        metadata={
            "dagster/row_count": sum(row["kept"] for row in rows),
            "digest": digest,
            "groups": len({row["group"] for row in rows if row["kept"]}),
            "classes too small to be learnt": ", ".join(small) or "none",
            "decided by a person": sum(bool(row["decision"]) for row in rows),
            "contributed photos that only train": sum(row["kept"] for row in contributed),
            "contributed photos left out": ", ".join(
                f"{why} {number}"
                for why, number in Counter(
                    row["drop_reason"] for row in contributed if not row["kept"]
                ).most_common()
            )
            or "none",
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
            "balance": markdown_table(
                [
                    {
                        "class": name,
                        "kept": funnel.kept,
                        "meaning": raw_posts_needed(
                            name, funnel, settings.images_per_class
                        ).sentence,
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


@dg.asset(
    deps=["curated_dataset", "picture_features"],
    group_name=REPORT,
    kinds={"scikitlearn", "parquet"},
    pool=HEAVY_POOL,
)
@plain_failures
def label_suspects(platform: dg.ResourceParam[Platform]) -> dg.MaterializeResult:
    """Pictures whose label models doubt that never saw them, for the review gallery (R-SCR-8)."""
    from reds_pipeline.modeling.label_issues import (
        confusions,
        find_label_issues,
        label_issues_key,
    )

    home, settings = platform.home, platform.settings
    rows = reviewable_rows(home)
    keys, labels, groups = (
        [row[column] for row in rows] for column in ("sha256", "class_name", "group")
    )
    seen = embedding_runs.picture_features(platform, settings.backbones[0], rows)
    key = label_issues_key(keys, labels, groups, seen.encoder_id, settings.seed)
    table = home.table("label_suspects")
    suspects = read_rows(table, LABEL_SUSPECTS)
    is_new = {row["found_by"] for row in suspects} != {key}
    sentence = "The same pictures and labels were judged before."
    if is_new:
        found = find_label_issues(seen.features, labels, groups, keys, seed=settings.seed)
        suspects, sentence = [{**row, "found_by": key} for row in found.rows], found.sentence
        write_rows(table, suspects, LABEL_SUSPECTS)
    return dg.MaterializeResult(
        metadata={
            "dagster/row_count": len(suspects),
            "judged now": is_new,
            "found": sentence,
            "labels in doubt": sum(bool(row["is_suspect"]) for row in suspects),
            "unlike all others": sum(bool(row["is_outlier"]) for row in suspects),
            "classes taken for one another": markdown_table(
                [
                    {"label": each.class_name, "looks like": each.guess, "pictures": each.pictures}
                    for each in confusions(suspects)
                ]
            ),
            "look at them": "`reds review` shows the most doubtful pictures first.",
        }
    )
