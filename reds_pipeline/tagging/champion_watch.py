"""Following the registry: which versions serve, and swapping them without anybody noticing.

What belongs here: looking at the aliases, loading what is new beside what serves, replacing it at
once, and keeping what serves where the new one is no good. What does not: answering
(``photo_tagger.py``), or loading (``loading.py``).
"""

from __future__ import annotations

import logging
import threading
import time
from dataclasses import dataclass, replace

from reds_pipeline.errors import RedsError
from reds_pipeline.resources import Platform
from reds_pipeline.storage.clock import utc_now
from reds_pipeline.tagging.live_state import LiveState
from reds_pipeline.tagging.loaded_model import LoadedModel, Serving
from reds_pipeline.tagging.loading import load_model
from reds_pipeline.tracking import CHAMPION, HASHTAG_MODEL, REGISTERED_MODEL, RegisteredVersion

_LOGGER = logging.getLogger(__name__)

LONGEST_BACK_OFF_SECONDS = 600.0
"""A version that cannot be loaded is tried again at least as often."""

_MODELS = (REGISTERED_MODEL, HASHTAG_MODEL)
_PATIENCE_AT_CLOSE_SECONDS = 10.0
_MOST_DOUBLINGS = 60
_ENGINES_IN_WORDS = {"numpy": "no network", "pytorch": "PyTorch"}


@dataclass(frozen=True)
class _Failure:
    """A version that could not be loaded.

    Attributes:
        version: Its number and training.
        problem: Why, as a sentence.
        times: How often it was tried.
        again_at: When it is tried again, by the monotonic clock.
    """

    version: tuple[str, str]
    problem: str
    times: int
    again_at: float


