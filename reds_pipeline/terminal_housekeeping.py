"""How housekeeping looks in a terminal.

What belongs here: the table and sentences for people on standard output. What does not: finding
out what is in them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.table import Table

from reds_pipeline.terminal import make_console
from reds_pipeline.terminal_models import show_pruning

if TYPE_CHECKING:
    from reds_pipeline.housekeeping.keep_house import HousekeepingReport


def show(report: HousekeepingReport) -> None:
    """Show what ``keep_house`` removed or would remove."""
    console = make_console()
    for versions in report.versions:
        show_pruning(versions)
    table = Table(box=None, header_style="bold")
    table.add_column("kind", no_wrap=True)
    table.add_column("what")
    table.add_column("how many", justify="right", no_wrap=True)
    table.add_column("MB", justify="right", no_wrap=True)
    table.add_column("why" if report.applied else "why it may go")
    for each in report.chores:
        why = f"stays: {each.left_alone}" if each.left_alone else each.why
        table.add_row(each.kind, each.what, str(each.count), f"{each.size / 1e6:.1f}", why)
    if table.row_count:
        console.print(table)
    console.print(report.sentence)
    for note in report.notes:
        console.print(note)
    kinds = ", ".join(f"{kind} {size / 1e6:.0f} MB" for kind, size in report.disk.kinds.items())
    console.print(f"The home takes {report.disk.total / 1e6:.0f} MB: {kinds}.")
    if report.complaint:
        console.print(report.complaint, style="red")
    if report.going and not report.applied:
        console.print("`reds prune --apply` removes them.")
