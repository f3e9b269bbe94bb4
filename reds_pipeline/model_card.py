"""The card of a model version: what somebody should read before using it.

What belongs here: turning what is known of a version into Markdown, and keeping that in MLflow.
What does not: gathering it (``model_facts.py``) or measuring. The text is in
``modeling/data/model_card.md.jinja``; the parts are those that model cards ask for (Mitchell and
others, FAT* 2019, arXiv 1810.03993). It can be made again at any time.
"""

from __future__ import annotations

import hashlib
import json
import logging
from collections.abc import Collection, Mapping, Sequence
from dataclasses import asdict, replace
from importlib import resources

from reds_pipeline.errors import RedsError
from reds_pipeline.label_origins import IN_WORDS, LabelOrigins
from reds_pipeline.model_facts import LABEL_ORIGINS, TEST, ModelFacts, model_facts, served_facts
from reds_pipeline.model_history import RecordedChange, history
from reds_pipeline.resources import Platform
from reds_pipeline.tracking import CHAMPION, REGISTERED_MODEL, RegisteredVersion, Tracking
from reds_pipeline.withdrawal.lineage import WITHDRAWN_PICTURES

CARD = "model_card.md"
CARD_KEY = "reds.card"
"""Tag of a version: by what its card was made, so that it is made again only when that changes."""
_TEMPLATE = "model_card.md.jinja"

_logger = logging.getLogger(__name__)


def render_model_card(facts: ModelFacts) -> str:
    """Return the card as Markdown."""
    from reds_pipeline.dataset.card_template import card_template

    return card_template(_template(), {"share": str}).render(facts=facts)


def keep_cards(
    platform: Platform,
    numbers: Collection[str],
    *,
    origins: Mapping[str, LabelOrigins] | None = None,
    model: str = REGISTERED_MODEL,
) -> None:
    """Keep the cards of versions in MLflow, as an artifact of the run and a description.

    Where the same card is kept already, nothing is written; a version whose files are gone or
    damaged has none.

    Args:
        platform: The installation.
        numbers: Which versions; one that is not registered is passed over.
        origins: Where the labels come from that a version learnt; kept as a tag, once.
        model: The registered model.
    """
    tracking, entries = platform.tracking, history(platform.ledger, model)
    for registered in tracking.versions(model):
        if registered.version not in numbers:
            continue
        found = (origins or {}).get(registered.version)
        version = _with_origins(tracking, registered, found)
        key = _card_key(version, entries)
        if version.tags.get(CARD_KEY) == key:
            continue
        try:
            facts = model_facts(platform, version)
        except RedsError as error:
            _logger.warning("Version %s gets no card. %s", version.version, error)
            continue
        tracking.client.log_text(version.run_id, render_model_card(facts), CARD)
        tracking.describe_version(version.version, summary(facts), model)
        tracking.tag_version(version.version, CARD_KEY, key, model)


def model_card(platform: Platform, number: str, model: str = REGISTERED_MODEL) -> str:
    """Return the card of a version as it is now.

    Args:
        platform: The installation.
        number: Its number; the champion's if empty.
        model: The registered model.

    Raises:
        RedsError: There is no such version, or its files are gone or damaged.
    """
    tracking = platform.tracking
    version = tracking.version(number, model) if number else tracking.alias(CHAMPION, model)
    if version is None:
        missing = f"There is no version {number} of {model}" if number else f"No {model} serves yet"
        raise RedsError(f"{missing}; `reds history` shows which there are.")
    return render_model_card(model_facts(platform, version))


def summary(facts: ModelFacts) -> str:
    """Return what the page of the version says in the MLflow UI."""
    best = [result for result in facts.results if result.data == TEST][:1]
    measured = "".join(
        f" On the frozen test its {result.name} is {result.value:.3f}"
        + (f" (95 % interval {result.interval})." if result.interval else ".")
        for result in best
    )
    withdrawn = (
        f" It has seen {facts.withdrawn_pictures} pictures that were withdrawn since."
        if facts.withdrawn_pictures
        else ""
    )
    return (
        f"Linear SVM on {facts.backbone} for {len(facts.classes)} {facts.kind}.{measured}"
        f"{withdrawn} Its card is the artifact {CARD} of its run."
    )


def _with_origins(
    tracking: Tracking, version: RegisteredVersion, origins: LabelOrigins | None
) -> RegisteredVersion:
    """Remember where the labels came from, the first time it is told."""
    if origins is None or LABEL_ORIGINS in version.tags:
        return version
    counts = json.dumps({IN_WORDS[origin]: count for origin, count in origins.counts.items()})
    tracking.tag_version(version.version, LABEL_ORIGINS, counts, version.model)
    return replace(version, tags={**version.tags, LABEL_ORIGINS: counts})


def _card_key(version: RegisteredVersion, entries: Sequence[RecordedChange]) -> str:
    """Return a name of everything in a card that can change after the training."""
    parts = [
        _template(),
        version.tags.get(LABEL_ORIGINS, ""),
        version.tags.get(WITHDRAWN_PICTURES, ""),
        *(asdict(served) for served in served_facts(entries, version.version)),
    ]
    return hashlib.sha256(json.dumps(parts).encode()).hexdigest()


def _template() -> str:
    package = resources.files("reds_pipeline.modeling")
    return (package / "data" / _TEMPLATE).read_text(encoding="utf-8")
