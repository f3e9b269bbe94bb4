"""How the templates of cards become Markdown.

What belongs here: the template environment that the card of a data set and the card of a model
share. What does not: their texts and what they say (``card.py``, ``reds_pipeline.model_card``).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from jinja2 import Template


def card_template(text: str, filters: Mapping[str, Callable[[Any], str]]) -> Template:
    """Return a template of Markdown in which a name that does not exist is an error.

    Args:
        text: The template.
        filters: Those of this card, beside ``cell`` and ``thousands``.
    """
    from jinja2 import Environment, StrictUndefined

    environment = Environment(
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
        # Markdown, not HTML: cells are made safe by ``cell``.
        autoescape=False,
    )
    environment.filters |= {
        "cell": table_cell,
        "thousands": lambda number: f"{number:,}",
        **filters,
    }
    return environment.from_string(text)


def table_cell(value: object) -> str:
    """Return a value so that it stays within one cell of a Markdown table."""
    text = " ".join(str(value).split())
    for sign in ("\\", "|", "`", "*", "_", "<", ">", "[", "]"):
        text = text.replace(sign, f"\\{sign}")
    return text
