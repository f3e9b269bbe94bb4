"""What people agree to when they give a photo for training.

What belongs here: the words and their version. What does not: showing or recording them.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Consent:
    """A text to agree to.

    Attributes:
        version: By which a contribution says what its giver agreed to; another text, another
            version. It is also the value of the box.
        box: Label of the box, which is never ticked beforehand.
        sentences: What ticking it means.
    """

    version: str
    box: str
    sentences: tuple[str, ...]


CONSENT = Consent(
    version="2026-11-22",
    box="Keep the photos that I send now and my tags, so that REDS can learn from them",
    sentences=(
        "Give only photos that you made yourself, and none on which somebody can be recognised who "
        "has not agreed.",
        "A photo is kept without its file name, place, camera and time, together with your tags; "
        "nothing says who you are.",
        "It is used to train the models of this installation and for nothing else: it is never "
        "shown on a public page, published or handed on; the operators may look at it.",
        "For each photo you get a code, once, with which you can delete it and your tags at any "
        "time.",
        "Deleting takes them out of everything that is kept here. A model that has learnt from the "
        "photo is marked, and the next training is made without it. Only counts of how often a "
        "suggestion was right stay, which say nothing of you or the photo.",
        "A photo from which nothing was learnt is deleted by itself after the time that is said "
        "here.",
    ),
)


def consent_sentences(days: float) -> tuple[str, ...]:
    """Return what ticking the box means in an installation.

    Args:
        days: After which a photo goes from which nothing was learnt.
    """
    *others, last = CONSENT.sentences
    return (*others, last.replace("the time that is said here", f"{days:g} days"))
