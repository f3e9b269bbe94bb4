"""What assets work with: the settings and the plain objects made from them.

What belongs here: building the home, the ledger, the tracking and the client of the configured
host. What does not: using them. Assets ask for ``platform`` and get domain objects; the domain
never sees a Dagster type.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cached_property
from typing import TYPE_CHECKING

from reds_pipeline.errors import RedsError
from reds_pipeline.settings import Settings
from reds_pipeline.storage.home import Home
from reds_pipeline.storage.ledger import Ledger
from reds_pipeline.tracking import Tracking

if TYPE_CHECKING:
    from reds_pipeline.dataset.facts import CollectionRules
    from reds_pipeline.fediverse.consent import ConsentPolicy
    from reds_pipeline.fediverse.hosts import HostProfile
    from reds_pipeline.fediverse.media.fetcher import MediaFetcher
    from reds_pipeline.fediverse.posts import PostReader
    from reds_pipeline.fediverse.timelines import PagingRules
    from reds_pipeline.fediverse.web.client import ApiClient
    from reds_pipeline.fediverse.web.politeness import Politeness
    from reds_pipeline.feedback.curation import FeedbackRules
    from reds_pipeline.imaging.cleaning import CleaningRules
    from reds_pipeline.review.decisions import DecisionBook

# What a run may cost, as `reds run` reports it; asking a host is not new work by itself.
HOST_REQUESTS = "requests to the host"
POSTS_READ = "new posts read"
PICTURES_FETCHED = "pictures downloaded"
PICTURES_RESIZED = "pictures resized"
EMBEDDINGS_COMPUTED = "embeddings computed"
MODELS_TRAINED = "models trained"
NEW_WORK = (
    POSTS_READ,
    PICTURES_FETCHED,
    PICTURES_RESIZED,
    EMBEDDINGS_COMPUTED,
    MODELS_TRAINED,
)

# A host is probed again after so long; in between it hardly changes what it is.
_PROFILE_SECONDS = 600.0


class Platform:
    """One configured REDS installation.

    Args:
        settings: What the operator chose.
        attended: Whether a person waits for the result, who would rather read now why a step
            failed than have it tried again for minutes.

    Attributes:
        settings: As given.
        attended: As given.
        cost: What this process did that was not there before, such as
            ``{"pictures downloaded": 12}``.
        notices: Sentences that whoever started this process should read at the end.
    """

    def __init__(self, settings: Settings, *, attended: bool = False) -> None:
        self.settings = settings
        self.attended = attended
        self.cost: Counter[str] = Counter()
        self.notices: list[str] = []
        self._profiles: dict[str, tuple[float, HostProfile]] = {}

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
            self.settings.tracking_uri or self.home.default_tracking_uri,
            self.home.artifacts,
            self.settings.mlflow_page,
        )

    @contextmanager
    def host(self) -> Iterator[ApiClient]:
        """Open a client of the configured host, if somebody approved it.

        Raises:
            RedsError: No host is configured, or it is not approved.
        """
        from reds_pipeline.fediverse.hosts import require_approval
        from reds_pipeline.fediverse.web.client import ApiClient
        from reds_pipeline.fediverse.web.transport import RequestPace

        settings = self.settings
        if not settings.host_url:
            raise RedsError(
                "No host is configured; set REDS_HOST_URL to the instance to learn from, or try "
                "`reds demo`, which brings its own."
            )
        require_approval(settings.host_url, self._approved)
        with ApiClient(
            settings.host_url,
            settings.host_token.get_secret_value(),
            politeness=self._politeness,
            pace=RequestPace.towards(settings.host_url, settings.requests_per_second),
            budget=settings.requests_per_run,
        ) as client:
            try:
                yield client
            finally:
                self.cost[HOST_REQUESTS] += client.requests_made

    def profile(self, client: ApiClient) -> HostProfile:
        """Return what a host is and allows, asked about once for all that runs close together."""
        from reds_pipeline.fediverse.hosts import probe

        known_since, profile = self._profiles.get(client.origin, (0.0, None))
        if profile is None or time.monotonic() - known_since > _PROFILE_SECONDS:
            profile = probe(client)
            self._profiles[client.origin] = (time.monotonic(), profile)
        return profile

    @contextmanager
    def origins(self) -> Iterator[Callable[[str], ApiClient | None]]:
        """Offer clients without a token of the hosts where relayed posts come from.

        What is offered returns None for a host that nobody approved.
        """
        from reds_pipeline.fediverse.web.client import ApiClient
        from reds_pipeline.fediverse.web.transport import RequestPace

        clients: dict[str, ApiClient] = {}

        def client_of(host: str) -> ApiClient | None:
            if host not in self._approved:
                return None
            if host not in clients:
                clients[host] = ApiClient(
                    f"https://{host}",
                    politeness=self._politeness,
                    pace=RequestPace(per_second=self.settings.requests_per_second),
                    budget=self.settings.requests_per_run,
                )
            return clients[host]

        try:
            yield client_of
        finally:
            for client in clients.values():
                self.cost[HOST_REQUESTS] += client.requests_made
                client.close()

    def media_fetcher(self) -> MediaFetcher:
        """Return what fetches pictures; it has a session of its own and never the token."""
        from reds_pipeline.fediverse.media.fetcher import MediaFetcher
        from reds_pipeline.fediverse.media.media_hosts import MediaManners

        settings = self.settings
        return MediaFetcher(
            settings.host_url,
            self._politeness,
            manners=MediaManners.polite(
                per_second=settings.media_per_second, budget=settings.media_per_run
            ),
            own_manners=MediaManners.on_this_machine(
                settings.host_url, budget=settings.media_per_run
            ),
        )

    @property
    def consent_policy(self) -> ConsentPolicy:
        """What the operator takes for consent."""
        from reds_pipeline.fediverse.attachments import OPEN_LICENCES
        from reds_pipeline.fediverse.consent import ConsentPolicy

        federated = self.settings.feed == "federated"
        return ConsentPolicy(
            require_indexable=self.settings.indexable,
            allowed_origins=frozenset(self._approved if federated else ()),
            allowed_licences=OPEN_LICENCES if self.settings.open_licences_only else None,
        )

    @property
    def cleaning_rules(self) -> CleaningRules:
        """By which thresholds pictures are judged."""
        from reds_pipeline.imaging.cleaning import CleaningRules

        return CleaningRules(
            perceptual_radius=self.settings.perceptual_radius,
            dropping_gates=frozenset(self.settings.quality_drops),
        )

    @property
    def feedback_rules(self) -> FeedbackRules:
        """What contributed photos are held to."""
        from reds_pipeline.feedback.curation import FeedbackRules

        return FeedbackRules(
            needs_review=self.settings.contributions != "unreviewed",
            share=self.settings.feedback_share,
            suggested_weight=self.settings.suggested_label_weight,
            perceptual_radius=self.settings.perceptual_radius,
        )

    @property
    def decisions(self) -> DecisionBook:
        """What people have decided about pictures by now."""
        from reds_pipeline.review.decisions import effective_decisions

        return effective_decisions(self.ledger, self.home.keyed_hash)

    @property
    def collection_rules(self) -> CollectionRules:
        """What the card of the data set says about how it was made."""
        from reds_pipeline.dataset.facts import CollectionRules

        settings = self.settings
        return CollectionRules(
            self.consent_policy,
            contact=settings.contact,
            obey_ai_robots=settings.obey_ai_robots,
            federated=settings.feed == "federated",
            recheck_after_hours=settings.recheck_after_hours,
            confirmed_within_days=settings.confirmed_within_days,
            images_per_class=settings.images_per_class,
            keep_pictures=settings.keep_pictures,
            perceptual_radius=settings.perceptual_radius,
            seed=settings.seed,
            feedback=self.feedback_rules,
        )

    @property
    def paging_rules(self) -> PagingRules:
        """Which timelines to walk, and how far."""
        from reds_pipeline.fediverse.timelines import PagingRules

        return PagingRules(feed=self.settings.feed)

    @contextmanager
    def post_reader(self, client: ApiClient, profile: HostProfile) -> Iterator[PostReader]:
        """Offer what turns posts of a host into rows, under the operator's consent policy.

        What authors are found to wish is kept, so that each of them is asked about once a day.
        """
        from reds_pipeline.fediverse.authors import AuthorWishes
        from reds_pipeline.fediverse.posts import PostReader
        from reds_pipeline.storage.locks import WITHDRAWAL_SECONDS, exclusive
        from reds_pipeline.storage.tables import AUTHOR_WISHES, read_rows, write_rows
        from reds_pipeline.withdrawal.withdraw import withdrawn_keys

        home, policy, withdrawn = self.home, self.consent_policy, withdrawn_keys(self.ledger)
        table = home.table("author_wishes")
        authors = None
        if profile.flavour == "pixelfed":
            known = read_rows(table)
            authors = AuthorWishes(client, policy, home.keyed_hash, known=known)
        try:
            yield PostReader(
                client.host,
                policy,
                home.keyed_hash,
                home.seal,
                withdrawn=withdrawn,
                authors=authors,
            )
        finally:
            if authors is not None:
                rows = [row for row in authors.rows() if row["author_key"] not in withdrawn]
                with exclusive(
                    home.lock("author wishes"),
                    "writing what authors wish",
                    patience_seconds=WITHDRAWAL_SECONDS,
                ):
                    write_rows(table, rows, AUTHOR_WISHES)

    @property
    def _approved(self) -> list[str]:
        from reds_pipeline.approvals import approvals

        return [approval["host"] for approval in approvals(self.ledger)]

    @property
    def _politeness(self) -> Politeness:
        from reds_pipeline.fediverse.web.politeness import Politeness

        return Politeness(self.settings.contact, self.settings.obey_ai_robots)
