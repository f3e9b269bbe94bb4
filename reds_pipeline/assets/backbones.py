"""What the backbones are, how near the photographs are to them, and which classes are near.

What belongs here: the factories of ``backbones``, ``near_classes`` and ``domain_shift``, and how
their numbers look in Dagster. What does not: describing networks (``embedding.architecture``) and
measuring (``near_classes_report.py``, ``domain_shift_report.py``).
"""

from collections.abc import Sequence
from typing import Any

import dagster as dg

from reds_pipeline.assets.common import HEAVY_POOL, markdown_table, picture, plain_failures
from reds_pipeline.assets.embeddings import asset_suffix
from reds_pipeline.backbone_table import backbone_rows
from reds_pipeline.jobs import REPORT, TRAIN
from reds_pipeline.kept_reports import KeptReport
from reds_pipeline.resources import Platform

_PAIRS_SHOWN = 12


class Candidates(dg.Config):
    """Words that might become classes, for the Launchpad.

    Attributes:
        candidates: Nouns such as ``fox``; empty for the most frequent ones that are no class.
    """

    candidates: list[str] = []


@dg.asset(group_name=REPORT, kinds={"timm"})
@plain_failures
def backbones(platform: dg.ResourceParam[Platform]) -> dg.MaterializeResult:
    """The configured backbones side by side, read from the networks themselves (R-EXP-11)."""
    rows = backbone_rows(platform.home, platform.settings.backbones)
    return dg.MaterializeResult(
        metadata={
            "dagster/row_count": len(rows),
            "backbones": markdown_table(rows),
        }
    )


def near_classes_asset(names: Sequence[str]) -> dg.AssetsDefinition:
    """Return the asset that says which classes are near each other, before a model is released."""

    @dg.asset(
        name="near_classes",
        deps=_heads(names),
        group_name=TRAIN,
        kinds={"wordnet"},
        description="Nearness of classes in meaning and in features, and how often they are "
        "confused out of fold; what a further class would risk (R-CLS-13, R-EXP-12, R-IMP-7).",
    )
    @plain_failures
    def near_classes(
        config: Candidates, platform: dg.ResourceParam[Platform]
    ) -> dg.MaterializeResult:
        from reds_pipeline.near_classes_report import near_classes_report

        settings = platform.settings
        report = near_classes_report(
            platform.home, settings.backbones, platform.tracking, config.candidates
        )
        content = report.content
        if content["of"] is None:
            return dg.MaterializeResult(metadata={"near classes": "nothing is trained yet"})
        best = content["backbones"][content["of"]]
        return dg.MaterializeResult(
            metadata={
                "before release": content["sentence"],
                "backbone": content["of"],
                "most confused pairs": markdown_table(
                    [_pair(pair) for pair in best["pairs"][:_PAIRS_SHOWN]]
                ),
                "meaning and confusion, rank correlation": _number(best["meaning_correlation"]),
                "features and confusion, rank correlation": _number(best["feature_correlation"]),
                "if it became a class": markdown_table(
                    [
                        {"word": risk["name"], "risk": risk["sentence"]}
                        for risk in content["candidates"]
                    ]
                ),
                **_figures(report),
            }
        )

    return near_classes


def domain_shift_asset(names: Sequence[str]) -> dg.AssetsDefinition:
    """Return the asset that measures how far the photographs are from what the backbones know."""

    @dg.asset(
        name="domain_shift",
        deps=_heads(names),
        group_name=REPORT,
        kinds={"scikitlearn"},
        pool=HEAVY_POOL,
        description="Answers without training, and features by month of posting (R-IMP-8).",
    )
    @plain_failures
    def domain_shift(platform: dg.ResourceParam[Platform]) -> dg.MaterializeResult:
        from reds_pipeline.domain_shift_report import domain_shift_report

        report = domain_shift_report(platform.home, platform.settings, platform.tracking)
        measured = report.content["backbones"]
        if not measured:
            return dg.MaterializeResult(metadata={"domain shift": "nothing is trained yet"})
        return dg.MaterializeResult(
            metadata={
                "in words": dg.MetadataValue.md(
                    "\n".join(f"- {name}: {found['sentence']}" for name, found in measured.items())
                ),
                "answers": markdown_table(
                    [
                        {
                            "backbone": name,
                            "answered by": way,
                            "right": share["accuracy"],
                            "95 % interval": f"{share['low']:.3f} to {share['high']:.3f}",
                            "pictures": share["pictures"],
                        }
                        for name, found in measured.items()
                        for way, share in found["answers"].items()
                    ]
                ),
                "ImageNet heads": markdown_table(
                    [
                        {"backbone": name, "asked how": found["zero_shot"]}
                        for name, found in measured.items()
                    ]
                ),
                **_figures(report),
            }
        )

    return domain_shift


def _heads(names: Sequence[str]) -> list[str]:
    return [f"svm_{asset_suffix(name)}" for name in names]


def _pair(pair: dict[str, Any]) -> dict[str, Any]:
    return {
        "pair": f"{pair['first']} / {pair['second']}",
        "confused": f"{pair['confused']} of {pair['pictures']}",
        "95 % interval": f"{pair['low']:.3f} to {pair['high']:.3f}",
        "meaning (Wu-Palmer)": _number(pair["similarity"]),
        "features (cosine)": pair["cosine"],
    }


def _number(value: float | None) -> str:
    return "unknown" if value is None else f"{value:.3f}"


def _figures(report: KeptReport) -> dict[str, Any]:
    """Return figures as the UI shows them, and whether they were made now."""
    from reds_pipeline.drawing import small_png

    shown = {
        name.removesuffix(".png").replace("_", " "): picture(small_png(data), name)
        for name, data in report.figures.items()
    }
    return {**shown, "measured": "now" if report.is_new else "before; nothing has changed since"}
