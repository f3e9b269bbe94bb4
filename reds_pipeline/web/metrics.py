"""What is counted for the operator, in the form that Prometheus reads.

What belongs here: the numbers. What does not: when to count, and their address
(``metrics_routes.py``).

No label comes from a request: routes are named by their templates, methods and reasons are taken
from fixed lists. Nothing is counted by address or by tag.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from prometheus_client import (
    CollectorRegistry,
    Counter,
    Gauge,
    Histogram,
    PlatformCollector,
    ProcessCollector,
    generate_latest,
)

if TYPE_CHECKING:
    from reds_pipeline.tagging.live_state import LiveState

_SECONDS = (0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30)


class Metrics:
    """The numbers of one application; safe to use from many threads."""

    def __init__(self) -> None:
        # One of its own, so that two applications in one process do not mix.
        self.registry = CollectorRegistry()
        ProcessCollector(registry=self.registry)
        PlatformCollector(registry=self.registry)
        self._requests = Counter(
            "reds_requests",
            "Requests answered.",
            ("method", "route", "status"),
            registry=self.registry,
        )
        self._request_seconds = Histogram(
            "reds_request_seconds",
            "Time from the head of a request to the end of its answer.",
            ("route",),
            buckets=_SECONDS,
            registry=self.registry,
        )
        self._photos = Counter(
            "reds_photos", "Photos by what became of them.", ("outcome",), registry=self.registry
        )
        self._tagging_seconds = Histogram(
            "reds_tagging_seconds",
            "Time from a photo's arrival to its tags, waiting included.",
            buckets=_SECONDS,
            registry=self.registry,
        )
        self._model = Gauge(
            "reds_model",
            "1 for each model that serves.",
            ("name", "version", "backbone"),
            registry=self.registry,
        )
        self._is_ready = Gauge("reds_ready", "1 when photos can be tagged.", registry=self.registry)
        self._waiting = Gauge(
            "reds_photos_waiting", "Photos whose turn has not come.", registry=self.registry
        )
        self._has_problem = Gauge(
            "reds_model_problem", "1 while a newer model cannot take over.", registry=self.registry
        )

    def request_done(self, method: str, route: str, status: int, seconds: float) -> None:
        """Count an answered request."""
        self._requests.labels(method, route, str(status)).inc()
        self._request_seconds.labels(route).observe(seconds)

    def photo_done(self, outcome: str) -> None:
        """Count a photo: ``tagged``, or the reason why not."""
        self._photos.labels(outcome).inc()

    @contextmanager
    def tagging(self) -> Iterator[None]:
        """Measure how long one photo takes, whatever becomes of it."""
        with self._tagging_seconds.time():
            yield

    def text(self, state: LiveState, waiting: int) -> bytes:
        """Return everything in the text format of Prometheus.

        Args:
            state: Of the models that serve now.
            waiting: Photos whose turn has not come.
        """
        self._is_ready.set(state.is_ready)
        self._waiting.set(waiting)
        self._has_problem.set(bool(state.problem))
        self._model.clear()
        for model in state.models:
            self._model.labels(model.name, model.version, model.backbone).set(1)
        return generate_latest(self.registry)
