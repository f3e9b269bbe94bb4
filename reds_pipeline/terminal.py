"""How results look in a terminal.

What belongs here: tables for people on standard output. What does not: computing what is in
them; JSON, which the commands print themselves; models and backbones (``terminal_models.py``,
``terminal_backbones.py``).
"""

from __future__ import annotations

import shlex
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rich.console import Console
from rich.table import Table
from rich.text import Text

if TYPE_CHECKING:
    from reds_pipeline.dataset.export import ExportReport
    from reds_pipeline.doctor import Finding
    from reds_pipeline.fediverse.hosts import HostProfile
    from reds_pipeline.settings import Settings
    from reds_pipeline.withdrawal.withdraw import WithdrawalReport

_WIDTH_OF_A_FILE = 140
# Stands for a space at which no line may end, while a table is laid out: a reason that is cut in
# two reads like two, and Rich ends lines at no-break spaces too.
_JOINT = "\ue000"


def show_summary(summary: Mapping[str, Any]) -> None:
    """Show what ``status.run_summary`` returned."""
    console = make_console()
    _show_funnel(console, summary["funnel"])
    _show_models(console, summary["models"])
    champion = summary["champion"]
    if champion:
        console.print(f"Champion: {champion['backbone']}, version {champion['version']}")


def show_details(report: Mapping[str, Any]) -> None:
    """Show the details of what ``status.home_status`` returned, below its one screen."""
    console = make_console()
    console.print(f"\nMLflow: {report['tracking_uri']}")
    if not report["classes"]:
        return
    show_summary(report)
    _show_balance(console, report["balance"], report["review"])
    if waiting := report["decisions_waiting"]:
        console.print(
            f"\n{waiting} decision{'' if waiting == 1 else 's'} of reviewers "
            f"{'is' if waiting == 1 else 'are'} not in the data set yet; `reds retrain` puts "
            f"{'it' if waiting == 1 else 'them'} into effect."
        )
    feedback = report["feedback"]
    if feedback["answers"] or feedback["photos_given"]:
        console.print(
            f"\nPhotos on the page that people answered: {feedback['answers']}, with "
            f"{feedback['accepted']} of {feedback['shown']} suggestions taken and "
            f"{feedback['rejected']} called wrong (`reds feedback`); given for training: "
            f"{feedback['photos_given']}, learnt from: {feedback['photos_learnt_from']}."
        )
    if report["exports"]:
        console.print("\nGiven away")
    for export in report["exports"]:
        withdrawn = export["withdrawn"]
        console.print(
            f"  {export['at']}  {export['pictures'] + withdrawn} pictures in "
            f"{export['directory']} ({export['format']})"
            + (f"; {withdrawn} withdrawn since: see `reds export --check`" if withdrawn else "")
        )
    if report["promotions"]:
        console.print("\nChampions")
    for event in report["promotions"]:
        console.print(f"  {event['at']}  version {event['subject']}: {event['reason']}")
    for event in report["failures"]:
        console.print(
            f"{event['at']}  {event['subject']} {event['class']} failed: {event['message']}",
            style="red",
        )


def show_tags(answers: Sequence[Mapping[str, Any]]) -> None:
    """Show what ``Tagger.tag_files`` returned."""
    table = Table(box=None, header_style="bold")
    table.add_column("photo", overflow="fold")
    table.add_column("tags", overflow="fold")
    table.add_column("model", no_wrap=True)
    for answer in answers:
        if "error" not in answer:
            tags = "  ".join(f"{tag['tag']} {tag['probability']:.2f}" for tag in answer["tags"])
            if not answer["tags"]:
                tags = "no tag is likely enough"
            elif answer["familiar"] is False:
                tags += "  (not sure: unlike the photos that REDS has learnt from)"
            elif not answer["confident"]:
                tags += "  (not sure)"
            table.add_row(answer["file"], tags, f"version {answer['model_version']}")
    if table.row_count:
        make_console().print(table)


