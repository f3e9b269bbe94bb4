"""Pictures and tables for people: what is tagged and chosen, and what the data set is like.

What belongs here: the assets ``tag_report`` and ``dataset_report``, and how their numbers look in
Dagster. What does not: the numbers and figures themselves (``tag_report.py``,
``dataset_report.py``), and figures of models, which stand beside their model.
"""

from collections.abc import Mapping

import dagster as dg

from reds_pipeline.assets.common import markdown_table, picture, plain_failures
from reds_pipeline.dataset_report import DatasetReport
from reds_pipeline.jobs import DISCOVER, REPORT
from reds_pipeline.resources import Platform
from reds_pipeline.stage_inputs import kept_pictures
from reds_pipeline.storage.home import Home

_MEGABYTE = 1e6
FUNNEL_CHECK = "the_funnel_adds_up"


@dg.asset(deps=["class_selection"], group_name=DISCOVER, kinds={"python"})
@plain_failures
def tag_report(platform: dg.ResourceParam[Platform]) -> dg.MaterializeResult:
    """What people tag before and after cleaning, and how the classes relate (R-TAG-11 to 13)."""
    from reds_pipeline.drawing import small_png
    from reds_pipeline.tag_report import tag_report

    report = tag_report(platform.home)
    _write(platform.home, report.figures)
    shown = {
        "top hashtags and lemmas": "top_hashtags.png",
        "top lemmas": "top_lemmas.png",
        "Wu-Palmer similarity": "class_similarity.png",
    }
    return dg.MaterializeResult(
        metadata={
            **{title: _drawing(report.figures[file], title) for title, file in shown.items()},
            **{
                f"kinds of {name}": picture(small_png(panel), f"Kinds of {name}")
                for name, panel in report.panels.items()
            },
            "ties between classes": len(report.graph.bridges),
            "rank changes": markdown_table(
                [
                    {
                        "lemma": change.lemma,
                        "rank": change.rank,
                        "posts": change.posts,
                        "hashtag of its own": change.raw_tag or "none",
                        "rank as written": change.raw_rank or "none",
                        "newcomer": "yes" if change.newcomer else "",
                    }
                    for change in report.changes
                ]
            ),
            "lemmas of one person alone, not shown": report.left_out,
            "figures": dg.MetadataValue.path(str(platform.home.figures)),
        }
    )


@dg.asset(
    deps=["image_tensors"],
    group_name=REPORT,
    kinds={"python"},
    check_specs=[
        dg.AssetCheckSpec(
            FUNNEL_CHECK,
            asset="dataset_report",
            description="Each picture that was seen is kept once or dropped for one reason.",
        )
    ],
)
@plain_failures
def dataset_report(platform: dg.ResourceParam[Platform]) -> dg.MaterializeResult:
    """The curated pictures in numbers and figures (R-IMG-1, 2, 6 to 9, 11, 13; R-SCR-10)."""
    from reds_pipeline.dataset_report import dataset_report

    home, report = platform.home, None
    shown: set[str] = set()
    # A withdrawal takes away the photographs that are there; not those that are being made.
    while report is None or not shown <= kept_pictures(home):
        shown = kept_pictures(home)
        report = dataset_report(home, platform.settings.images_per_class)
        _write(home, report.figures)
    squares, spread = report.squares, report.squares.dynamic_range
    return dg.MaterializeResult(
        metadata={
            "where the pictures went": _drawing(report.figures["funnel.png"], "Funnel"),
            "balance": markdown_table(
                [{"class": each.class_name, "meaning": each.sentence} for each in report.balances]
            ),
            **_tables(report),
            "squares": f"{squares.images} of {squares.smallest[1]} to {squares.largest[1]} by "
            f"{squares.smallest[0]} to {squares.largest[0]}, {squares.pixels} pixels, bytes",
            "dynamic range, mean": spread.mean,
            "dynamic range, standard deviation": spread.standard_deviation,
            "dynamic range, maximum": spread.maximum,
            "sizes": _drawing(report.figures["image_sizes.png"], "Sizes in pixels"),
            "one of each class": picture(report.figures["class_examples.jpg"], "Examples"),
            "mean pictures": picture(report.figures["mean_images.jpg"], "Mean of each class"),
            "examples": picture(report.figures["examples.jpg"], "Examples of each class"),
            "figures": dg.MetadataValue.path(str(platform.home.figures)),
        },
        check_results=[
            dg.AssetCheckResult(
                check_name=FUNNEL_CHECK,
                passed=not report.problems,
                metadata={"problems": " ".join(report.problems) or "none"},
            )
        ],
    )


def _tables(report: DatasetReport) -> dict[str, dg.MarkdownMetadataValue]:
    return {
        "review": markdown_table(
            [
                {
                    "class": each.class_name,
                    "confirmed by a person": each.confirmed,
                    "not reviewed": each.unreviewed,
                    "discarded": each.discarded,
                    "moved away": each.moved_away,
                    "moved here": each.moved_here,
                }
                for each in report.reviews
            ]
        ),
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
                for each in report.shapes
            ]
        ),
        "channels": markdown_table(
            [
                {
                    "channel": each.channel,
                    "lowest": each.lowest,
                    "highest": each.highest,
                    "lowest / 255": each.scaled_lowest,
                    "highest / 255": each.scaled_highest,
                }
                for each in report.squares.channels
            ]
        ),
        "megabytes on disk": markdown_table(
            [
                {
                    "class": each.class_name,
                    "original files": each.original_bytes / _MEGABYTE,
                    "squares, as stored": each.uint8_bytes / _MEGABYTE,
                    "were they float32": each.float32_bytes / _MEGABYTE,
                    "were they float64": each.float64_bytes / _MEGABYTE,
                }
                for each in report.files
            ]
        ),
    }


def _write(home: Home, figures: Mapping[str, bytes]) -> None:
    from reds_pipeline.storage.atomic import write_bytes

    for name, data in figures.items():
        write_bytes(home.figures / name, data)


def _drawing(data: bytes, description: str) -> dg.MarkdownMetadataValue:
    """Return a PNG as the UI shows it in place, small enough for the event log."""
    from reds_pipeline.drawing import small_png

    return picture(small_png(data), description)
