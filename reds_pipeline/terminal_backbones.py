"""How backbones and the engines that run them look in a terminal.

What belongs here: lists and tables for people on standard output. What does not: finding out what
is in them.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from rich.console import Console
from rich.table import Table
from rich.text import Text

from reds_pipeline.embedding.architecture import NOT_STATED

_WIDTH_OF_A_FILE = 200


def show_backbones(facts: Sequence[Mapping[str, Any]]) -> None:
    """Show what ``backbone_table.backbone_facts`` returned, one block a backbone."""
    console = _console()
    for number, fact in enumerate(facts):
        if number:
            console.print()
        console.print(Text(fact["name"], "bold"))
        table = Table(box=None, show_header=False, pad_edge=False)
        table.add_column(no_wrap=True)
        table.add_column(overflow="fold")
        for name, value in _lines(fact).items():
            table.add_row(f"  {name}", value)
        console.print(table)


def show_engines(backbone: str, rows: Sequence[Mapping[str, Any]]) -> None:
    """Show what ``embedding_runs.measure_engines`` returned for one backbone."""
    console = _console()
    console.print()
    console.print(Text(f"{backbone} on this machine", "bold"))
    if not rows:
        console.print("  There is nothing to choose: it is no network, and runs one way only.")
        return
    table = Table(box=None, header_style="bold")
    for column in rows[0]:
        table.add_column(column, overflow="fold")
    for row in rows:
        table.add_row(*(_written(value) for value in row.values()))
    console.print(table)


def _lines(fact: Mapping[str, Any]) -> dict[str, str]:
    if not fact["parameters"]:
        learnt = {"parameters": "none, nothing is learnt"}
    else:
        learnt = {
            "parameters": f"{fact['parameters']:,} as published, "
            f"{fact['parameters_without_classifier']:,} without the classifier",
            "layers": fact["layers"],
            **({"patches": f"{fact['patch_size']} pixels wide"} if fact["patch_size"] else {}),
            "normalisation": f"mean {_triple(fact['mean'])}, standard deviation "
            f"{_triple(fact['std'])}, trained on {fact['interpolation']} resizing, crop "
            f"{fact['crop']:g}",
        }
    year = f"{fact['year']} ({fact['year_source']})" if fact["year"] else NOT_STATED
    return {
        "type": fact["type"],
        "year": year,
        **learnt,
        "input": f"{fact['input_size']} by {fact['input_size']} pixels",
        "embedding": f"{fact['embedding_size']:,} numbers",
        "licence": fact["licence"],
        "weights": fact["weights"],
    }


def _triple(values: Sequence[float]) -> str:
    return " ".join(f"{value:g}" for value in values)


def _written(value: Any) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float):
        return f"{value:.6f}" if 0.9 < value < 1 else f"{value:.4g}"
    return "" if value is None else str(value)


def _console() -> Console:
    # Paths may hold square brackets, which Rich would take for its own markup.
    console = Console(markup=False, highlight=False)
    if not console.is_terminal:
        # A file has no width of its own, and Rich would squeeze the table into 80 columns.
        console.width = _WIDTH_OF_A_FILE
    return console
