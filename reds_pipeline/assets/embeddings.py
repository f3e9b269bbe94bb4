"""One asset of embeddings per configured backbone.

What belongs here: the factory of ``embeddings_<backbone>``. What does not: embedding
(``embedding_runs.py``).
"""

import re

import dagster as dg

from reds_pipeline.assets.common import HEAVY_POOL, plain_failures
from reds_pipeline.embedding_runs import embed_pictures
from reds_pipeline.jobs import TRAIN
from reds_pipeline.resources import Platform
from reds_pipeline.stage_inputs import curated_rows


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
        keys = [row["sha256"] for row in curated_rows(platform.home)]
        report = embed_pictures(platform, backbone, keys)
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
