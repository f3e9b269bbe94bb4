"""Which hosts may be learnt from.

What belongs here: the commands below ``reds hosts``. What does not: what an approval means
(``approvals.py``).
"""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

import click

from reds_pipeline.commands.common import announce, home_option, json_option, print_json
from reds_pipeline.commands.withdrawing import show_withdrawal


@click.group()
def hosts() -> None:
    """Approve hosts to learn from, list the approved ones, and ask what they give."""


@hosts.command()
@home_option
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
    announce(f"{name} is approved.")


@hosts.command()
@home_option
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
        announce(
            f"{name} is not approved any more; what was collected there is left out of data sets "
            "once REDS_CONFIRMED_WITHIN_DAYS are over, and stays here unless it is erased."
        )
        return
    report = erase_host(platform.home, platform.ledger, platform.tracking, name)
    show_withdrawal(report, platform, as_json=False)
    announce(f"{name} is not approved any more.")


@hosts.command(name="list")
@home_option
@json_option
def list_hosts(home: Path | None, as_json: bool) -> None:
    """List the approved hosts, with who approved them and when their terms were read."""
    from reds_pipeline import terminal
    from reds_pipeline.approvals import approvals
    from reds_pipeline.resources import Platform
    from reds_pipeline.settings import load_settings

    approved = approvals(Platform(load_settings(home=home)).ledger)
    if as_json:
        print_json(approved)
    else:
        terminal.show_approvals(approved)


@hosts.command(name="probe")
@home_option
@click.argument("url", required=False)
@json_option
def probe_host(home: Path | None, url: str | None, as_json: bool) -> None:
    """Ask a host (the configured one, or URL) what it gives to whom; nothing is collected."""
    from reds_pipeline import terminal
    from reds_pipeline.demo.demo_home import demo_answering
    from reds_pipeline.fediverse.hosts import probe
    from reds_pipeline.resources import Platform
    from reds_pipeline.settings import load_settings

    settings = load_settings(home=home)
    if url and url.rstrip("/") != settings.host_url.rstrip("/"):
        # The token is the configured host's and must not reach another one.
        settings = load_settings(home=home, host_url=url, host_token="")
    platform = Platform(settings)
    # A demonstration's host is part of this program and runs while it is asked.
    with demo_answering(platform.home), platform.host() as client:
        profile = probe(client)
    if as_json:
        print_json(
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
