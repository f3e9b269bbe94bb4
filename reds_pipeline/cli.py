"""The ``reds`` command.

What belongs here: reading arguments, calling one function, showing its result, exit codes. What
does not: work. Data goes to standard output, everything else to standard error. Each command
imports what it needs inside, so that ``reds --help`` answers at once.

Exit codes: 0 done; 1 failed, with a sentence; 2 wrong usage; 3 finished, but a class fell short
of its minimum.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping
from contextlib import nullcontext
from dataclasses import asdict
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from reds_pipeline.errors import RedsError

if TYPE_CHECKING:
    from reds_pipeline.resources import Platform
    from reds_pipeline.settings import Settings
    from reds_pipeline.withdrawal.requests import Subject
    from reds_pipeline.withdrawal.withdraw import WithdrawalReport

FELL_SHORT = 3
INTERRUPTED = 130

_home = click.option(
    "--home",
    type=click.Path(file_okay=False, path_type=Path),
    help="Where REDS keeps everything (default: REDS_HOME, else ./.reds).",
)
_json = click.option("--json", "as_json", is_flag=True, help="Print one JSON value instead.")


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="reds-pipeline")
@click.option("--debug", is_flag=True, help="Show the traceback of an error.")
@click.pass_context
def cli(context: click.Context, debug: bool) -> None:
    """Learn to tag photos from what people post on the Fediverse."""
    context.obj = {"debug": debug}


@cli.command()
@_home
@click.option(
    "--photos",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    help="Serve real photographs from DIR/<class>/ instead of drawn pictures.",
)
@_json
def demo(home: Path | None, photos: Path | None, as_json: bool) -> None:
    """Run everything against an instance inside this process."""
    from reds_pipeline.demo.demo_home import prepare_demo
    from reds_pipeline.settings import load_settings

    plan = prepare_demo(load_settings(home=home), photos)
    _announce(plan.encoders)
    with plan.serving() as settings:
        _run(settings, as_json)
    if not as_json:
        from reds_pipeline import terminal

        terminal.show_next_steps(settings, plan.example_picture())


@cli.command()
@_home
@click.option("--classes", help="Classes to use, separated by commas, instead of choosing them.")
@_json
def run(home: Path | None, classes: str | None, as_json: bool) -> None:
    """Run the main job against the configured host."""
    from reds_pipeline.demo.demo_home import refuse_to_mix
    from reds_pipeline.settings import load_settings

    settings = load_settings(home=home, classes=classes)
    refuse_to_mix(settings)
    _run(settings, as_json)


@cli.command()
@_home
@click.argument("files", nargs=-1, required=True, type=click.Path(dir_okay=False, path_type=Path))
@_json
def predict(home: Path | None, files: tuple[Path, ...], as_json: bool) -> None:
    """Recommend tags for photos by the champion."""
    from reds_pipeline import terminal
    from reds_pipeline.resources import Platform
    from reds_pipeline.settings import load_settings
    from reds_pipeline.tagger import Tagger

    tagger = Tagger.of_champion(Platform(load_settings(home=home)))
    answers = tagger.tag_files(files)
    for answer in answers:
        if "error" in answer:
            _announce(answer["error"])
    if as_json:
        _print_json(answers)
    else:
        terminal.show_tags(answers)
    if any("error" in answer for answer in answers):
        sys.exit(1)


@cli.command()
@_home
@_json
def status(home: Path | None, as_json: bool) -> None:
    """Show where the images went, the models, the champion and what failed lately."""
    from reds_pipeline import terminal
    from reds_pipeline.resources import Platform
    from reds_pipeline.settings import load_settings
    from reds_pipeline.status import home_status

    report = home_status(Platform(load_settings(home=home)))
    if as_json:
        _print_json(report)
    else:
        terminal.show_status(report)


@cli.command()
@_home
@_json
def doctor(home: Path | None, as_json: bool) -> None:
    """Say what is missing on this machine and how to get it."""
    from reds_pipeline import terminal
    from reds_pipeline.doctor import examine
    from reds_pipeline.settings import load_settings

    findings = examine(load_settings(home=home))
    if as_json:
        _print_json([finding.as_dict() for finding in findings])
    else:
        terminal.show_findings(findings)
    if not all(finding.ok for finding in findings):
        sys.exit(1)


@cli.command()
@_home
@click.option("--dagster-port", default=3000, show_default=True, help="Port of the Dagster UI.")
@click.option("--mlflow-port", default=5000, show_default=True, help="Port of the MLflow UI.")
def up(home: Path | None, dagster_port: int, mlflow_port: int) -> None:
    """Serve the Dagster UI (with its daemon) and the MLflow UI until Ctrl+C."""
    from reds_pipeline.settings import load_settings
    from reds_pipeline.user_interfaces import serve

    serve(load_settings(home=home), dagster_port, mlflow_port, _announce)


@cli.group()
def hosts() -> None:
    """Approve hosts to learn from, list the approved ones, and ask what they give."""


@hosts.command()
@_home
@click.argument("url")
@click.option("--reviewed-by", required=True, help="Who decided this.")
@click.option(
    "--terms-read",
    required=True,
    type=click.DateTime(["%Y-%m-%d"]),
    help="When the host's terms were read, as YYYY-MM-DD.",
)
def approve(home: Path | None, url: str, reviewed_by: str, terms_read: datetime) -> None:
    """Record that the operators of URL allow REDS to learn from it."""
    from reds_pipeline.approvals import approve_host
    from reds_pipeline.resources import Platform
    from reds_pipeline.settings import load_settings

    name = approve_host(
        Platform(load_settings(home=home)).ledger, url, reviewed_by, terms_read.date()
    )
    _announce(f"{name} is approved.")


@hosts.command()
@_home
@click.argument("url")
@click.option("--reason", default="", help="Why, for the record.")
@click.option("--erase", is_flag=True, help="Also erase everything that came from it.")
def revoke(home: Path | None, url: str, reason: str, erase: bool) -> None:
    """Take the approval of URL back: REDS does not ask it for anything any more."""
    from reds_pipeline.approvals import revoke_host
    from reds_pipeline.resources import Platform
    from reds_pipeline.settings import load_settings
    from reds_pipeline.withdrawal.host import erase_host

    platform = Platform(load_settings(home=home))
    # An erasure that was cut short is repeated by the same command.
    name = revoke_host(platform.ledger, url, reason, again=erase)
    if not erase:
        _announce(
            f"{name} is not approved any more; what was collected there is left out of data sets "
            "once REDS_CONFIRMED_WITHIN_DAYS are over, and stays here unless it is erased."
        )
        return
    report = erase_host(platform.home, platform.ledger, platform.tracking, name)
    _show_withdrawal(report, platform, as_json=False)
    _announce(f"{name} is not approved any more.")


@hosts.command(name="list")
@_home
@_json
def list_hosts(home: Path | None, as_json: bool) -> None:
    """List the approved hosts, with who approved them and when their terms were read."""
    from reds_pipeline import terminal
    from reds_pipeline.approvals import approvals
    from reds_pipeline.resources import Platform
    from reds_pipeline.settings import load_settings

    approved = approvals(Platform(load_settings(home=home)).ledger)
    if as_json:
        _print_json(approved)
    else:
        terminal.show_approvals(approved)


@hosts.command(name="probe")
@_home
@click.argument("url", required=False)
@_json
def probe_host(home: Path | None, url: str | None, as_json: bool) -> None:
    """Ask a host (the configured one, or URL) what it gives to whom; nothing is collected."""
    from reds_pipeline import terminal
    from reds_pipeline.demo.demo_home import demo_instance_of
    from reds_pipeline.fediverse.hosts import probe
    from reds_pipeline.resources import Platform
    from reds_pipeline.settings import load_settings

    settings = load_settings(home=home)
    if url and url.rstrip("/") != settings.host_url.rstrip("/"):
        # The token is the configured host's and must not reach another one.
        settings = load_settings(home=home, host_url=url, host_token="")
    platform = Platform(settings)
    # A demonstration's host is part of this program and runs while it is asked.
    with demo_instance_of(platform.home) or nullcontext(), platform.host() as client:
        profile = probe(client)
    if as_json:
        _print_json(
            {
                "host": settings.host_url,
                "software": profile.software,
                "version": profile.version,
                "flavour": profile.flavour,
                "endpoints": [
                    {"name": name, "verdict": verdict, "used_for": purpose}
                    for name, verdict, purpose in profile.verdicts()
                ],
            }
        )
    else:
        terminal.show_profile(settings.host_url, profile)


@cli.command()
@_home
@click.option("--post", help="Address of a post, at the host or where it came from.")
@click.option("--author", help="Address of a profile, or name@host.")
@click.option("--image", help="A picture file, or the SHA-256 of a stored picture.")
@click.option("--why", default="", help="The reason, for the record; kept for ever.")
@click.option("--asked-by", default="", help="Who asked, in words that name nobody.")
@click.option("--dry-run", is_flag=True, help="Only say what would be withdrawn.")
@_json
def withdraw(home: Path | None, dry_run: bool, as_json: bool, **named: str | None) -> None:
    """Erase a post, an author's posts or a picture from everything, for good."""
    from reds_pipeline.resources import Platform
    from reds_pipeline.settings import load_settings
    from reds_pipeline.withdrawal.withdraw import WithdrawalRequest
    from reds_pipeline.withdrawal.withdraw import withdraw as withdraw_request

    settings = load_settings(home=home)
    platform = Platform(settings)
    request = WithdrawalRequest(
        _withdrawal_subject(named, settings), named["why"] or "", named["asked_by"] or ""
    )
    report = withdraw_request(
        platform.home, platform.ledger, platform.tracking, request, dry_run=dry_run
    )
    _show_withdrawal(report, platform, as_json)


