"""Training per backbone, and comparing them.

What belongs here: the factory of ``svm_<backbone>``, and the asset ``model_comparison``. What
does not: training (``training.py``), statistics (``modeling``), promoting the better model
(``promotion.py``), the registry (``tracking.py``).
"""

from collections.abc import Sequence
from typing import Any

import dagster as dg

from reds_pipeline.assets.common import HEAVY_POOL, markdown_table, picture, plain_failures
from reds_pipeline.assets.embeddings import asset_suffix
from reds_pipeline.backbone_report import BackboneReport
from reds_pipeline.drawing import small_png
from reds_pipeline.jobs import TRAIN
from reds_pipeline.resources import Platform
from reds_pipeline.storage.home import Home
from reds_pipeline.training import PROMOTABLE, PROTOCOLS, train_backbone


def svm_asset(backbone: str) -> dg.AssetsDefinition:
    """Return the asset that trains a linear SVM on one backbone's embeddings."""

    @dg.asset(
        name=f"svm_{asset_suffix(backbone)}",
        # The study looks at the champion that stands before this training.
        deps=[f"embeddings_{asset_suffix(backbone)}", "curated_dataset", "retraining_advice"],
        group_name=TRAIN,
        kinds={"scikitlearn", "mlflow"},
        pool=HEAVY_POOL,
        description=f"Linear SVM on {backbone}: 5 folds and a held-out test, both protocols.",
    )
    @plain_failures
    def svm(
        context: dg.AssetExecutionContext, platform: dg.ResourceParam[Platform]
    ) -> dg.MaterializeResult:
        trained = train_backbone(platform, backbone, context.run.run_id)
        rows = [one.row for one in trained]
        new = sum(one.is_new for one in trained)
        grouped = rows[PROTOCOLS.index(PROMOTABLE)]
        figures = {
            name: platform.tracking.read_bytes(grouped["run_id"], f"figures/{name}.png")
            for name in ("confusion", "reliability")
        }
        return dg.MaterializeResult(
            metadata={
                "new trainings": new,
                "accuracy": _accuracy_table(rows),
                "confusion matrix": picture(small_png(figures["confusion"]), "Confusion matrix"),
                "head": _head_table(rows),
                "reliability": picture(small_png(figures["reliability"]), "Reliability diagram"),
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
        from reds_pipeline.backbone_report import compare_backbones, log_comparisons

        settings = platform.settings
        report = compare_backbones(platform.home, backbones, settings.seed)
        runs = log_comparisons(platform.tracking, report)
        return dg.MaterializeResult(
            metadata={
                "accuracy": _accuracy_table(report.trainings),
                "comparison": dg.MetadataValue.md(
                    "\n".join(f"- {pair.sentence}" for pair in report.pairs)
                    or "There is one backbone only."
                ),
                "leakage": dg.MetadataValue.md(
                    "\n".join(f"- {found.sentence}" for found in report.leakages)
                    or "It cannot be told before the next training."
                ),
                **_tests(report),
                **_figures(platform.home, report),
                **{
                    f"MLflow run of {pair.first} against {pair.second}": dg.MetadataValue.url(
                        platform.tracking.link(run_id)
                    )
                    for pair, run_id in zip(report.pairs, runs, strict=True)
                },
            }
        )

    return model_comparison


def _tests(report: BackboneReport) -> dict[str, dg.MarkdownMetadataValue]:
    from reds_pipeline.modeling.comparison_words import rows_for_people

    return {
        f"tests of {pair.first} against {pair.second}": markdown_table(rows_for_people(pair))
        for pair in report.pairs
    }


def _figures(
    home: Home, report: BackboneReport
) -> dict[str, dg.MarkdownMetadataValue | dg.PathMetadataValue]:
    from reds_pipeline.modeling.comparison_figure import difference_figure
    from reds_pipeline.modeling.figures import fold_accuracy_figure
    from reds_pipeline.storage.atomic import write_bytes

    folds = {
        row["backbone"]: row["cv_accuracy"]
        for row in report.trainings
        if row["protocol"] == PROMOTABLE
    }
    drawn = {
        "fold_accuracy": fold_accuracy_figure(folds, "Accuracy of the grouped folds"),
    }
    if any(pair.unseen for pair in report.pairs):
        drawn["backbone_differences"] = difference_figure(
            report.pairs, "Difference in accuracy on the same pictures"
        )
    for name, data in drawn.items():
        write_bytes(home.figures / f"{name}.png", data)
    return {
        **{name.replace("_", " "): picture(small_png(data), name) for name, data in drawn.items()},
        "figures": dg.MetadataValue.path(str(home.figures)),
    }


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


def _head_table(rows: Sequence[dict[str, Any]]) -> dg.MarkdownMetadataValue:
    """Show which C was chosen, how honest the chances are, and when no answer is given."""
    return markdown_table(
        [
            {
                "protocol": row["protocol"],
                "C": f"{row['C']:g}",
                "C of each fold": ", ".join(f"{value:g}" for value in row["fold_C"]),
                "calibration error, folds": row["cv_calibration_error"],
                "calibration error, test": row["test_calibration_error"],
                "answers from a chance of": row["answer_threshold"],
                "test answered": row["test_coverage"],
                "right among these": row["test_answered_accuracy"],
            }
            for row in rows
        ]
    )
