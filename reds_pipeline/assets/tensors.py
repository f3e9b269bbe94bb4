"""The curated pictures as squares of one size.

What belongs here: the asset ``image_tensors``. What does not: resizing (``imaging``).
"""

import dagster as dg

from reds_pipeline.assets.common import HEAVY_POOL, plain_failures
from reds_pipeline.jobs import TRAIN
from reds_pipeline.resources import PICTURES_RESIZED, Platform
from reds_pipeline.stage_inputs import learnt_rows


@dg.asset(
    deps=["curated_dataset"],
    group_name=TRAIN,
    kinds={"python", "numpy"},
    pool=HEAVY_POOL,
    check_specs=[
        dg.AssetCheckSpec(
            "every_tensor_is_224_square",
            asset="image_tensors",
            blocking=True,
            description="224 x 224, three channels, whole bytes (R-IMG-7, R-IMG-10).",
        )
    ],
)
@plain_failures
def image_tensors(platform: dg.ResourceParam[Platform]) -> dg.MaterializeResult:
    """224 x 224 uint8 squares of the curated pictures; only new ones are made (R-IMG-3 to 12)."""
    from reds_pipeline.imaging.resize import RESIZE_RULE, SIDE
    from reds_pipeline.imaging.tensors import are_whole_squares, resize_missing

    home = platform.home
    rows = learnt_rows(home)
    store = home.tensors(RESIZE_RULE)
    new = resize_missing(rows, home.images, store)
    platform.cost[PICTURES_RESIZED] += new
    keys = [row["sha256"] for row in rows]
    cropped = dict(zip(*store.index().select(["key", "cropped"]).to_pydict().values(), strict=True))
    sound = are_whole_squares(store, keys, SIDE)
    return dg.MaterializeResult(
        metadata={
            "dagster/row_count": len(keys),
            "new": new,
            "resize rule": RESIZE_RULE,
            "share cropped": sum(cropped[key] for key in keys) / max(len(keys), 1),
            "megabytes": len(keys) * SIDE * SIDE * 3 / 1e6,
        },
        check_results=[dg.AssetCheckResult(check_name="every_tensor_is_224_square", passed=sound)],
    )