class ChampionWatch:
    """Holds what serves, and follows the aliases in a thread once it is started.

    Args:
        platform: The installation.
    """

    def __init__(self, platform: Platform) -> None:
        self._platform = platform
        self._seconds = platform.settings.model_check_seconds
        self._serving = Serving()
        self._failures: dict[str, _Failure] = {}
        self._notices: dict[str, str] = {}
        self._checked_at = ""
        self._stop = threading.Event()
        self._has_looked = threading.Event()
        self._one_look = threading.Lock()
        self._thread: threading.Thread | None = None

    @property
    def serving(self) -> Serving:
        """What answers now; ask once a request, for it may be replaced at any moment."""
        return self._serving

    def state(self) -> LiveState:
        """Return what serves and what is wrong."""
        serving = self._serving
        models = tuple(model.served for model in serving.models)
        engines = {encoder.description.engine: None for encoder in serving.encoders}
        return LiveState(
            models=models,
            problem=self._problem(),
            is_ready=bool(models),
            checked_at=self._checked_at,
            engine=", ".join(_ENGINES_IN_WORDS.get(name, name) for name in engines),
        )

    def start(self) -> None:
        """Follow the aliases in a thread; returns at once."""
        self._thread = threading.Thread(target=self._follow, name="champion watch", daemon=True)
        self._thread.start()

    def wait_until_looked(self, timeout_seconds: float | None = None) -> bool:
        """Wait until the registry was looked at once; say whether it was."""
        return self._has_looked.wait(timeout_seconds)

    def close(self) -> None:
        """Stop following; what is being answered is finished."""
        self._stop.set()
        if self._thread is not None:
            self._thread.join(_PATIENCE_AT_CLOSE_SECONDS)
        for encoder in self._serving.encoders:
            encoder.retire()

    def look(self) -> None:
        """Look at the aliases once and load what is new; never raises."""
        with self._one_look:
            for model in _MODELS:
                if self._stop.is_set():
                    return
                self._look_at(model)
            self._has_looked.set()

    def _follow(self) -> None:
        while not self._stop.is_set():
            self.look()
            self._stop.wait(self._seconds)

    def _look_at(self, model: str) -> None:
        served = self._served(model)
        try:
            champion = self._platform.tracking.alias(CHAMPION, model)
        except Exception as error:
            # MLflow passes on whatever its database or HTTP library raises.
            self._notice(model, _registry_away(error, is_serving=bool(self._serving.models)))
            return
        self._checked_at = utc_now()
        if champion is None:
            self._failures.pop(model, None)
            self._notice(model, self._no_champion(model, served))
            return
        self._notice(model, "")
        named = (champion.version, champion.run_id)
        if served is not None and (served.served.version, served.run_id) == named:
            self._failures.pop(model, None)
            return
        failure = self._failures.get(model)
        is_known = failure is not None and failure.version == named
        if is_known and failure is not None and time.monotonic() < failure.again_at:
            return
        self._load(champion, failure if is_known else None)

    def _load(self, champion: RegisteredVersion, failure: _Failure | None) -> None:
        model = champion.model
        try:
            loaded = load_model(self._platform, champion, self._serving.encoders)
        except Exception as error:
            sentence = _refused(champion, self._served(model), error)
            times = failure.times + 1 if failure else 1
            pause = back_off(self._seconds, times)
            named = (champion.version, champion.run_id)
            self._failures[model] = _Failure(named, sentence, times, time.monotonic() + pause)
            # Why a file is damaged is said once; what nobody foresaw needs its traceback.
            foreseen = isinstance(error, RedsError)
            _LOGGER.error("%s It is tried again in %.0f s.", sentence, pause, exc_info=not foreseen)
            return
        self._failures.pop(model, None)
        if self._stop.is_set():
            # It came too late: everything is being closed.
            if loaded.encoder not in self._serving.encoders:
                loaded.encoder.retire()
            return
        self._swap(model, loaded)

    def _swap(self, model: str, loaded: LoadedModel) -> None:
        """Let a loaded model answer from now on."""
        before = self._serving
        part = "classes" if model == REGISTERED_MODEL else "tags"
        # One assignment: a request sees what was before or what is after, never a mixture.
        self._serving = replace(before, **{part: loaded})
        for encoder in before.encoders:
            if encoder not in self._serving.encoders:
                encoder.retire()
        _LOGGER.info(
            "Version %s of %s serves now, run by %s.",
            loaded.served.version,
            model,
            loaded.encoder.description.engine,
        )

    def _served(self, model: str) -> LoadedModel | None:
        return self._serving.classes if model == REGISTERED_MODEL else self._serving.tags

    def _no_champion(self, model: str, served: LoadedModel | None) -> str:
        if served is not None:
            return (
                f"No version of {model} is the champion any more, so version "
                f"{served.served.version} goes on serving; let one serve with `reds promote`."
            )
        if model == HASHTAG_MODEL:
            return ""
        return (
            f"There is no model in {self._platform.home.root} yet; make one with `reds demo` or "
            "`reds run`, and it is used at once."
        )

    def _notice(self, model: str, sentence: str) -> None:
        if sentence and self._notices.get(model) != sentence:
            _LOGGER.warning("%s", sentence)
        self._notices[model] = sentence

    def _problem(self) -> str:
        # Copies, because the thread that follows goes on meanwhile.
        failures, notices = dict(self._failures), dict(self._notices)
        found = [failures[model].problem for model in _MODELS if model in failures]
        found += [notices[model] for model in _MODELS if notices.get(model)]
        return " ".join(dict.fromkeys(found))


def back_off(seconds: float, times: int) -> float:
    """Return the seconds after which a version is tried again that could not be loaded.

    Args:
        seconds: Between two looks at the registry.
        times: How often it was tried; in a week of waiting that is a thousand times.
    """
    # A float cannot take on every power of two.
    return min(seconds * 2.0 ** min(times, _MOST_DOUBLINGS), LONGEST_BACK_OFF_SECONDS)


def _registry_away(error: Exception, *, is_serving: bool) -> str:
    reason = str(error) if isinstance(error, RedsError) else _in_short(error)
    consequence = (
        "the model that was loaded goes on serving"
        if is_serving
        else "photos can be tagged once it answers"
    )
    return f"MLflow could not be asked which model serves ({reason.rstrip('.')}); {consequence}."


def _refused(version: RegisteredVersion, served: LoadedModel | None, error: Exception) -> str:
    reason = str(error) if isinstance(error, RedsError) else _in_short(error)
    instead = (
        f"version {served.served.version} goes on serving"
        if served is not None
        else "none of that model serves"
    )
    return (
        f"Version {version.version} of {version.model} could not be loaded "
        f"({reason.rstrip('.')}), so {instead}."
    )


def _in_short(error: Exception) -> str:
    lines = " ".join(str(error).split())
    return f"{type(error).__name__}: {lines}"[:200]
