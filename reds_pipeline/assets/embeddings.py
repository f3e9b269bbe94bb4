"""One asset of embeddings per configured backbone.

What belongs here: the factory of ``embeddings_<backbone>``. What does not: embedding
(``embedding_runs.py``).
"""

import re
from typing import Any

import dagster as dg

from reds_pipeline.assets.common import HEAVY_POOL, markdown_table, plain_failures
from reds_pipeline.embedding.embed_missing import EmbeddingReport
from reds_pipeline.embedding_runs import embed_pictures, engine_table
from reds_pipeline.jobs import TRAIN
from reds_pipeline.resources import Platform
from reds_pipeline.stage_inputs import learnt_rows


def asset_suffix(backbone: str) -> str:
    """Return a backbone's name as part of an asset name (timm names may hold dots)."""
    return re.sub(r"\W", "_", backbone)


def engine_metadata(report: EmbeddingReport) -> dict[str, Any]:
    """Return which engine embedded and why, with what was measured."""
    metadata: dict[str, Any] = {"engine": report.engine, "why this engine": report.reason}
    if report.measured:
        metadata["engines"] = markdown_table(engine_table(report.measured))
        metadata["measured on"] = (
            f"{report.measured.pictures} pictures of this home, {report.measured.at}, "
            f"{report.measured.machine['processor']}, {report.measured.machine['cores']} cores"
        )
    return metadata


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
        report = embed_pictures(platform, backbone, learnt_rows(platform.home))
        return dg.MaterializeResult(
            metadata={
                "dagster/row_count": report.requested,
                "new": report.computed,
                "encoder": report.encoder_id,
                "dimension": report.dimension,
                "squares": f"{report.input_size} x {report.input_size} pixels",
                "preprocessing": report.preprocessing,
                "weights": report.weights,
                "seconds": report.seconds,
                **engine_metadata(report),
            }
        )

    return embeddings
