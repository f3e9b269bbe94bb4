"""The ``reds`` command.

What belongs here: the list of commands, exit codes, and what becomes of an error. What does not:
the commands themselves (``commands``), which import what they need inside, so that
``reds --help`` answers at once, or work.

Exit codes: 0 done; 1 failed, with a sentence; 2 wrong usage; 3 finished, but a class fell short
of its minimum.
"""

from __future__ import annotations

import sys

import click

from reds_pipeline.commands.backbones import backbones
from reds_pipeline.commands.backup import backup, restore
from reds_pipeline.commands.common import announce
from reds_pipeline.commands.comparing import compare
from reds_pipeline.commands.dataset import card, export, review
from reds_pipeline.commands.feedback import feedback
from reds_pipeline.commands.hosts import hosts
from reds_pipeline.commands.housekeeping import prune
from reds_pipeline.commands.looking import doctor, predict, status, up
from reds_pipeline.commands.models import history, promote, rollback
from reds_pipeline.commands.notifying import notify
from reds_pipeline.commands.password import password
from reds_pipeline.commands.running import demo, retrain, run
from reds_pipeline.commands.serving import serve
from reds_pipeline.commands.withdrawing import withdraw
from reds_pipeline.errors import RedsError
from reds_pipeline.garbage_collection import collect_garbage_less_often

INTERRUPTED = 130


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="reds-pipeline")
@click.option("--debug", is_flag=True, help="Show the traceback of an error.")
@click.pass_context
def cli(context: click.Context, debug: bool) -> None:
    """Learn to tag photos from what people post on the Fediverse."""
    context.obj = {"debug": debug}


for _command in (
    *(demo, run, retrain, predict, serve, status, doctor, up, backbones, compare),
    *(hosts, withdraw, review, feedback, export, card, password),
    *(history, promote, rollback, prune, backup, restore, notify),
):
    cli.add_command(_command)


def main() -> None:
    """Run the command; every expected failure is one sentence on standard error."""
    collect_garbage_less_often()
    debug = "--debug" in sys.argv[1:]
    try:
        cli(standalone_mode=False)
    except click.exceptions.Exit as stop:
        sys.exit(stop.exit_code)
    except (click.Abort, KeyboardInterrupt):
        announce("Stopped. The same command goes on from here.")
        sys.exit(INTERRUPTED)
    except click.ClickException as error:
        error.show()
        sys.exit(error.exit_code)
    except RedsError as error:
        if debug:
            raise
        announce(str(error))
        sys.exit(1)
    except Exception as error:
        if debug:
            raise
        announce(
            f"REDS failed in a way it did not expect ({type(error).__name__}: {error}); "
            "repeat the command as `reds --debug ...` and report what it prints."
        )
        sys.exit(1)


if __name__ == "__main__":
    main()
