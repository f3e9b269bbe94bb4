"""The data set in the words of Croissant, which catalogues and loaders read.

What belongs here: the JSON-LD of Croissant 1.0 and of its vocabulary for responsible AI, from the
same facts and sentences as the card. What does not: the files of an export
(``croissant_files.py``). Both specifications are MLCommons' (mlcommons.org/croissant/1.0 and
mlcommons.org/croissant/RAI/1.0); the context is the one that they ask everybody to use.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from reds_pipeline.dataset import sentences
from reds_pipeline.dataset.card import ExportFacts, citation
from reds_pipeline.dataset.croissant_files import (
    Node,
    image_folder_nodes,
    parquet_nodes,
    webdataset_nodes,
)
from reds_pipeline.dataset.facts import DatasetFacts
from reds_pipeline.dataset.licences import OPEN, display_name

_DAY = len("2026-11-21")
_FORMATS = {
    "image_folder": image_folder_nodes,
    "parquet": parquet_nodes,
    "webdataset": webdataset_nodes,
}
_CROISSANT_TERMS = (
    "citeAs",
    "column",
    "equivalentProperty",
    "extract",
    "field",
    "fileProperty",
    "fileObject",
    "fileSet",
    "format",
    "includes",
    "isLiveDataset",
    "jsonPath",
    "key",
    "md5",
    "parentField",
    "path",
    "recordSet",
    "references",
    "regex",
    "repeated",
    "replace",
    "samplingRate",
    "separator",
    "source",
    "subField",
    "transform",
)
_CONTEXT: Node = {
    "@language": "en",
    "@vocab": "https://schema.org/",
    "cr": "http://mlcommons.org/croissant/",
    "dct": "http://purl.org/dc/terms/",
    "rai": "http://mlcommons.org/croissant/RAI/",
    "sc": "https://schema.org/",
    "conformsTo": "dct:conformsTo",
    "data": {"@id": "cr:data", "@type": "@json"},
    "dataType": {"@id": "cr:dataType", "@type": "@vocab"},
    "examples": {"@id": "cr:examples", "@type": "@json"},
    **{term: f"cr:{term}" for term in _CROISSANT_TERMS},
}


@dataclass(frozen=True)
class Distribution:
    """The export that a description is about.

    Attributes:
        export: What was exported.
        files: SHA-256 of every file by its path within the export.
    """

    export: ExportFacts
    files: Mapping[str, str]


def croissant(facts: DatasetFacts, distribution: Distribution | None = None) -> dict[str, Any]:
    """Return the description as JSON-LD.

    Args:
        facts: About the data set.
        distribution: The export that the description will lie in; None for the data set itself,
            which nobody but its operator can load.
    """
    export = distribution.export if distribution else None
    described: Node = {
        "@context": _CONTEXT,
        "@type": "sc:Dataset",
        "conformsTo": [
            "http://mlcommons.org/croissant/1.0",
            "http://mlcommons.org/croissant/RAI/1.0",
        ],
        "name": facts.name,
        "description": _description(facts, export),
        "version": facts.version,
        "license": _licences(facts, export),
        "citeAs": citation(facts),
        "datePublished": facts.made_at[:_DAY],
        "dateCreated": facts.made_at[:_DAY],
        "inLanguage": "en",
        "keywords": ["image classification", "hashtags", *(one.name for one in facts.classes)],
        "creator": _operator(facts),
        **_responsible_use(facts),
    }
    if distribution:
        extensions = sorted({record.extension for record in distribution.export.records})
        files, records = _FORMATS[distribution.export.format](distribution.files, extensions)
        described |= {"distribution": files, "recordSet": [records]}
    return described


def _description(facts: DatasetFacts, export: ExportFacts | None) -> str:
    names = ", ".join(one.name for one in facts.classes)
    size = len(export.records) if export else facts.pictures
    return (
        f"{size} pictures of {names} that people posted in public on the Fediverse, with labels "
        "from their hashtags, and with marks of which pictures must stay on one side of a split."
    )


def _licences(facts: DatasetFacts, export: ExportFacts | None) -> list[str]:
    """Return an address, or failing that words, for each licence among the pictures."""
    if export:
        names = {record.licence for record in export.records}
    else:
        names = {one.licence for one in facts.licences if one.kept}
    return sorted((OPEN[name].address if name in OPEN else display_name(name)) for name in names)


def _operator(facts: DatasetFacts) -> Node:
    operator: Node = {"@type": "sc:Organization", "name": "The operators of a REDS installation"}
    for address in facts.rules.contact.split(";"):
        kind, colon, rest = address.strip().partition(":")
        if kind == "mailto":
            operator["email"] = rest
        elif colon and kind in {"http", "https"}:
            operator["url"] = address.strip()
    return operator


def _responsible_use(facts: DatasetFacts) -> Node:
    sources, review = facts.sources, facts.review
    frame = [day for day in (sources.collected_from, sources.collected_until) if day]
    values: Node = {
        "rai:dataCollection": " ".join(sentences.consent_sentences(facts)),
        "rai:dataCollectionType": ["Web API"],
        "rai:dataCollectionTimeFrame": frame,
        "rai:dataPreprocessingProtocol": [
            "Metadata is removed from files; pixels are untouched.",
            "Copies of one picture are removed: equal bytes, perceptual hashes that differ in at "
            f"most {facts.rules.perceptual_radius} of 64 bits, mirrored and cropped ones.",
            *(
                f"Quality gate {flag.name}: {flag.kept} hits among the kept pictures, "
                f"{flag.dropped} among the dropped."
                for flag in facts.flags
            ),
        ],
        "rai:dataAnnotationProtocol": [
            *sentences.HOW_LABELS_ARE_MADE,
            f"People confirmed {review.kept} labels, changed {review.moved} and discarded "
            f"{review.discarded} pictures.",
        ],
        "rai:dataBiases": sentences.gap_sentences(facts),
        "rai:dataLimitations": [f"Not for: {use}" for use in sentences.EXCLUDED_USES],
        "rai:dataUseCases": list(sentences.INTENDED_USES),
        "rai:personalSensitiveInformation": list(sentences.PERSONAL_INFORMATION),
        "rai:dataReleaseMaintenancePlan": " ".join(sentences.withdrawal_sentences(facts)),
    }
    return {name: value for name, value in values.items() if value}