def _show_withdrawal(report: WithdrawalReport, platform: Platform, as_json: bool) -> None:
    """Take the photographs out of the run history too, and show what a withdrawal did."""
    from reds_pipeline import terminal
    from reds_pipeline.instance import open_instance
    from reds_pipeline.run_history import remove_withdrawn_photographs

    if report.classes and not report.dry_run:
        with open_instance(platform.settings) as instance:
            remove_withdrawn_photographs(instance, platform.home)
    if as_json:
        _print_json(asdict(report))
    else:
        terminal.show_withdrawal(report)
    if not report.is_finished:
        _announce(
            f"Another process is using {', '.join(report.busy)}; what is there goes with its next "
            "run, or repeat this command when it has finished."
        )


def _withdrawal_subject(named: Mapping[str, str | None], settings: Settings) -> Subject:
    """Return what exactly one of the options --post, --author and --image names."""
    from reds_pipeline.withdrawal.withdraw import account_address, picture, post_address

    given = [name for name in ("post", "author", "image") if named[name]]
    if len(given) != 1:
        raise click.UsageError("Name one of --post, --author and --image.")
    value = str(named[given[0]])
    if given == ["post"]:
        return post_address(value)
    if given == ["author"]:
        return account_address(value)
    file = Path(value)
    return picture(file.read_bytes() if file.is_file() else value, settings.perceptual_radius)


