"""One asset of embeddings per configured backbone.

What belongs here: the factory of ``embeddings_<backbone>``. What does not: encoders and the
embedding loop (``reds_pipeline.embedding``).
"""

import re

import dagster as dg

from reds_pipeline.assets.common import HEAVY_POOL, plain_failures
from reds_pipeline.jobs import TRAIN
from reds_pipeline.resources import EMBEDDINGS_COMPUTED, Platform
from reds_pipeline.stage_inputs import curated_rows
from reds_pipeline.storage.clock import utc_now
from reds_pipeline.storage.tables import EMBEDDING_RUNS, read_rows, write_rows

_FROM_REPORT = ("encoder_id", "dimension", "weights", "computed", "seconds")


def asset_suffix(backbone: str) -> str:
    """Return a backbone's name as part of an asset name (timm names may hold dots)."""
    return re.sub(r"\W", "_", backbone)


def embeddings_asset(backbone: str) -> dg.AssetsDefinition:
    """Return the asset that embeds the curated pictures with one backbone."""

    @dg.asset(
        name=f"embeddings_{asset_suffix(backbone)}",
        deps=["image_tensors"],
        group_name=TRAIN,
        kinds={"pytorch", "numpy"},
        pool=HEAVY_POOL,
        description=f"Features of the curated pictures by {backbone}; only new ones are computed.",
    )
    @plain_failures
    def embeddings(platform: dg.ResourceParam[Platform]) -> dg.MaterializeResult:
        from reds_pipeline.embedding.encoder import EncoderSpec
        from reds_pipeline.embedding.engine import embed_missing
        from reds_pipeline.imaging.resize import RESIZE_RULE

        home = platform.home
        report = embed_missing(
            EncoderSpec(backbone, platform.settings.weights_dir),
            home.tensors(RESIZE_RULE),
            home.embeddings,
            [row["sha256"] for row in curated_rows(home)],
        )
        platform.cost[EMBEDDINGS_COMPUTED] += report.computed
        table = home.table("embedding_runs", backbone)
        runs = read_rows(table)
        if report.computed or not runs or runs[-1]["encoder_id"] != report.encoder_id:
            run = {column: getattr(report, column) for column in _FROM_REPORT} | {"at": utc_now()}
            write_rows(table, [*runs, run], EMBEDDING_RUNS)
        return dg.MaterializeResult(
            metadata={
                "dagster/row_count": report.requested,
                "new": report.computed,
                "encoder": report.encoder_id,
                "dimension": report.dimension,
                "weights": report.weights,
                "seconds": report.seconds,
            }
        )

    return embeddings
