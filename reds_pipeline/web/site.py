"""What all pages and interfaces of one installation share.

What belongs here: the parts that routers are made from. What does not: making them
(``application.py``) and using them (the routers).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from reds_pipeline.resources import Platform
from reds_pipeline.web.page_maker import PageMaker
from reds_pipeline.web.site_limits import SiteLimits

if TYPE_CHECKING:
    from reds_pipeline.feedback.desk import FeedbackDesk
    from reds_pipeline.tagging.photo_tagger import PhotoTagger
    from reds_pipeline.web.metrics import Metrics
    from reds_pipeline.web.operator_gate import OperatorGate
    from reds_pipeline.web.photo_queue import PhotoQueue
    from reds_pipeline.web.rate_limits import RateLimits


@dataclass(frozen=True, eq=False)
class Site:
    """The parts of one installation as the routers get them.

    Attributes:
        platform: Home, ledger, tracking and settings.
        tagger: Asks the models that serve now.
        feedback: What people said about suggestions, and the photos they gave.
        operator: Who may see what is not for everybody.
        page: Makes pages.
        limits: What may be asked for.
        queue: Where photos wait for their turn.
        rates: How often one address may ask.
        metrics: What is counted for the operator.
        is_public: Whether other machines can reach the pages, directly or through a proxy.
    """

    platform: Platform
    tagger: PhotoTagger
    feedback: FeedbackDesk
    operator: OperatorGate
    page: PageMaker
    limits: SiteLimits
    queue: PhotoQueue
    rates: RateLimits
    metrics: Metrics
    is_public: bool
