"""Pictures and tables for people about the data set.

What belongs here: the asset ``dataset_report``. What does not: the statistics themselves
(``imaging.statistics``), and figures of models, which stand beside their model.
"""

import dagster as dg

from reds_pipeline.assets.common import markdown_table, picture, plain_failures
from reds_pipeline.jobs import REPORT
from reds_pipeline.resources import Platform
from reds_pipeline.stage_inputs import curated_rows

_EXAMPLES = 5


@dg.asset(deps=["image_tensors"], group_name=REPORT, kinds={"python"})
@plain_failures
def dataset_report(platform: dg.ResourceParam[Platform]) -> dg.MaterializeResult:
    """Shapes, cropping, dynamic range and examples of the curated pictures (R-IMG-2, 6, 8, 11)."""
    import numpy as np

    from reds_pipeline.imaging.contact_sheet import contact_sheet
    from reds_pipeline.imaging.resize import RESIZE_RULE
    from reds_pipeline.imaging.statistics import class_statistics, dynamic_range
    from reds_pipeline.storage.atomic import write_bytes

    home = platform.home
    rows = curated_rows(home)
    store = home.tensors(RESIZE_RULE)
    spread = dynamic_range(store.read([row["sha256"] for row in rows]))
    shown = [
        row["sha256"]
        for name in dict.fromkeys(row["class_name"] for row in rows)
        for row in [row for row in rows if row["class_name"] == name][:_EXAMPLES]
    ]
    sheet = contact_sheet(np.asarray(store.read(shown)), columns=_EXAMPLES)
    path = home.figures / "examples.jpg"
    write_bytes(path, sheet)
    return dg.MaterializeResult(
        metadata={
            "shapes": markdown_table(
                [
                    {
                        "class": each.class_name,
                        "pictures": each.images,
                        "width / height, mean": each.aspect_mean,
                        "Q1": each.aspect_first_quartile,
                        "Q3": each.aspect_third_quartile,
                        "share cropped": each.cropped_share,
                    }
                    for each in class_statistics(rows)
                ]
            ),
            "dynamic range, mean": spread.mean,
            "dynamic range, standard deviation": spread.standard_deviation,
            "dynamic range, maximum": spread.maximum,
            "examples": picture(sheet, "Examples of each class"),
            "figure": dg.MetadataValue.path(str(path)),
        }
    )