def _run(settings: Settings, as_json: bool) -> None:
    """Run the main job and show what came out; exit with 3 if a class fell short."""
    from reds_pipeline import terminal
    from reds_pipeline.resources import Platform
    from reds_pipeline.runner import run_main_job
    from reds_pipeline.status import run_summary

    outcome = run_main_job(settings, _announce)
    platform = Platform(settings)
    summary = run_summary(platform)
    for name, sentence in outcome.failed_classes.items():
        _announce(f"{name}: {sentence}")
    for notice in outcome.notices:
        _announce(notice)
    if as_json:
        _print_json(summary)
    else:
        terminal.show_summary(summary)
    _announce(outcome.cost_sentence())
    minimum = settings.min_images_per_class
    short = {
        name: funnel["kept"]
        for name, funnel in summary["funnel"].items()
        if funnel["kept"] < minimum
    }
    if short:
        counts = ", ".join(f"{name} {kept}" for name, kept in short.items())
        _announce(
            f"Too few images were kept of: {counts} (the minimum is {minimum}); collect from "
            "more hosts, lower REDS_MIN_IMAGES_PER_CLASS, or choose other classes."
        )
        sys.exit(FELL_SHORT)


def _announce(line: str) -> None:
    print(line, file=sys.stderr, flush=True)


def _print_json(value: Any) -> None:
    print(json.dumps(value, ensure_ascii=False, indent=2))


def main() -> None:
    """Run the command; every expected failure is one sentence on standard error."""
    debug = "--debug" in sys.argv[1:]
    try:
        cli(standalone_mode=False)
    except click.exceptions.Exit as stop:
        sys.exit(stop.exit_code)
    except (click.Abort, KeyboardInterrupt):
        _announce("Stopped. The same command goes on from here.")
        sys.exit(INTERRUPTED)
    except click.ClickException as error:
        error.show()
        sys.exit(error.exit_code)
    except RedsError as error:
        if debug:
            raise
        _announce(str(error))
        sys.exit(1)
    except Exception as error:
        if debug:
            raise
        _announce(
            f"REDS failed in a way it did not expect ({type(error).__name__}: {error}); "
            "repeat the command as `reds --debug ...` and report what it prints."
        )
        sys.exit(1)


if __name__ == "__main__":
    main()
