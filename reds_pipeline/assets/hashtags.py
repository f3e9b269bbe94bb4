"""All tags of a post: the multi-label model of each backbone, and the one that serves.

What belongs here: the factory of ``hashtags_<backbone>``, and the asset ``champion_hashtags``. What
does not: training (``tag_training.py``) and the rule of promotion (``tag_promotion.py``).
"""

from collections.abc import Mapping, Sequence
from typing import Any

import dagster as dg

from reds_pipeline.assets.common import HEAVY_POOL, markdown_table, picture, plain_failures
from reds_pipeline.assets.embeddings import asset_suffix
from reds_pipeline.drawing import small_png
from reds_pipeline.jobs import TRAIN
from reds_pipeline.resources import Platform
from reds_pipeline.tag_training import FIGURE, train_tags

_ROWS_SHOWN = 40


def hashtags_asset(backbone: str) -> dg.AssetsDefinition:
    """Return the asset that trains the multi-label model on one backbone's embeddings."""

    @dg.asset(
        name=f"hashtags_{asset_suffix(backbone)}",
        # Where a class is too small to be split, the training of classes says so, once.
        deps=[f"svm_{asset_suffix(backbone)}"],
        group_name=TRAIN,
        kinds={"scikitlearn", "mlflow"},
        pool=HEAVY_POOL,
        description=f"All tags of a post by {backbone}: one linear SVM a tag (R-IMP-1).",
    )
    @plain_failures
    def hashtags(
        context: dg.AssetExecutionContext, platform: dg.ResourceParam[Platform]
    ) -> dg.MaterializeResult:
        trained = train_tags(platform, backbone, context.run.run_id)
        metadata: dict[str, Any] = {
            "summary": trained.sentence,
            "new trainings": int(trained.is_new),
        }
        if trained.row is not None:
            run_id = trained.row["run_id"]
            figure = platform.tracking.read_bytes(run_id, FIGURE)
            metadata |= {
                "tags learnt": len(trained.per_tag),
                "recommendations": _recommendations_table(trained.row),
                "tags": markdown_table([_tag(row) for row in trained.per_tag[:_ROWS_SHOWN]]),
                "average precision": picture(small_png(figure), "Average precision of each tag"),
                "mean average precision": float(trained.row["mean_average_precision"]),
                "MLflow run": dg.MetadataValue.url(platform.tracking.link(run_id)),
                "seconds to fit": float(trained.row["fit_s"]),
            }
        return dg.MaterializeResult(metadata=metadata)

    return hashtags


def champion_hashtags_asset(backbones: Sequence[str]) -> dg.AssetsDefinition:
    """Return the asset that lets the best multi-label model serve."""

    @dg.asset(
        name="champion_hashtags",
        deps=[f"hashtags_{asset_suffix(backbone)}" for backbone in backbones],
        group_name=TRAIN,
        kinds={"mlflow"},
        description="The multi-label model that serves, by a rule that gives its reason.",
    )
    @plain_failures
    def champion_hashtags(platform: dg.ResourceParam[Platform]) -> dg.MaterializeResult:
        from reds_pipeline.tag_promotion import promote_best_tags, tag_trainings

        result = promote_best_tags(platform)
        metadata: dict[str, Any] = {
            "champion": result.version or "none",
            "promoted now": result.promoted,
            "reason": result.reason,
            "backbones": markdown_table(
                [
                    {
                        "backbone": row["backbone"],
                        "tags": len(row["tags"]),
                        "mean average precision": row["mean_average_precision"],
                        "P@1": row["precision_at_1"],
                        "R@5": row["recall_at_5"],
                        "A@5": row["accuracy_at_5"],
                    }
                    for row in tag_trainings(platform)
                ]
            ),
        }
        if result.run_id:
            link = platform.tracking.link(result.run_id)
            metadata["MLflow run"] = dg.MetadataValue.url(link)
        return dg.MaterializeResult(metadata=metadata)

    return champion_hashtags


def _tag(row: Mapping[str, Any]) -> dict[str, Any]:
    """Return what was measured of one tag out of fold, as people read it."""
    return {
        "tag": row["tag"],
        "pictures": row["pictures"],
        "authors": row["authors"],
        "share of pictures": row["share"],
        "average precision": row["average_precision"],
        "F1": row["f1"],
        "named from a chance of": row["threshold"],
        "pictures show it": "yes" if row["shown"] else "no",
    }


def _recommendations_table(row: dict[str, Any]) -> dg.MarkdownMetadataValue:
    """Show the model beside what naming the most frequent tags to everybody is worth (H-19)."""
    names = {"precision_at_1": "P@1", "recall_at_5": "R@5", "accuracy_at_5": "A@5"}
    parts = {
        f"folds, {row['n_train']} pictures": "",
        "most frequent tags, same pictures": "popularity_",
        f"test, {row['n_test']} pictures": "test_",
    }
    return markdown_table(
        [
            {
                "measured on": part,
                **{
                    shown: "unknown" if row[prefix + name] is None else row[prefix + name]
                    for name, shown in names.items()
                },
            }
            for part, prefix in parts.items()
        ]
    )
