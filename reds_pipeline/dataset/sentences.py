"""What has to be said about every data set of REDS, as sentences.

What belongs here: whose posts are taken, who is missing, what nobody should do with it, and how
to get out of it; with the numbers of the data set at hand. What does not: counting
(``collect_facts.py``) and layout (``card.py``, ``croissant.py``), which both use these.
"""

from __future__ import annotations

from collections.abc import Iterable

from reds_pipeline.dataset.facts import DatasetFacts
from reds_pipeline.dataset.licences import OPEN, display_name
from reds_pipeline.feedback.consent import CONSENT
from reds_pipeline.feedback.weights import sample_weight

INTENDED_USES = (
    "Teaching and testing classifiers that suggest tags for a photo to the person who posts it.",
    "Studying how well labels that come from hashtags work, and how to find the wrong ones.",
    "Studying how much a random split flatters a classifier: groups of pictures that belong "
    "together are marked.",
)
EXCLUDED_USES = (
    "Recognising, counting or describing people, or guessing anything about them.",
    "Finding out who posted a picture, by searching for it, by matching it with other "
    "collections, or by the groups.",
    "Training models that make pictures, or that imitate how somebody photographs: the people "
    "behind these pictures did not say yes to that.",
    "Deciding anything about a person, moderating what people post, or surveillance of any kind.",
)
PERSONAL_INFORMATION = (
    "Pictures may show people, homes and number plates: they are photographs that people posted "
    "in public. No tool looked for faces, and none may be used on them.",
    "Metadata inside the files (EXIF, GPS, XMP, IPTC, comments) is removed before they are "
    "stored; the pixels are untouched.",
    "Neither handles nor names, places, addresses of posts, captions, alt texts or hashtags are "
    "part of the data set. Of the time of a post only the month is.",
    "Groups say that pictures may be from one person, not from whom; their numbers mean nothing "
    "outside this data set.",
)
LABELS_OF_CONTRIBUTIONS = {
    "unprompted": "typed before any suggestion was shown",
    "person": "typed after suggestions were shown, or given by an operator",
    "suggested": "suggested by a model, and accepted",
}
HOW_LABELS_ARE_MADE = (
    "A picture has the class whose word is in a hashtag of its post. Posts that name more than "
    "one class are left out. The author wrote the hashtag for readers and not as a label, so "
    "some labels are wrong.",
)


def consent_sentences(facts: DatasetFacts) -> list[str]:
    """Return whose posts are taken, in words; the order is that of the gates."""
    rules, policy = facts.rules, facts.rules.policy
    sentences = [
        "The post is public, not marked sensitive, and has no content warning.",
        "The account is not locked, suspended, limited, moved or in memoriam, and does not ask "
        "search engines to stay away.",
    ]
    if policy.require_indexable == "strict":
        sentences.append(
            "The author has said yes to being found: the flags `indexable` and `discoverable` are "
            "set."
        )
    else:
        sentences.append(
            "The author has not said no to being found: where a host sends the flags `indexable` "
            "and `discoverable`, they are set."
        )
    if policy.opt_out_words:
        sentences.append(
            "The profile has none of these words as a hashtag: "
            f"{_listed('#' + word for word in policy.opt_out_words)}."
        )
    sentences.append("The post is neither a reply nor a boost of somebody else's.")
    if rules.federated:
        sentences.append(
            "The post was written at the host that was asked, or at another one that a person has "
            "approved."
        )
    else:
        sentences.append("The post was written at the host that was asked.")
    if policy.denied_tags:
        sentences.append(
            f"The post has none of {len(policy.denied_tags)} denied hashtags, which stand for "
            "nudity, violence or an objection, also where only its caption has them."
        )
    if policy.allowed_licences is not None:
        names = sorted(display_name(licence) for licence in policy.allowed_licences)
        sentences.append(f"The picture has one of these licences: {_listed(names)}.")
    robots = "robots.txt and `X-Robots-Tag` of the host are obeyed"
    if rules.obey_ai_robots:
        robots += ", also where they address agents that collect for AI training in general"
    sentences.append(f"{robots}.")
    return sentences


def withdrawal_sentences(facts: DatasetFacts) -> list[str]:
    """Return how a person gets out of the data set."""
    rules = facts.rules
    reach = f"Write to {rules.contact}." if rules.contact else "Write to whoever gave you this."
    return [
        "Delete the post, make it private, or mark it as sensitive; or lock the account; or put "
        "#noai or #nobot into its profile. Every post that was not seen for "
        f"{_number(rules.recheck_after_hours)} hours is looked for again before each training, "
        "and by a schedule; what is gone or says no leaves the data set, its derivatives and, with "
        "the next training, the models.",
        f"{reach} A post, an account or a picture is taken out for good with `reds withdraw`; a "
        "keyed hash keeps it from coming back.",
        "In a copy of this data set a picture is found by its name, the SHA-256 of its file. The "
        "operator knows which exports hold a withdrawn picture. Whoever has a copy: delete the "
        "pictures you are asked to, or get a new export.",
    ]


