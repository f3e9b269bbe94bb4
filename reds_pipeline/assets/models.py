"""Training per backbone, comparing them, and promoting the better one.

What belongs here: the factory of ``svm_<backbone>``, and the assets ``model_comparison`` and
``champion_model``. What does not: training (``training.py``), statistics and the promotion rule
(``modeling``), the registry (``tracking.py``).
"""

from collections.abc import Sequence
from datetime import timedelta
from typing import Any

import dagster as dg

from reds_pipeline.assets.common import HEAVY_POOL, markdown_table, picture, plain_failures
from reds_pipeline.assets.embeddings import asset_suffix
from reds_pipeline.jobs import TRAIN
from reds_pipeline.resources import MODELS_TRAINED, Platform
from reds_pipeline.stage_inputs import trainings
from reds_pipeline.storage.tables import TRAININGS, write_rows
from reds_pipeline.training import PROMOTABLE, PROTOCOLS, load_training_set, train

# The refresh runs weekly; two missed weeks mean that something is broken.
_FRESH = dg.FreshnessPolicy.time_window(
    fail_window=timedelta(days=15), warn_window=timedelta(days=8)
)


def svm_asset(backbone: str) -> dg.AssetsDefinition:
    """Return the asset that trains a linear SVM on one backbone's embeddings."""

    @dg.asset(
        name=f"svm_{asset_suffix(backbone)}",
        deps=[f"embeddings_{asset_suffix(backbone)}", "curated_dataset"],
        group_name=TRAIN,
        kinds={"scikitlearn", "mlflow"},
        pool=HEAVY_POOL,
        description=f"Linear SVM on {backbone}: 5 folds and a held-out test, both protocols.",
    )
    @plain_failures
    def svm(
        context: dg.AssetExecutionContext, platform: dg.ResourceParam[Platform]
    ) -> dg.MaterializeResult:
        data = load_training_set(platform.home, backbone)
        seed, run_id = platform.settings.seed, context.run.run_id
        results = [train(platform.tracking, data, name, seed, run_id) for name in PROTOCOLS]
        rows = [row for row, _ in results]
        write_rows(platform.home.table("trainings", backbone), rows, TRAININGS)
        new = sum(is_new for _, is_new in results)
        platform.cost[MODELS_TRAINED] += new
        grouped = rows[PROTOCOLS.index(PROMOTABLE)]
        figure = platform.tracking.read_bytes(grouped["run_id"], "figures/confusion.png")
        return dg.MaterializeResult(
            metadata={
                "new trainings": new,
                "accuracy": _accuracy_table(rows),
                "confusion matrix": picture(figure, "Confusion matrix"),
                "MLflow run": dg.MetadataValue.url(platform.tracking.link(grouped["run_id"])),
                "seconds to fit": float(grouped["fit_s"]),
                "seconds to embed": float(grouped["embed_s"]),
            }
        )

    return svm


def comparison_asset(backbones: Sequence[str]) -> dg.AssetsDefinition:
    """Return the asset that compares the configured backbones."""

    @dg.asset(
        name="model_comparison",
        deps=[f"svm_{asset_suffix(backbone)}" for backbone in backbones],
        group_name=TRAIN,
        kinds={"scipy"},
        description="The backbones side by side, on the same data and splits.",
    )
    @plain_failures
    def model_comparison(platform: dg.ResourceParam[Platform]) -> dg.MaterializeResult:
        from reds_pipeline.modeling.comparison import compare_to_best
        from reds_pipeline.modeling.figures import fold_accuracy_figure
        from reds_pipeline.storage.atomic import write_bytes

        rows = trainings(platform.home, platform.settings.backbones)
        folds = {
            row["backbone"]: row["cv_accuracy"] for row in rows if row["protocol"] == PROMOTABLE
        }
        figure = fold_accuracy_figure(folds, "Accuracy of the grouped folds")
        path = platform.home.figures / "fold_accuracy.png"
        write_bytes(path, figure)
        return dg.MaterializeResult(
            metadata={
                "accuracy": _accuracy_table(rows),
                "comparison": dg.MetadataValue.md(
                    "\n".join(f"- {result.sentence}" for result in compare_to_best(folds))
                    or "There is one backbone only."
                ),
                "leakage": _leakage_table(rows),
                "folds": picture(figure, "Accuracy of the folds"),
                "figure": dg.MetadataValue.path(str(path)),
            }
        )

    return model_comparison


@dg.asset(
    deps=["model_comparison"],
    group_name=TRAIN,
    kinds={"mlflow"},
    freshness_policy=_FRESH,
)
@plain_failures
def champion_model(platform: dg.ResourceParam[Platform]) -> dg.MaterializeResult:
    """The model that serves: the better one, by a rule that gives its reason (R-EXP-12)."""
    from reds_pipeline.promotion import promote_best

    settings = platform.settings
    result = promote_best(
        platform.tracking,
        platform.ledger,
        trainings(platform.home, settings.backbones),
        settings.promotion_margin,
    )
    return dg.MaterializeResult(
        metadata={
            "champion": result.champion_version,
            "promoted now": result.promoted,
            "reason": result.reason,
            "MLflow run": dg.MetadataValue.url(platform.tracking.link(result.champion_run_id)),
        }
    )


def _accuracy_table(rows: Sequence[dict[str, Any]]) -> dg.MarkdownMetadataValue:
    return markdown_table(
        [
            {
                "backbone": row["backbone"],
                "protocol": row["protocol"],
                "CV mean": row["cv_mean"],
                "CV variance (ddof 0)": f"{row['cv_var_ddof0']:.2e}",
                "test": row["test_accuracy"],
                "95 % interval": f"{row['test_low']:.3f} to {row['test_high']:.3f}",
                "train / test": f"{row['n_train']} / {row['n_test']}",
            }
            for row in rows
        ]
    )


def _leakage_table(rows: Sequence[dict[str, Any]]) -> dg.MarkdownMetadataValue:
    """Show how much a plain shuffle flatters: its accuracy less that of the grouped split."""
    means = {(row["backbone"], row["protocol"]): row["cv_mean"] for row in rows}
    return markdown_table(
        [
            {"backbone": name, "report less grouped": mean - means[name, "grouped"]}
            for (name, protocol), mean in means.items()
            if protocol == "report"
        ]
    )
