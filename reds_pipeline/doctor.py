"""What this machine lacks, found by looking.

What belongs here: one finding per thing REDS needs, with what to do about it. What does not:
doing it.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

from reds_pipeline.demo.demo_home import demo_answering
from reds_pipeline.errors import RedsError
from reds_pipeline.housekeeping.disk_use import complaint, disk_use
from reds_pipeline.resources import Platform
from reds_pipeline.settings import Settings

if TYPE_CHECKING:
    from reds_pipeline.fediverse.hosts import HostProfile

# Of these one is enough: each is another way to the same thing.
_PHOTOS = frozenset({"posts of a tag", "guest feed of a tag"})
_RECHECKS = frozenset({"several posts at once", "one post"})
_WAYS = {name: ways for ways in (_PHOTOS, _RECHECKS) for name in ways}
_ADVICE = {
    "needs_token": "set REDS_HOST_TOKEN to a token with scope `read`.",
    "unavailable": "the host does not give this to programs; choose another host.",
    "anonymous": "",
}


@dataclass(frozen=True)
class Finding:
    """One thing that was looked at.

    Attributes:
        subject: What it is.
        ok: Whether REDS can work with it as it is.
        detail: What was found, or what is missing and what to do.
    """

    subject: str
    ok: bool
    detail: str

    def as_dict(self) -> dict[str, Any]:
        """Return the finding as JSON."""
        return asdict(self)


def examine(settings: Settings) -> list[Finding]:
    """Look at everything that a run with these settings would need."""
    platform = Platform(settings)
    # A demonstration's host is part of this program and runs while it is asked.
    with demo_answering(platform.home):
        return [
            _python(),
            _disk(platform),
            _wordnet(),
            *_weights(settings),
            _engines(settings),
            _tracking(platform),
            _daemons(settings),
            *page_findings(settings),
            notices_finding(settings),
            *_host(platform),
        ]


def _python() -> Finding:
    version = ".".join(map(str, sys.version_info[:3]))
    return Finding("Python", True, version)


def _disk(platform: Platform) -> Finding:
    use = disk_use(platform.home.root)
    if wrong := complaint(use, platform.settings):
        return Finding("disk", False, wrong)
    return Finding(
        "disk",
        True,
        f"{use.free / 1e9:.0f} GB free, {use.total / 1e9:.1f} GB in {platform.home.root}",
    )


def _wordnet() -> Finding:
    from reds_pipeline.lexicon.wordnet import WordNetMissing, load_wordnet, wordnet_location

    try:
        load_wordnet()
    except WordNetMissing as error:
        return Finding("WordNet", False, str(error))
    return Finding("WordNet", True, wordnet_location() or "")


def _weights(settings: Settings) -> Iterator[Finding]:
    from reds_pipeline.embedding.availability import backbones_in, hub_answers
    from reds_pipeline.embedding.tiny import TINY
    from reds_pipeline.embedding.weights import cached_hub_weights

    local = backbones_in(settings.weights_dir)
    hub: bool | None = None
    for backbone in settings.backbones:
        subject = f"weights of {backbone}"
        if backbone == TINY:
            yield Finding(subject, True, "needs none")
        elif backbone in local:
            yield Finding(subject, True, f"in {settings.weights_dir}")
        elif cached := cached_hub_weights(backbone):
            yield Finding(subject, True, cached.origin)
        else:
            hub = hub_answers() if hub is None else hub
            yield Finding(
                subject,
                hub,
                "will be fetched from the model hub"
                if hub
                else f"The model hub does not answer; put {backbone}.safetensors into a "
                "directory and set REDS_WEIGHTS_DIR to it, or set REDS_BACKBONES to others.",
            )


def _engines(settings: Settings) -> Finding:
    from reds_pipeline.embedding.engines.available import lacking_by_engine
    from reds_pipeline.embedding.engines.selection import AUTO

    lacking = lacking_by_engine()
    here = ", ".join(name for name, reason in lacking.items() if not reason)
    absent = "; ".join(f"{name}: {reason}" for name, reason in lacking.items() if reason)
    detail = f"here: {here}" + (f" (not here: {absent})" if absent else "")
    wanted = settings.inference
    if wanted == AUTO or lacking.get(wanted) == "":
        return Finding("inference engines", True, detail)
    return Finding(
        "inference engines",
        False,
        f"REDS_INFERENCE names {wanted}, which cannot be had here; set it to {AUTO} or to one "
        f"that is {detail}.",
    )


def _tracking(platform: Platform) -> Finding:
    try:
        _ = platform.tracking.client
    except RedsError as error:
        return Finding("MLflow", False, str(error))
    return Finding("MLflow", True, platform.tracking.uri)


def _daemons(settings: Settings) -> Finding:
    from reds_pipeline.daemons import daemon_processes

    directory = (settings.dagster_home or settings.home / "dagster").resolve()
    processes = daemon_processes(directory)
    if len(processes) > 1:
        numbers = ", ".join(map(str, processes))
        return Finding(
            "Dagster's daemon",
            False,
            f"{len(processes)} of them work on {directory} (processes {numbers}); stop all but the "
            "one that `reds up`, or your service, started.",
        )
    said = f"runs (process {processes[0]})" if processes else "does not run here; `reds up` does it"
    return Finding("Dagster's daemon", True, said)


def notices_finding(settings: Settings) -> Finding:
    """Say whether anybody is told of failures; whether it arrives only a test can show."""
    from reds_pipeline.notice_delivery import kinds_of
    from reds_pipeline.notices import has_address

    if not has_address(settings):
        return Finding(
            "notices",
            True,
            "nobody is told of failures; set REDS_NOTIFY to an Apprise address, or look at "
            "`reds status` now and then",
        )
    kinds = kinds_of(settings.notify.get_secret_value())
    if "" in kinds:
        return Finding(
            "notices",
            False,
            f"Apprise does not understand address {kinds.index('') + 1} of {len(kinds)} in "
            "REDS_NOTIFY; see https://appriseit.com for how addresses are written.",
        )
    return Finding(
        "notices", True, f"go to {', '.join(kinds)}; `reds notify --test` shows if they arrive"
    )


def page_findings(settings: Settings) -> Iterator[Finding]:
    """Say what the page can do with these settings: for photos, for its operator, for giving."""
    from reds_pipeline.imaging.heic import can_open_heic

    yield Finding(
        "HEIC photos",
        True,
        "can be tagged"
        if can_open_heic()
        else "cannot be tagged, and the page asks for a JPEG; install REDS with the extra `heic` "
        "to take them.",
    )
    yield _operator(settings)
    contributions = {
        "off": "cannot be given on the page",
        "reviewed": "may be given, and are learnt from when the operator has kept them",
        "unreviewed": "may be given, and are learnt from with the next training",
    }
    yield Finding("photos for training", True, contributions[settings.contributions])


def _operator(settings: Settings) -> Finding:
    from reds_pipeline.web.operator_gate import OperatorGate

    subject = "operator's login"
    try:
        gate = OperatorGate(settings, is_public=False)
    except RedsError as error:
        return Finding(subject, False, str(error))
    if gate.has_login:
        return Finding(subject, True, "a password is set")
    if settings.page_hosts or settings.trusted_proxies:
        return Finding(
            subject,
            False,
            "REDS_PAGE_HOSTS or REDS_TRUSTED_PROXIES opens the page to other people, but no "
            "password is set, so that nobody can sign in to the review gallery; `reds password` "
            "prints the setting.",
        )
    return Finding(
        subject, True, "no password is set here: the review gallery opens for this machine only"
    )


def _host(platform: Platform) -> Iterator[Finding]:
    from reds_pipeline.fediverse.hosts import probe

    try:
        with platform.host() as client:
            profile = probe(client)
    except RedsError as error:
        yield Finding("host", False, str(error))
        return
    yield Finding(
        "host", True, f"{platform.settings.host_url}: {profile.software} {profile.version}"
    )
    yield from ways_to_posts(profile, bool(platform.settings.host_token.get_secret_value()))


def ways_to_posts(profile: HostProfile, has_token: bool) -> Iterator[Finding]:
    """Say of everything that a host may give whether REDS gets it, or another way to the same.

    Args:
        profile: What ``hosts.probe`` found.
        has_token: Whether an access token is configured.
    """
    verdicts = profile.verdicts()
    usable = {
        name
        for name, verdict, _ in verdicts
        if verdict == "anonymous" or (verdict == "needs_token" and has_token)
    }
    to_be_had = {name for name, verdict, _ in verdicts if verdict != "unavailable"}
    for name, verdict, purpose in verdicts:
        ways = _WAYS.get(name, {name})
        # Where another way needs no more than a token, this one is not what is missing.
        is_passed_over = verdict == "unavailable" and not to_be_had.isdisjoint(ways)
        ok = is_passed_over or not usable.isdisjoint(ways)
        advice = "" if ok else f"; {_ADVICE[verdict]}"
        yield Finding(name, ok, f"{verdict.replace('_', ' ')} ({purpose}){advice}")
