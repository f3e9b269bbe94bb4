"""Looking at what people said about recommended tags.

What belongs here: the command ``feedback`` and how its numbers are shown. What does not: counting
(``feedback.summary``).
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

import click

from reds_pipeline.commands.common import home_option, json_option, print_json

if TYPE_CHECKING:
    from rich.table import Table

    from reds_pipeline.feedback.contributions import Contribution
    from reds_pipeline.feedback.summary import FeedbackSummary, Share, SuggestionRates

_TAGS_SHOWN = 20
_HEADINGS = ("shown", "right", "wrong", "accepted", "95 %", "right of judged", "promised")


@click.command()
@home_option
@json_option
def feedback(home: Path | None, as_json: bool) -> None:
    """Show how often recommended tags were right, and the photos that people gave."""
    from reds_pipeline.feedback.contributions import contributions
    from reds_pipeline.feedback.deletion import learnt_from
    from reds_pipeline.feedback.summary import feedback_summary
    from reds_pipeline.resources import Platform
    from reds_pipeline.settings import load_settings

    platform = Platform(load_settings(home=home))
    summary = feedback_summary(platform.ledger)
    given = contributions(platform.home)
    learnt = learnt_from(platform.home)
    if as_json:
        counts = {"kept": len(given), "learnt_from": sum(each.id in learnt for each in given)}
        print_json({**summary.as_dict(), "contributions": counts})
    else:
        _show(summary, given, learnt)


def _show(summary: FeedbackSummary, given: list[Contribution], learnt: frozenset[str]) -> None:
    from reds_pipeline.terminal import make_console

    console = make_console()
    if not summary.answers:
        console.print("Nobody has said anything about recommended tags yet.")
    else:
        console.print(
            f"Photos that people answered: {summary.answers}; no suggestion was right for "
            f"{summary.none_of_these}. Only people who answered are counted, and only tags that "
            "they saw: how good a model is, its test says."
        )
        models = ((" ".join(name), rates) for name, rates in sorted(summary.by_model.items()))
        console.print(_table("model", models))
        ranks = ((str(rank), rates) for rank, rates in sorted(summary.by_rank.items()))
        console.print(_table("place", ranks))
        most = sorted(summary.by_tag.items(), key=lambda item: (-item[1].shown, item[0]))
        console.print(_table("tag", most[:_TAGS_SHOWN]))
        if len(most) > _TAGS_SHOWN:
            console.print(f"{len(most) - _TAGS_SHOWN} further tags: `reds feedback --json`.")
        console.print(f"Added most often: {_words(summary.added.most_common(10))}.")
        console.print(
            f"Named before any suggestion was seen: {summary.unprompted_found.total} tags that a "
            f"model knows, of which {_percent(summary.unprompted_found)} were suggested then."
        )
    used = sum(each.id in learnt for each in given)
    console.print(f"Photos given for training: {len(given)} kept, {used} learnt from.")


def _table(name: str, rows: Iterable[tuple[str, SuggestionRates]]) -> Table:
    from rich.table import Table

    table = Table(name, *_HEADINGS)
    for column in table.columns[1:]:
        column.justify = "right"
    for label, rates in rows:
        low, high = rates.acceptance.interval or (0.0, 1.0)
        table.add_row(
            label,
            *(str(count) for count in (rates.shown, rates.accepted, rates.rejected)),
            _percent(rates.acceptance),
            f"{low:.0%} to {high:.0%}",
            _percent(rates.right_of_judged),
            f"{rates.promised_chance:.0%}" if rates.promised_chance is not None else "",
        )
    return table


def _percent(share: Share) -> str:
    return "none" if share.value is None else f"{share.value:.0%}"


def _words(counts: list[tuple[str, int]]) -> str:
    return ", ".join(f"{tag} {count}" for tag, count in counts) or "nothing"