def contribution_sentences(facts: DatasetFacts) -> list[str]:
    """Return what the photos are that people gave, and what is done with them."""
    given, rules = facts.contributions, facts.rules.feedback
    learnt = sum(given.learnt.values())
    look = (
        "An operator has looked at each of those and kept it."
        if rules.needs_review
        else "No operator had to look at them first."
    )
    return [
        f"Of {_counted(given.given, 'photo', 'photos')} that people gave on the page, models "
        f"learn from {learnt}. {look}",
        "None of them is in this data set, in a number above or below, or in an export, and no "
        "model is measured by them.",
        f"At most {rules.share:.0%} of a class's pictures, those of the data set counted with "
        "them, are such photos.",
        f'Whoever gave one ticked "{CONSENT.box}", which means: for the models of this '
        "installation and for nothing else (versions of the text that was agreed to: "
        f"{_listed(given.consents)}).",
        "Whoever has the code that was shown then can delete the photo at any time.",
    ]


def contribution_rows(facts: DatasetFacts) -> list[tuple[str, int, str]]:
    """Return how labels of such photos came about, how many did, and how much one counts."""
    weight = facts.rules.feedback.suggested_weight
    return [
        (words, facts.contributions.learnt[origin], _number(sample_weight(origin, weight)))
        for origin, words in LABELS_OF_CONTRIBUTIONS.items()
        if origin in facts.contributions.learnt
    ]


def gap_sentences(facts: DatasetFacts) -> list[str]:
    """Return who and what is missing, or is there too often."""
    people, review, split = facts.people, facts.review, facts.split
    sentences = [
        "Whoever locked their account, opted out, or posts where nobody approved a host is "
        "missing, and so is whatever they photograph.",
        "Only hashtags with the English word for a class are found; people who write other "
        "languages or scripts, and posts without hashtags, are missing.",
        f"{_counted(people.authors, 'person', 'people')} posted the pictures; "
        f"{people.largest_share:.1%} of them are by one person.",
        "People tend to post what turned out well: sharp, bright, one subject in the middle. "
        "Pictures that show a class badly are rare.",
    ]
    by_hashtag = facts.pictures - review.kept - review.moved
    if by_hashtag:
        sentences.append(
            f"The labels of {by_hashtag} of {facts.pictures} pictures come from a hashtag alone; "
            "nobody has looked at them."
        )
    if review.suspects or review.outliers:
        sentences.append(
            f"{_counted(review.suspects, 'label looks', 'labels look')} wrong to a classifier "
            f"that had not seen the picture, and "
            f"{_counted(review.outliers, 'picture is', 'pictures are')} unlike all classes; "
            "nobody has confirmed them yet."
        )
    sizes = [one.pictures for one in facts.classes]
    if len(sizes) > 1 and max(sizes) > min(sizes):
        sentences.append(
            f"The classes are not of one size: from {min(sizes)} to {max(sizes)} pictures."
        )
    if split.problem:
        sentences.append("Nothing is held out for a test, because there is too little to split.")
    return sentences


def licence_sentences(licences: Iterable[str]) -> list[str]:
    """Return what the licences of some pictures ask of whoever passes them on.

    Args:
        licences: Of one picture each, as the tables have them.
    """
    names = list(licences)
    reserved = sum(name not in OPEN for name in names)
    credited = sum(name in OPEN and OPEN[name].needs_credit for name in names)
    free = len(names) - reserved - credited
    sentences = [
        f"{_counted(free, 'picture', 'pictures')} may be passed on as they are (CC0 or public "
        "domain)."
    ]
    if credited:
        sentences.append(
            f"{_counted(credited, 'picture', 'pictures')} may be passed on only with credit to "
            "the author, and under the further conditions of their licence. The data set does not "
            "say who the author is, to protect them. So do not publish these pictures; learning "
            "from them is another matter."
        )
    if reserved:
        sentences.append(
            f"The authors of {_counted(reserved, 'picture', 'pictures')} kept all rights, or said "
            "nothing. Do not pass these pictures on at all."
        )
    return sentences


def _listed(names: Iterable[str]) -> str:
    return ", ".join(names)


def _counted(count: int, one: str, many: str) -> str:
    return f"{count} {one if count == 1 else many}"


def _number(value: float) -> str:
    return f"{value:g}"
