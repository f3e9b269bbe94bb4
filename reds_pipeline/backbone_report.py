"""The trained backbones of a home against each other, for people and for MLflow.

What belongs here: reading what the trainings left in the tables, and logging what came of the
comparison. What does not: statistics (``modeling.backbone_comparison``), drawing, printing.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

from reds_pipeline.errors import RedsError
from reds_pipeline.storage.home import Home
from reds_pipeline.storage.tables import PREDICTIONS, TRAININGS, read_rows

if TYPE_CHECKING:
    from reds_pipeline.modeling.backbone_comparison import BackbonePair, Leakage, Results
    from reds_pipeline.tracking import Tracking

GROUPED, REPORT = "grouped", "report"
TASK = "comparison"
ARTIFACT = "comparison.json"
# Raised when what a comparison logs changes, so that old ones are not taken for new.
_VERSION = 1


@dataclass(frozen=True)
class BackboneReport:
    """How the backbones of a home compare.

    Attributes:
        trainings: Rows of the trainings table, both protocols.
        pairs: The best backbone against each other one, the best of those first.
        leakages: What a plain shuffle flatters each backbone by, where that can be told.
    """

    trainings: tuple[dict[str, Any], ...]
    pairs: tuple[BackbonePair, ...]
    leakages: tuple[Leakage, ...]

    def as_dict(self) -> dict[str, Any]:
        """Return what ``reds compare --json`` prints."""
        from reds_pipeline.modeling.comparison_words import rows_for_people

        return {
            "backbones": [
                {
                    "backbone": row["backbone"],
                    "protocol": row["protocol"],
                    "cv_accuracy": row["cv_accuracy"],
                    "cv_mean": row["cv_mean"],
                    "cv_var_ddof0": row["cv_var_ddof0"],
                    "cv_var_ddof1": row["cv_var_ddof1"],
                    "test_accuracy": row["test_accuracy"],
                    "test_interval": [row["test_low"], row["test_high"]],
                    "n_train": row["n_train"],
                    "n_test": row["n_test"],
                    "embed_s": row["embed_s"],
                    "fit_s": row["fit_s"],
                }
                for row in self.trainings
            ],
            "comparisons": [
                {**asdict(pair), "sentence": pair.sentence, "tests": rows_for_people(pair)}
                for pair in self.pairs
            ],
            "leakage": [
                {
                    "backbone": found.backbone,
                    "sentence": found.sentence,
                    **asdict(found.comparison),
                }
                for found in self.leakages
            ],
        }


def compare_backbones(home: Home, backbones: Sequence[str], seed: int) -> BackboneReport:
    """Compare the latest trainings of some backbones (R-EXP-8, R-EXP-9).

    Args:
        home: Whose trainings.
        backbones: Their names, each once.
        seed: Of the bootstraps.

    Raises:
        RedsError: One of them has not been trained in this home.
    """
    from reds_pipeline.modeling.backbone_comparison import compare_to_best, leakage

    trainings = [row for name in backbones for row in _trainings(home, name)]
    results = {
        (row["backbone"], row["protocol"]): _results(home, row) for row in reversed(trainings)
    }
    grouped = [results[name, GROUPED] for name in backbones]
    leakages = (
        leakage(results[name, REPORT], results[name, GROUPED], seed=seed)
        for name in backbones
        if (name, REPORT) in results
    )
    return BackboneReport(
        trainings=tuple(trainings),
        pairs=tuple(compare_to_best(grouped, seed=seed)),
        leakages=tuple(found for found in leakages if found is not None),
    )


def trained_backbones(home: Home) -> list[str]:
    """Return the names of all backbones that were trained in a home, configured now or not.

    Raises:
        RedsError: There is none.
    """
    paths = sorted((home.root / "tables" / "trainings").glob("*.parquet"))
    names = [rows[0]["backbone"] for path in paths if (rows := read_rows(path, TRAININGS))]
    if not names:
        raise RedsError(
            f"Nothing has been trained in {home.root} yet, so there is nothing to compare; start "
            "with `reds run` or `reds demo`."
        )
    return names


def log_comparisons(tracking: Tracking, report: BackboneReport) -> list[str]:
    """Log each pair as a run of its own in MLflow, once; return the ids of these runs.

    A run of its own and not something on the backbones' runs: those are finished, and belong to
    one backbone alone.
    """
    run_of = {row["backbone"]: row for row in report.trainings if row["protocol"] == GROUPED}
    return [_log_pair(tracking, pair, run_of, report) for pair in report.pairs]


def _log_pair(
    tracking: Tracking,
    pair: BackbonePair,
    run_of: dict[str, dict[str, Any]],
    report: BackboneReport,
) -> str:
    from reds_pipeline.modeling.comparison_figure import difference_figure

    first, second = run_of[pair.first], run_of[pair.second]
    # How many are compared decides the correction, so it is part of what was compared.
    runs = [first["run_id"], second["run_id"], *sorted(row["run_id"] for row in run_of.values())]
    key = hashlib.sha256(json.dumps([_VERSION, TASK, *runs]).encode()).hexdigest()
    known = tracking.finished_training(key)
    if known is not None:
        return known
    number = report.pairs.index(pair)
    with tracking.training(
        f"comparison: {pair.first}, {pair.second}",
        key,
        params={
            "first": pair.first,
            "second": pair.second,
            "first_run": first["run_id"],
            "second_run": second["run_id"],
        },
        tags={
            "task": TASK,
            "protocol": GROUPED,
            "dataset": first["dataset_digest"][:12],
            # What the page of a run shows as its description, formatted.
            "mlflow.note.content": _description(pair),
        },
    ) as run:
        run.log_metrics(_metrics(pair))
        run.log_bytes("figures/difference.png", difference_figure([pair], "Difference in accuracy"))
        run.log_json(ARTIFACT, report.as_dict()["comparisons"][number])
    return run.run_id


def _description(pair: BackbonePair) -> str:
    """Return the sentence and the tests as Markdown."""
    from reds_pipeline.modeling.comparison_words import rows_for_people

    rows = rows_for_people(pair)
    lines = [" | ".join(rows[0]), " | ".join("---" for _ in rows[0])] if rows else []
    lines += [" | ".join(row.values()) for row in rows]
    return "\n".join([pair.sentence, "", *(f"| {line} |" for line in lines)])


def _metrics(pair: BackbonePair) -> dict[str, float]:
    metrics: dict[str, float | None] = {}
    for part, found in (("cv", pair.unseen), ("test", pair.test)):
        if found is not None:
            metrics |= {
                f"compare/{part}/difference": found.difference,
                f"compare/{part}/difference_low": found.low,
                f"compare/{part}/difference_high": found.high,
                f"compare/{part}/mcnemar_p": found.adjusted_p,
            }
    if pair.folds is not None:
        metrics |= {
            "compare/cv/corrected_t": pair.folds.corrected_t,
            "compare/cv/corrected_t_p": pair.folds.corrected_t_p,
            "compare/cv/wilcoxon_p": pair.folds.wilcoxon_p,
            "compare/cv/mann_whitney_p": pair.folds.mann_whitney_p,
        }
    return {name: value for name, value in metrics.items() if value is not None}


def _trainings(home: Home, backbone: str) -> list[dict[str, Any]]:
    rows = read_rows(home.table("trainings", backbone), TRAININGS)
    if not any(row["protocol"] == GROUPED for row in rows):
        raise RedsError(
            f"{backbone} has not been trained in {home.root}, so there is nothing to compare; name "
            "backbones that have, or set REDS_BACKBONES and run `reds run`."
        )
    return rows


def _results(home: Home, training: dict[str, Any]) -> Results:
    from reds_pipeline.modeling.backbone_comparison import Prediction, Results

    backbone, protocol = training["backbone"], training["protocol"]
    return Results(
        backbone=backbone,
        fold_accuracy=tuple(training["cv_accuracy"]),
        dataset_digest=training["dataset_digest"],
        predictions={
            row["sha256"]: Prediction(
                fold=row["fold"],
                class_name=row["class_name"],
                correct=row["predicted"] == row["class_name"],
                group=row["group"],
            )
            for row in read_rows(home.table("predictions", backbone), PREDICTIONS)
            if row["protocol"] == protocol
        },
    )