def show_comparison(report: Mapping[str, Any]) -> None:
    """Show what ``BackboneReport.as_dict`` returned."""
    console = make_console()
    _show_models(console, report["backbones"])
    if not report["comparisons"]:
        console.print("\nThere is one backbone only, so there is nothing to compare it with.")
    for comparison in report["comparisons"]:
        console.print(f"\n{comparison['sentence']}", style="bold", highlight=False)
        table = Table(box=None, header_style="bold")
        for column in ("test", "result", "p", "valid"):
            table.add_column(column, overflow="fold")
        for row in comparison["tests"]:
            table.add_row(row["test"], row["result"], row["p"], row["valid"])
        console.print(table)
    if report["leakage"]:
        console.print("\nLeakage")
    for leakage in report["leakage"]:
        console.print(f"  {leakage['sentence']}", highlight=False)


def show_findings(findings: Sequence[Finding]) -> None:
    """Show what ``doctor.examine`` found."""
    table = Table(box=None, show_header=False)
    for finding in findings:
        mark = Text("ok", "green") if finding.ok else Text("missing", "red")
        table.add_row(mark, finding.subject, finding.detail)
    make_console().print(table)


def show_approvals(approved: Sequence[Mapping[str, Any]]) -> None:
    """Show what ``approvals.approvals`` returned."""
    if not approved:
        make_console().print("No host is approved; see `reds hosts approve --help`.")
        return
    table = Table(box=None, header_style="bold")
    for column in ("host", "reviewed by", "terms read", "approved at"):
        table.add_column(column)
    for approval in approved:
        table.add_row(
            approval["host"],
            approval["reviewed_by"],
            approval["terms_read"],
            approval["approved_at"],
        )
    make_console().print(table)


def show_withdrawal(report: WithdrawalReport, if_nothing: str = "") -> None:
    """Show what ``withdrawal.withdraw`` removed or would remove.

    Args:
        report: What was done.
        if_nothing: What to say where nothing was removed; by default that nothing is held of what
            was named, and that it is not taken again.
    """
    console = make_console()
    if not report.removed and if_nothing:
        console.print(if_nothing)
        return
    if not report.removed:
        future = "would not" if report.dry_run else "will not"
        condition = ", once you withdraw it without --dry-run" if report.dry_run else ""
        console.print(
            f"Nothing of it is held. It {future} be taken in the future either{condition}."
        )
        return
    console.print("This would be removed:" if report.dry_run else "Removed:")
    table = Table(box=None, show_header=False)
    for what, count in report.removed.items():
        table.add_row("", str(count), what)
    console.print(table)
    for sentence in report.copies_sentences:
        console.print(sentence)
    versions = ", ".join(report.models.versions)
    if versions and not report.dry_run:
        console.print(
            f"Model versions that have seen withdrawn pictures, and say so in MLflow: {versions}. "
            "`reds run` trains one that has not."
        )


def show_profile(url: str, profile: HostProfile) -> None:
    """Show what ``hosts.probe`` found."""
    console = make_console()
    console.print(f"{url}: {profile.software or 'unknown software'} {profile.version}".rstrip())
    table = Table(box=None, show_header=False)
    for name, verdict, purpose in profile.verdicts():
        table.add_row("", name, verdict.replace("_", " "), purpose)
    console.print(table)


def show_export(report: ExportReport) -> None:
    """Show what ``dataset.export.export_dataset`` wrote."""
    console = make_console()
    console.print(
        f"Wrote {report.pictures} pictures ({report.total_bytes / 1e6:.1f} MB) to "
        f"{report.directory}, with their card (README.md and croissant.json)."
    )
    table = Table(box=None, show_header=False)
    for name, count in report.by_class.items():
        table.add_row("", str(count), name)
    console.print(table)
    for note in report.notes:
        console.print(note)


def show_withdrawn_from_export(directory: Path, withdrawn: Sequence[str]) -> None:
    """Show what ``dataset.export.withdrawn_from`` found."""
    console = make_console(soft_wrap=True)
    if not withdrawn:
        console.print(f"Nothing in {directory} was withdrawn since.")
        return
    console.print(
        f"{len(withdrawn)} pictures in {directory} were withdrawn since; delete the files of these "
        "names, or the whole export and make it again, wherever it was copied to:"
    )
    for sha256 in withdrawn:
        console.print(f"  {sha256}")


