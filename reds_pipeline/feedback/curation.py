"""Which contributed photos are learnt from.

What belongs here: a verdict on each, given the data set that the posts make. What does not: the
data set itself (``imaging.curation``), which no contribution changes: whoever gives photos must not
be able to push an author's picture out of it, to put its label in doubt, or to move it from one
side of a split to the other.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from reds_pipeline.feedback.labels import PERSON, SUGGESTED
from reds_pipeline.feedback.weights import most_contributed, sample_weight
from reds_pipeline.imaging.cleaning import REASON_OF_KIND
from reds_pipeline.imaging.curation import (
    LABELLED_OTHERWISE,
    OTHER_CLASS_DUPLICATE,
    REVIEWED_OUT,
)
from reds_pipeline.imaging.duplicates import CopyPairs, DuplicateGroups, duplicate_groups
from reds_pipeline.review.decisions import DISCARD, LABEL, Decision, DecisionBook

Row = Mapping[str, Any]

WAITS_FOR_REVIEW = "waits_for_review"
TIES_GROUPS = "ties_groups"
BEYOND_SHARE = "beyond_share"

_COPIED_COLUMNS = (
    "contribution_id",
    "sha256",
    "extension",
    "created_at",
    "width",
    "height",
    "flags",
)


@dataclass(frozen=True)
class FeedbackRules:
    """What contributed photos are held to.

    Attributes:
        needs_review: Whether an operator must have kept a photo first.
        share: Largest share of a class's pictures that may be contributed.
        suggested_weight: How much a label counts that a model had suggested.
        perceptual_radius: Bits within which two pictures count as the same.
    """

    needs_review: bool = True
    share: float = 0.2
    suggested_weight: float = 0.5
    perceptual_radius: int = 8


@dataclass
class _Given:
    """A contributed photo on its way to a verdict."""

    row: Row
    decision: Decision | None
    class_name: str
    origin: str
    reason: str = ""
    group: str = ""
    keeper: str = ""
    kind: str = ""

    @property
    def chosen(self) -> bool:
        """Whether an operator said what it shows."""
        return self.decision is not None and self.decision.verdict != DISCARD

    @property
    def preference(self) -> tuple[bool, bool, str, str]:
        """The best first: seen by an operator, not suggested, the oldest."""
        return (
            not self.chosen,
            self.origin == SUGGESTED,
            self.row["created_at"] or "",
            self.row["contribution_id"],
        )


@dataclass
class _Family:
    """Pictures of posts and contributed ones that show the same.

    Attributes:
        posts: Rows of the data set, with their place among all pictures.
        given: Contributed ones, with theirs.
    """

    posts: list[tuple[int, Row]] = field(default_factory=list)
    given: list[tuple[int, _Given]] = field(default_factory=list)

    @property
    def group(self) -> str:
        """That of the posts' pictures, or one of its own."""
        of_posts = (row["group"] for _, row in self.posts)
        return min(of_posts, default=min(one.row["sha256"] for _, one in self.given))


def judge_contributed(
    contributed: Sequence[Row],
    curated: Sequence[Row],
    cleaned: Sequence[Row],
    decisions: DecisionBook,
    *,
    classes: Collection[str],
    copies: CopyPairs,
    rules: FeedbackRules,
) -> list[dict[str, Any]]:
    """Say of each contributed photo whether it is learnt from, and why not.

    The reasons, first match wins:

    1. ``reviewed_out``: an operator discarded it. ``labelled_otherwise``: an operator put it into
       a class that is not selected now.
    2. What its tags or its quality were found to lack, unless an operator says what it shows.
    3. ``waits_for_review``: no operator has looked at it yet, and one has to.
    4. ``exact_duplicate``, ``near_duplicate``, ``mirrored_duplicate``, ``cropped_duplicate``: the
       data set has a picture of a post that shows the same; the post's stays, always.
    5. ``other_class_duplicate``: a copy of it is in another class, unless an operator says what
       it shows and the data set does not have the copy. ``reviewed_out``: a copy was discarded.
    6. ``ties_groups``: it is a copy of pictures in several groups, so that no side of a split is
       safe for it.
    7. A duplicate of another contributed photo: the preferred one stays.
    8. ``beyond_share``: its class has its share of contributed photos. Those that an operator saw
       come first, then those whose label no model suggested, then the oldest, so that what is
       learnt from does not change with every photo that comes in.

    Args:
        contributed: Rows of the table ``CONTRIBUTED_IMAGES``.
        curated: All rows of the data set, dropped ones too.
        cleaned: Rows of the table ``CLEAN_IMAGES`` of all its classes.
        decisions: What operators decided.
        classes: The selected ones.
        copies: Pairs that alignment found.
        rules: What they are held to.

    Returns:
        One row of the table ``CONTRIBUTED`` for each given, in their order. ``group`` is that of
        the posts' pictures which show the same, or of its own; also of those that are not learnt
        from now, for an older model may have.
    """
    given = [_given(row, decisions.of(row["sha256"])) for row in contributed]
    for one in given:
        one.reason = _own_reason(one, classes, rules)
    candidates = [one for one in given if not one.reason]
    others = [one for one in given if one.reason]
    if candidates:
        _judge_families(candidates, curated, cleaned, copies, rules.perceptual_radius)
        _drop_beyond_share(candidates, curated, rules.share)
    # By themselves, so that nothing that is not learnt from ties together what is.
    if others:
        _name_groups(others, curated, cleaned, copies, rules.perceptual_radius)
    return [_row(one, rules) for one in given]


