"""What the first backbone sees in every picture that may become part of the data set.

What belongs here: the asset ``picture_features``: squares, features and pairs of copies that no
hash finds. What does not: resizing, embedding and comparing (``imaging``, ``embedding``). The data
set is chosen afterwards, so these are more pictures than are trained on; what is trained on needs
no second pass.
"""

from collections.abc import Iterable, Mapping
from typing import Any

import dagster as dg

from reds_pipeline import embedding_runs
from reds_pipeline.assets.common import HEAVY_POOL, plain_failures
from reds_pipeline.assets.embeddings import engine_metadata
from reds_pipeline.jobs import CLEAN
from reds_pipeline.resources import Platform
from reds_pipeline.stage_inputs import learnable_pictures
from reds_pipeline.storage.tables import SIMILAR_PAIRS, read_rows, write_rows


@dg.asset(
    deps=[
        dg.AssetDep("clean_images", partition_mapping=dg.AllPartitionMapping()),
        "class_selection",
        "recheck",
        "contributed_images",
    ],
    group_name=CLEAN,
    kinds={"pytorch", "numpy"},
    pool=HEAVY_POOL,
)
@plain_failures
def picture_features(platform: dg.ResourceParam[Platform]) -> dg.MaterializeResult:
    """What the first backbone sees in cleaned and contributed pictures; copies among them."""
    from reds_pipeline.imaging.resize import RESIZE_RULE
    from reds_pipeline.imaging.similarity import find_similar_pairs

    home = platform.home
    rows = learnable_pictures(home, platform.decisions)
    keys = [row["sha256"] for row in rows]
    seen = embedding_runs.picture_features(platform, platform.settings.backbones[0], rows)
    table = home.table("similar_pairs")
    known = read_rows(table, SIMILAR_PAIRS)
    pairs = find_similar_pairs(keys, seen.features, home.tensors(RESIZE_RULE).read, known)
    write_rows(table, pairs, SIMILAR_PAIRS)
    copies = [pair for pair in pairs if pair["is_copy"]]
    return dg.MaterializeResult(
        metadata={
            "dagster/row_count": len(keys),
            "squares made now": seen.resized,
            "embedded now": seen.embedded,
            "encoder": seen.encoder_id,
            **engine_metadata(seen.report),
            "pairs compared": len(pairs),
            "pairs compared now": len(_names(pairs) - _names(known)),
            "pairs that are copies": len(copies),
            "of these mirrored": sum(pair["kind"] == "mirrored" for pair in copies),
        }
    )


def _names(pairs: Iterable[Mapping[str, Any]]) -> set[tuple[str, str]]:
    return {(pair["one"], pair["other"]) for pair in pairs}
