"""What a contributed photo may be learnt as, and how its label came about.

What belongs here: from the tags that a person gave to one class, or to the reason why there is
none. What does not: how much such a label counts (``weights.py``), and whether the photo is
learnt from at all (``curation.py``).
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from typing import Literal

from reds_pipeline.feedback.contributions import ContributedTag, How
from reds_pipeline.imaging.cleaning import MULTI_CLASS

Origin = Literal["unprompted", "person", "suggested"]
UNPROMPTED: Origin = "unprompted"
PERSON: Origin = "person"
SUGGESTED: Origin = "suggested"

NO_CLASS = "no_class"
CONTRADICTED = "contradicted"

_ORIGINS: dict[How, Origin] = {
    "unprompted": UNPROMPTED,
    "added": PERSON,
    "accepted": SUGGESTED,
}
"""From the most to the least trusted: who typed a tag before seeing any suggestion was told
nothing; who typed one afterwards disagreed with what was suggested; who accepted one may only
have been polite."""


@dataclass(frozen=True)
class ContributedLabel:
    """What a contributed photo shows, as far as its tags say.

    Attributes:
        class_name: One of the selected classes; empty if there is none.
        origin: How the most trusted tag that names it came about; empty if there is none.
        reason: Why there is no label; empty if there is one.
    """

    class_name: str = ""
    origin: Origin | Literal[""] = ""
    reason: str = ""


def contributed_label(
    tags: Sequence[ContributedTag],
    rejected: Collection[str],
    classes_of: Callable[[str], Collection[str]],
) -> ContributedLabel:
    """Return the one class that a person's tags name.

    ``no_class``: they name none. ``multi_class``: they name several, whoever thought of them
    first, as with a post (R-SCR-6). ``contradicted``: the person said of the same class that it
    is wrong.

    Args:
        tags: What the person called the photo.
        rejected: Suggestions that the person said are wrong.
        classes_of: The selected classes that a tag names.
    """
    origin_of: dict[str, Origin] = {}
    for how, origin in _ORIGINS.items():
        for tag in tags:
            if tag.how == how:
                for name in classes_of(tag.tag):
                    origin_of.setdefault(name, origin)
    if not origin_of:
        return ContributedLabel(reason=NO_CLASS)
    if len(origin_of) > 1:
        return ContributedLabel(reason=MULTI_CLASS)
    ((class_name, origin),) = origin_of.items()
    if any(class_name in classes_of(tag) for tag in rejected):
        return ContributedLabel(reason=CONTRADICTED)
    return ContributedLabel(class_name, origin)
