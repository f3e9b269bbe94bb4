"""The card of the data set.

What belongs here: the asset ``dataset_card``. What does not: what a card says
(``reds_pipeline.dataset``), and exports, which people ask for (``reds export``).
"""

import dagster as dg

from reds_pipeline.assets.common import plain_failures
from reds_pipeline.jobs import REPORT
from reds_pipeline.resources import Platform


@dg.asset(deps=["curated_dataset", "label_suspects"], group_name=REPORT, kinds={"markdown"})
@plain_failures
def dataset_card(platform: dg.ResourceParam[Platform]) -> dg.MaterializeResult:
    """What the data set is, whence it comes and what it is not: for people, and as Croissant."""
    from reds_pipeline.dataset.card_files import write_card
    from reds_pipeline.dataset.collect_facts import collect_facts

    facts = collect_facts(platform.home, platform.ledger, platform.collection_rules)
    files = write_card(platform.home, facts)
    return dg.MaterializeResult(
        metadata={
            "digest": facts.digest,
            "card": dg.MetadataValue.md(files.card.read_text(encoding="utf-8")),
            "card file": dg.MetadataValue.path(str(files.card)),
            "Croissant file": dg.MetadataValue.path(str(files.croissant)),
        }
    )