def _given(row: Row, decision: Decision | None) -> _Given:
    if decision is None or not decision.label:
        return _Given(row, decision, row["class_name"], row["origin"])
    # Who only confirms a label was shown it; who gives another one was not.
    confirmed = decision.verdict != LABEL or decision.label == row["class_name"]
    origin = row["origin"] if confirmed and row["origin"] else PERSON
    return _Given(row, decision, decision.label, origin)


def _own_reason(one: _Given, classes: Collection[str], rules: FeedbackRules) -> str:
    """Return the reason that needs no other picture, or an empty string."""
    if one.decision is not None and one.decision.verdict == DISCARD:
        return REVIEWED_OUT
    if one.chosen:
        return "" if one.class_name in classes else LABELLED_OTHERWISE
    if one.row["drop_reason"]:
        return str(one.row["drop_reason"])
    if one.class_name not in classes:
        return LABELLED_OTHERWISE
    return WAITS_FOR_REVIEW if rules.needs_review else ""


def _judge_families(
    candidates: Sequence[_Given],
    curated: Sequence[Row],
    cleaned: Sequence[Row],
    copies: CopyPairs,
    radius: int,
) -> None:
    families, groups = _families(candidates, curated, cleaned, copies, radius)
    for family in families:
        _judge_against_posts(family, groups)
        _judge_among_themselves(family, groups)


def _name_groups(
    given: Sequence[_Given],
    curated: Sequence[Row],
    cleaned: Sequence[Row],
    copies: CopyPairs,
    radius: int,
) -> None:
    families, _ = _families(given, curated, cleaned, copies, radius)
    for family in families:
        name = family.group
        for _, one in family.given:
            one.group = name


def _families(
    given: Sequence[_Given],
    curated: Sequence[Row],
    cleaned: Sequence[Row],
    copies: CopyPairs,
    radius: int,
) -> tuple[list[_Family], DuplicateGroups]:
    """Return the families that hold contributed photos, and how their pictures are alike."""
    hashes = {row["sha256"]: row for row in cleaned if row["sha256"]}
    posts = [row for row in curated if row["sha256"] in hashes]
    pictures = [*(hashes[row["sha256"]] for row in posts), *(one.row for one in given)]
    groups = duplicate_groups(pictures, radius, copies)
    families: dict[int, _Family] = defaultdict(_Family)
    for place, (number, row) in enumerate(zip(groups.all_kinds.tolist(), posts, strict=False)):
        families[number].posts.append((place, row))
    for place, one in enumerate(given, len(posts)):
        families[int(groups.all_kinds[place])].given.append((place, one))
    return [family for family in families.values() if family.given], groups


def _judge_against_posts(family: _Family, groups: DuplicateGroups) -> None:
    kept = [(place, row) for place, row in family.posts if row["kept"]]
    evidence = {row["class_name"] for _, row in family.posts if row["decision"] != DISCARD}
    names = {row["group"] for _, row in family.posts}
    for place, one in family.given:
        same = [(at, row) for at, row in kept if row["class_name"] == one.class_name]
        if same:
            at, row = same[0]
            one.keeper, one.kind = row["sha256"], groups.kind(place, at)
            one.reason = REASON_OF_KIND[one.kind]
        elif kept or (evidence - {one.class_name} and not one.chosen):
            one.reason = OTHER_CLASS_DUPLICATE
        elif not one.chosen and any(row["decision"] == DISCARD for _, row in family.posts):
            one.reason = REVIEWED_OUT
        elif len(names) > 1:
            one.reason = TIES_GROUPS
        one.group = family.group


def _judge_among_themselves(family: _Family, groups: DuplicateGroups) -> None:
    left = [(place, one) for place, one in family.given if not one.reason]
    if not left:
        return
    classes = {one.class_name for _, one in left}
    best_place, best = min(left, key=lambda each: each[1].preference)
    for place, one in left:
        if len(classes) > 1 and not (one.chosen and one is best):
            one.reason = OTHER_CLASS_DUPLICATE
        elif one is not best:
            one.keeper, one.kind = best.row["sha256"], groups.kind(place, best_place)
            one.reason = REASON_OF_KIND[one.kind]


def _drop_beyond_share(candidates: Sequence[_Given], curated: Sequence[Row], share: float) -> None:
    pictures: dict[str, int] = defaultdict(int)
    for row in curated:
        pictures[row["class_name"]] += row["kept"]
    taken: dict[str, int] = defaultdict(int)
    for one in sorted(candidates, key=lambda each: each.preference):
        if one.reason:
            continue
        if taken[one.class_name] >= most_contributed(pictures[one.class_name], share):
            one.reason = BEYOND_SHARE
        else:
            taken[one.class_name] += 1


def _row(one: _Given, rules: FeedbackRules) -> dict[str, Any]:
    return {
        **{column: one.row[column] for column in _COPIED_COLUMNS},
        "class_name": one.class_name,
        "origin": one.origin,
        "group": one.group,
        "decision": one.decision.verdict if one.decision is not None else "",
        "keeper": one.keeper,
        "duplicate_kind": one.kind,
        "sample_weight": sample_weight(one.origin, rules.suggested_weight),
        "kept": not one.reason,
        "drop_reason": one.reason,
    }
