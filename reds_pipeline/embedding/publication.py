"""In which year the design of a network was published, as timm's own documentation says.

What belongs here: finding the paper among the citations in timm's docstrings. What does not:
anything about weights, whose papers (training recipes) are others and younger. Nothing is known
here by itself: where timm does not say clearly, the answer is that it is not stated.
"""

from __future__ import annotations

import inspect
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import torch

# `Title` - https://arxiv.org/abs/1234.56789, also with quotation marks, angle brackets and pdf.
_CITATION = re.compile(
    r"`\"?(?P<title>[^`\n]+?)\"?`?[\s<-]*"
    r"https?://arxiv\.org/\w+/(?P<number>(?P<year>\d\d)\d\d\.\d{4,5})"
)
_NUMBER = re.compile(r"arxiv\.org/\w+/(?P<number>(?P<year>\d\d)\d\d\.\d{4,5})")
_END_OF_LEAD = re.compile(r":| --? ")
_NEITHER_LETTER_NOR_DIGIT = re.compile(r"[^a-z0-9]")


@dataclass(frozen=True)
class Publication:
    """The paper of a network.

    Attributes:
        year: In which the first version was put on arXiv.
        source: Its arXiv number and where timm cites it, in words.
    """

    year: int
    source: str


def find_publication(name: str, network: torch.nn.Module) -> Publication | None:
    """Return the paper that timm's documentation names for a network, or None.

    A file of timm may hold many families. In this order, the first that is there counts:

    1. the paper in the description of the network's own name;
    2. a paper whose title starts with the network's name and a colon or dash;
    3. the paper on which the description of the network's class rests;
    4. the first paper of a file that is named after the network's family.

    Args:
        name: A name timm knows.
        network: The network, for its class.
    """
    import timm

    own = inspect.getdoc(timm.models.model_entrypoint(name.partition(".")[0])) or ""
    if found := _NUMBER.search(own):
        return _publication(found, f"timm's description of {name}")
    module = inspect.getmodule(type(network))
    file = (inspect.getdoc(module) if module else None) or ""
    short = _short(name)
    titled = [cited for cited in _citations(file) if _is_named(cited["title"], short)]
    if titled:
        longest = max(titled, key=lambda cited: len(_lead(cited["title"])))
        return _publication(longest, "the list of papers in timm's file")
    class_name = type(network).__name__
    if found := next(_citations(type(network).__doc__ or ""), None):
        return _publication(found, f"timm's description of {class_name}")
    family = module.__name__.rpartition(".")[2] if module else ""
    if family and short.startswith(_short(family)) and (found := next(_citations(file), None)):
        return _publication(found, f"the first paper in timm's file {family}")
    return None


def _citations(text: str) -> Iterator[re.Match[str]]:
    return _CITATION.finditer(text)


def _is_named(title: str, short_name: str) -> bool:
    """Whether a title such as "LeViT: a vision transformer ..." starts with the name."""
    lead = _lead(title)
    return lead != title and short_name.startswith(_short(lead))


def _lead(title: str) -> str:
    """Return what stands before the colon or the dash of a title, which often is a name."""
    return _END_OF_LEAD.split(title, maxsplit=1)[0]


def _short(name: str) -> str:
    return _NEITHER_LETTER_NOR_DIGIT.sub("", name.lower())


def _publication(found: re.Match[str], where: str) -> Publication:
    # Numbers of this form exist since 2007.
    return Publication(2000 + int(found["year"]), f"arXiv {found['number']}, {where}")
