"""How the models that serve, and those that might, look in a terminal.

What belongs here: tables and sentences for people on standard output. What does not: finding out
what is in them, or letting a model serve.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from rich.table import Table

from reds_pipeline.class_states import in_words
from reds_pipeline.terminal import make_console

if TYPE_CHECKING:
    from reds_pipeline.model_history import RecordedChange
    from reds_pipeline.pruning import PruningReport
    from reds_pipeline.registered_versions import VersionOnOffer


def show_history(model: str, champion: str, entries: Sequence[RecordedChange]) -> None:
    """Show which version of a registered model served when and why."""
    console = make_console(soft_wrap=True)
    if not entries:
        console.print(f"No version of {model} has served yet.")
        return
    for entry in entries:
        change = entry.change
        what = f"version {change.version} ({change.backbone})" if change.version else "none"
        after = f" after {change.previous}" if change.previous else ""
        console.print(f"{entry.at}  {what}{after}, by {change.by}")
        console.print(f"  {change.reason}")
    console.print(f"Serving now: {f'version {champion}' if champion else 'none'}")


def show_pruning(report: PruningReport) -> None:
    """Show what ``pruning.prune`` removed or would remove."""
    console = make_console()
    table = Table(box=None, header_style="bold")
    for column in ("version", "backbone", "registered", "size", "what becomes of it"):
        table.add_column(column)
    for fate in report.fates:
        goes = "removed" if report.applied else "may go"
        fared = f"stays: {fate.stays_because}" if fate.stays_because else goes
        size = f"{fate.size / 1e6:.1f} MB"
        table.add_row(fate.version, fate.backbone, fate.created_at, size, fared)
    if table.row_count:
        console.print(table)
    console.print(report.sentence)


def show_class_changes(changes: Sequence[Mapping[str, Any]]) -> None:
    """Show which classes came and went, when and why."""
    if not changes:
        return
    console = make_console(soft_wrap=True)
    console.print("\nClasses")
    for event in changes:
        console.print(f"  {event['at'][:10]}  {event['subject']} {in_words(event['change'])}")
        console.print(f"    {event['reason']}")


def show_versions(versions: Sequence[VersionOnOffer]) -> None:
    """Show which versions of a registered model there are to choose from."""
    if not versions:
        return
    console = make_console()
    console.print("\nRegistered versions, of which `reds promote` lets any serve")
    names = list(dict.fromkeys(name for version in versions for name in version.measured))
    table = Table(box=None, header_style="bold")
    for column in ("version", "backbone"):
        table.add_column(column, no_wrap=True)
    for column in names:
        table.add_column(column, justify="right", no_wrap=True)
    for column in ("data set", "registered", "now"):
        table.add_column(column)
    for version in versions:
        numbers = (version.measured.get(name) for name in names)
        seen = version.withdrawn_pictures
        marks = [*version.aliases, *([f"has seen {seen} withdrawn pictures"] if seen else [])]
        table.add_row(
            version.version,
            version.backbone,
            *("" if number is None else f"{number:.3f}" for number in numbers),
            version.dataset,
            version.registered_at[:16].replace("T", " "),
            ", ".join(marks),
        )
    console.print(table)
