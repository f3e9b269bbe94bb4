"""The home of a demonstration: which town it shows, on which port, with which encoders.

What belongs here: preparing a home for ``reds demo`` and remembering the choices in it, so that
a second run meets the same instance and has nothing new to do. What does not: the instance
(``instance.py``) and running the pipeline. A home holds either a demonstration or data of a real
host, never both.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from reds_pipeline.demo.instance import EmbeddedInstance
from reds_pipeline.demo.town.town import Town
from reds_pipeline.errors import RedsError
from reds_pipeline.settings import SETTINGS_FILE, Settings, load_settings
from reds_pipeline.stage_inputs import curated_rows
from reds_pipeline.storage import atomic
from reds_pipeline.storage.home import Home

DEMO_FILE = "demo.json"
# Small enough to fetch while somebody watches: ten megabytes.
HUB_BACKBONE = "mobilenetv3_small_100"
_SECONDS_TO_ANSWER = 5.0


@dataclass(frozen=True)
class DemoNotes:
    """What a demonstration remembers in its home.

    Attributes:
        port: Loopback port of the instance; addresses of posts and pictures contain it.
        token: The token of the instance's one user; it opens nothing else.
        photos: Directory of real photographs, or "" for drawn pictures.
        backbones: Encoders that were chosen for the user.
    """

    port: int
    token: str
    photos: str
    backbones: tuple[str, ...]


@dataclass(frozen=True)
class DemoPlan:
    """A demonstration that is ready to run.

    Attributes:
        home: Its home.
        instance: Its instance, not started yet.
        encoders: A sentence about what will look at the pictures.
    """

    home: Home
    instance: EmbeddedInstance
    encoders: str

    @contextmanager
    def serving(self) -> Iterator[Settings]:
        """Run the instance and yield the settings that point at it."""
        with self.instance:
            yield load_settings(
                home=self.home.root, host_url=self.instance.url, host_token=self.instance.token
            )

    def example_picture(self) -> Path | None:
        """Return a picture that the pipeline kept, for the reader to try."""
        rows = curated_rows(self.home)
        if not rows:
            return None
        return self.home.images.path(rows[0]["sha256"], rows[0]["extension"])


def prepare_demo(settings: Settings, photos: Path | None) -> DemoPlan:
    """Make a home ready for a demonstration, or meet the one it already holds.

    Args:
        settings: The operator's; home, backbones and weights_dir count.
        photos: Directory of real photographs by class, or None for drawn pictures.

    Raises:
        RedsError: The home holds something else, its instance runs already, or its port is taken.
    """
    home = Home(settings.home.resolve())
    notes = _read_notes(home)
    if notes is None and (home.root / "tables").exists():
        raise RedsError(
            f"{home.root} holds data of a real host, which a demonstration must not be mixed "
            "with; choose another directory with --home."
        )
    folder = str(photos.resolve()) if photos else ""
    if notes is not None and notes.photos != folder:
        raise RedsError(
            f"{home.root} holds a demonstration with "
            f"{f'the photographs of {notes.photos}' if notes.photos else 'drawn pictures'}; "
            "choose another directory with --home, or remove that one."
        )
    if notes is not None and _answers(notes):
        raise RedsError(
            f"The instance of the demonstration in {home.root} runs already, in `reds up`; stop "
            f"that, or let `reds run --home {home.root}` learn from it."
        )
    instance = EmbeddedInstance(
        Town.build(photos=photos),
        port=notes.port if notes else 0,
        token=notes.token if notes else None,
    )
    backbones, sentence = _encoders(settings, notes)
    remembered = DemoNotes(
        port=urlsplit(instance.url).port or 0,
        token=instance.token,
        photos=folder,
        backbones=backbones,
    )
    atomic.write_text(home.root / DEMO_FILE, json.dumps(asdict(remembered), indent=2))
    _write_settings(home, settings, instance, backbones)
    return DemoPlan(home, instance, sentence)


def demo_instance_of(home: Home) -> EmbeddedInstance | None:
    """Return the instance of the demonstration that a home holds, not started; or None."""
    notes = _read_notes(home)
    return None if notes is None else _instance_of(notes)


@contextmanager
def demo_answering(home: Home) -> Iterator[None]:
    """Have the instance answer of the demonstration that a home holds, if it holds one.

    Where ``reds up`` has it running, that one answers.

    Raises:
        RedsError: Something else listens on its port.
    """
    notes = _read_notes(home)
    with nullcontext() if notes is None or _answers(notes) else _instance_of(notes):
        yield


def refuse_to_mix(settings: Settings) -> None:
    """Refuse to collect from a real host into the home of a demonstration.

    Raises:
        RedsError: The home holds a demonstration and the configured host is another.
    """
    notes = _read_notes(Home(settings.home.resolve()))
    if notes is None:
        return
    if settings.host_url.rstrip("/") != f"http://127.0.0.1:{notes.port}":
        raise RedsError(
            f"{settings.home} holds a demonstration, which data of {settings.host_url or 'a host'} "
            "must not be mixed with; choose another directory with --home or REDS_HOME."
        )


def _instance_of(notes: DemoNotes) -> EmbeddedInstance:
    photos = Path(notes.photos) if notes.photos else None
    return EmbeddedInstance(Town.build(photos=photos), port=notes.port, token=notes.token)


def _answers(notes: DemoNotes) -> bool:
    """Return whether the very instance runs already: another one would not take the token."""
    import requests

    try:
        answer = requests.get(
            f"http://127.0.0.1:{notes.port}/api/v1/accounts/verify_credentials",
            headers={"Authorization": f"Bearer {notes.token}"},
            timeout=_SECONDS_TO_ANSWER,
            allow_redirects=False,
        )
    except requests.RequestException:
        return False
    return answer.status_code == requests.codes.ok


def _encoders(settings: Settings, notes: DemoNotes | None) -> tuple[tuple[str, ...], str]:
    """Return the encoders to compare and a sentence that says why these."""
    from reds_pipeline.embedding.availability import backbones_in, hub_answers
    from reds_pipeline.embedding.tiny import TINY

    chosen_before = notes is not None and settings.backbones == notes.backbones
    if "backbones" in settings.model_fields_set and not chosen_before:
        return settings.backbones, f"Encoders, as configured: {', '.join(settings.backbones)}."
    control = f"{TINY} (histograms, nothing learnt) beside it shows what the weights are worth"
    if found := backbones_in(settings.weights_dir):
        return (
            (*found, TINY),
            f"Encoders: {', '.join(found)} with the weights in {settings.weights_dir}; {control}.",
        )
    if hub_answers():
        return (
            (HUB_BACKBONE, TINY),
            f"Encoders: {HUB_BACKBONE} with weights from the model hub; {control}.",
        )
    return (
        (TINY,),
        f"Encoder: {TINY} only, because no weights are configured and the model hub does not "
        "answer. It counts colours and edges and has learnt nothing, so the figures below show "
        "that the pipeline works, not how well photos can be tagged; for that, set "
        "REDS_WEIGHTS_DIR or go online.",
    )


def _write_settings(
    home: Home, settings: Settings, instance: EmbeddedInstance, backbones: tuple[str, ...]
) -> None:
    values: dict[str, Any] = {
        "host_url": instance.url,
        "host_token": instance.token,
        "backbones": list(backbones),
    }
    if settings.weights_dir is not None:
        values["weights_dir"] = str(settings.weights_dir.resolve())
    # JSON strings and lists of strings are TOML as well.
    lines = [f"{name} = {json.dumps(value)}" for name, value in values.items()]
    note = "# Written by `reds demo`: `reds up`, `reds status` and `reds predict` read it."
    atomic.write_text(home.root / SETTINGS_FILE, "\n".join([note, *lines, ""]))


def _read_notes(home: Home) -> DemoNotes | None:
    path = home.root / DEMO_FILE
    if not path.exists():
        return None
    values = json.loads(path.read_text(encoding="utf-8"))
    return DemoNotes(**values | {"backbones": tuple(values["backbones"])})
