"""The card of a data set: what somebody should read before using it.

What belongs here: turning facts into Markdown, with the front matter by which dataset hubs list
and preview a data set. What does not: facts (``collect_facts.py``) and the sentences that every
data set needs (``sentences.py``). The text is in ``data/dataset_card.md.jinja``; the parts are
those that data sheets for data sets ask for (Gebru and others, 2021, arXiv 1803.09010).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib import resources
from typing import Any

from reds_pipeline.dataset import sentences
from reds_pipeline.dataset.card_template import card_template
from reds_pipeline.dataset.facts import DatasetFacts
from reds_pipeline.dataset.licences import OPEN, Sharing, display_name
from reds_pipeline.dataset.records import ExportRecord

_TEMPLATE = "dataset_card.md.jinja"
_SIZES = (
    (1_000, "n<1K"),
    (10_000, "1K<n<10K"),
    (100_000, "10K<n<100K"),
    (1_000_000, "100K<n<1M"),
)
_LARGEST_SIZE = "1M<n<10M"


@dataclass(frozen=True)
class ExportFacts:
    """What a card says about the export that it lies in.

    Attributes:
        export_id: By which the operator remembers it.
        format: How the pictures are stored.
        sharing: Which licences were taken.
        records: The pictures.
        classes: Names of the classes in the order of their numbers.
        left_out: How many pictures of the data set are not in it, by reason.
        data_files: Patterns of the files of each part, as dataset hubs want them.
        layout: What lies where, one sentence a kind of file.
    """

    export_id: str
    format: str
    sharing: Sharing
    records: Sequence[ExportRecord]
    classes: tuple[str, ...]
    left_out: Mapping[str, int]
    data_files: Mapping[str, str]
    layout: tuple[str, ...]

    def counts(self) -> dict[str, Counter[str]]:
        """Return how many pictures of each part a class has, by class."""
        return {
            name: Counter(record.part for record in self.records if record.class_name == name)
            for name in self.classes
        }


def render_card(facts: DatasetFacts, export: ExportFacts | None = None) -> str:
    """Return the card as Markdown with YAML front matter.

    Args:
        facts: About the data set.
        export: About the export that the card will lie in; None for the card of the data set
            itself, as it is kept in its home.
    """
    text = (resources.files(__package__) / "data" / _TEMPLATE).read_text(encoding="utf-8")
    filters = {
        "words": lambda name: name.replace("_", " "),
        "licence": display_name,
        "percent": lambda share: f"{share:.1%}",
    }
    return card_template(text, filters).render(
        front_matter=front_matter(facts, export),
        facts=facts,
        export=export,
        said=sentences,
        reasons=_reasons(facts),
        licence_sentences=sentences.licence_sentences(_licences(facts, export)),
        citation=citation(facts),
    )


def front_matter(facts: DatasetFacts, export: ExportFacts | None) -> str:
    """Return the YAML by which dataset hubs list a data set and find its files."""
    import yaml

    size = len(export.records) if export else facts.pictures
    values: dict[str, Any] = {
        "pretty_name": f"Pictures of {', '.join(one.name for one in facts.classes)} by hashtag",
        **_hub_licence(set(_licences(facts, export))),
        "task_categories": ["image-classification"],
        "task_ids": ["multi-class-image-classification"],
        "size_categories": [next((name for limit, name in _SIZES if size < limit), _LARGEST_SIZE)],
        "annotations_creators": ["found"],
        "source_datasets": ["original"],
        "tags": ["fediverse", "hashtags", "image", "consent"],
    }
    if facts.review.kept or facts.review.moved:
        values["annotations_creators"].append("expert-generated")
    if export:
        values["configs"] = [
            {
                "config_name": "default",
                "data_files": [
                    {"split": part, "path": path} for part, path in export.data_files.items()
                ],
            }
        ]
    return yaml.safe_dump(values, sort_keys=False, allow_unicode=True).rstrip()


def citation(facts: DatasetFacts) -> str:
    """Return how to cite the data set, as BibTeX."""
    names = ", ".join(_without_braces(one.name) for one in facts.classes)
    return "\n".join(
        (
            f"@misc{{{facts.name},",
            f"  title = {{Pictures of {names} by hashtag from the Fediverse}},",
            "  author = {{The operators of a REDS installation}},",
            f"  year = {{{facts.made_at[:4]}}},",
            f"  version = {{{facts.version}}},",
            f"  note = {{{facts.pictures} pictures, digest {facts.digest}}}",
            "}",
        )
    )


def _without_braces(text: str) -> str:
    return text.replace("{", "").replace("}", "").replace("\\", "")


def _hub_licence(licences: set[str]) -> dict[str, str]:
    """Return the front matter's words about licences; hubs have one word for a whole data set."""
    known = OPEN.get(next(iter(licences))) if len(licences) == 1 else None
    if known and known.identifier:
        return {"license": known.identifier}
    return {"license": "other", "license_name": "each-picture-has-its-own"}


def _licences(facts: DatasetFacts, export: ExportFacts | None) -> list[str]:
    if export:
        return [record.licence for record in export.records]
    return [one.licence for one in facts.licences for _ in range(one.kept)]


def _reasons(facts: DatasetFacts) -> list[tuple[str, dict[str, int], int]]:
    """Return (reason, count by class, sum) of everything the funnel dropped, most first."""
    total: Counter[str] = Counter()
    for funnel in facts.funnel.values():
        total.update(funnel.dropped)
    return [
        (
            reason,
            {name: funnel.dropped.get(reason, 0) for name, funnel in facts.funnel.items()},
            count,
        )
        for reason, count in sorted(total.items(), key=lambda item: (-item[1], item[0]))
    ]
