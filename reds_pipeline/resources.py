"""What assets work with: the settings and the plain objects made from them.

What belongs here: building the home, the ledger, the tracking and the client of the configured
host. What does not: using them. Assets ask for ``platform`` and get domain objects; the domain
never sees a Dagster type.
"""

from __future__ import annotations

from functools import cached_property

from reds_pipeline.settings import Settings
from reds_pipeline.storage.home import Home
from reds_pipeline.storage.ledger import Ledger
from reds_pipeline.tracking import Tracking


class Platform:
    """One configured REDS installation.

    Args:
        settings: What the operator chose.
    """

    def __init__(self, settings: Settings) -> None:
        self.settings = settings

    @cached_property
    def home(self) -> Home:
        """Where everything is kept."""
        return Home(self.settings.home.resolve())

    @cached_property
    def ledger(self) -> Ledger:
        """Decisions of people and pipeline."""
        return Ledger(self.settings.ledger_url or self.home.default_ledger_url)

    @cached_property
    def tracking(self) -> Tracking:
        """MLflow."""
        return Tracking(
            self.settings.tracking_uri or self.home.default_tracking_uri, self.home.artifacts
        )