def show_next_steps(settings: Settings, example: Path | None) -> None:
    """Say what to try after a demonstration."""
    home = settings.home
    usual = home.resolve() == Path(".reds").resolve()
    option = "" if usual else f" --home {shlex.quote(str(home))}"
    reds = ".venv/bin/reds" if Path(".venv/bin/reds").exists() else "reds"
    console = make_console(soft_wrap=True)
    console.print("\nNext:")
    if example is not None:
        if example.is_relative_to(Path.cwd()):
            example = example.relative_to(Path.cwd())
        console.print(f"  {reds} predict{option} {shlex.quote(str(example))}")
    console.print(f"  {reds} status{option}")
    console.print(f"  {reds} review{option}    (the pictures, the most doubtful first)")
    console.print(f"  {reds} up{option}    (the page, Dagster and MLflow in the browser)")


def make_console(*, soft_wrap: bool = False, width_of_a_file: int = _WIDTH_OF_A_FILE) -> Console:
    """Return where people read, with a width of its own where that is no terminal."""
    # Paths and sentences may hold square brackets, which Rich would take for its own markup.
    console = Console(markup=False, highlight=False, soft_wrap=soft_wrap)
    if not console.is_terminal:
        # A pipe or file has no width of its own, and Rich would squeeze tables into 80 columns.
        console.width = width_of_a_file
    return console


def _show_funnel(console: Console, funnel: Mapping[str, Mapping[str, Any]]) -> None:
    console.print("Where the pictures went")
    table = Table(box=None, header_style="bold")
    table.add_column("class", no_wrap=True)
    table.add_column("seen", justify="right")
    table.add_column("kept", justify="right")
    table.add_column("dropped, and why")
    for name, counts in funnel.items():
        reasons = ", ".join(
            f"{reason} {number}".replace("_", " ").replace(" ", _JOINT)
            for reason, number in counts["dropped"].items()
        )
        table.add_row(name, str(counts["seen"]), str(counts["kept"]), reasons)
    with console.capture() as drawn:
        console.print(table)
    console.file.write(drawn.get().replace(_JOINT, " "))


def _show_balance(
    console: Console, balance: Sequence[Mapping[str, Any]], review: Sequence[Mapping[str, Any]]
) -> None:
    """Show what people have said about the classes, and what the short ones still need."""
    if not review:
        return
    console.print("\nReviewed by a person")
    table = Table(box=None, header_style="bold")
    table.add_column("class", no_wrap=True)
    for column in ("confirmed", "not reviewed", "discarded", "moved away", "moved here"):
        table.add_column(column, justify="right", no_wrap=True)
    for counts in review:
        table.add_row(*(str(value) for value in counts.values()))
    console.print(table)
    short = [each["sentence"] for each in balance if each["missing"]]
    if short:
        console.print("\nStill missing")
    for sentence in short:
        console.print(f"  {sentence}")


def _show_models(console: Console, models: Sequence[Mapping[str, Any]]) -> None:
    if not models:
        return
    console.print("\nAccuracy: mean of 5 folds, and a test on held-out pictures (95 % interval)")
    table = Table(box=None, header_style="bold")
    for column in ("backbone", "protocol"):
        table.add_column(column, no_wrap=True)
    for column in ("folds", "variance", "test", "pictures"):
        table.add_column(column, justify="right", no_wrap=True)
    for model in models:
        low, high = model["test_interval"]
        table.add_row(
            model["backbone"],
            model["protocol"],
            f"{model['cv_mean']:.3f}",
            f"{model['cv_var_ddof0']:.1e}",
            f"{model['test_accuracy']:.3f} ({low:.3f} to {high:.3f})",
            f"{model['n_train']} + {model['n_test']}",
        )
    console.print(table)
