"""Where the pictures of a class went, stage by stage, and whether the count adds up.

What belongs here: counting rows of the stages' tables by fate, and checking that no picture is
lost or counted twice on the way. What does not: changing a table, drawing (``funnel_figure.py``),
and what is still missing for a full class (``balance.py``).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from reds_pipeline.fediverse.media.download import OUTDATED
from reds_pipeline.imaging.curation import LABELLED_OTHERWISE
from reds_pipeline.storage.home import Home
from reds_pipeline.storage.tables import CLEAN_IMAGES, CURATED, IMAGES, POSTS, read_rows

Rows = Sequence[Mapping[str, Any]]

NOT_NEEDED = "not_needed"
NOT_CLEANED_YET = "not_cleaned_yet"
NOT_CURATED_YET = "not_curated_yet"
RELABELLED = "relabelled"

STAGES = ("posts", "pictures", "stored", "cleaned", "curated")
"""What is counted at each level: all that was seen, the pictures of posts that may be used, the
files that are held, those that pass the rules of their class, and those to learn from."""

# A picture that went with its post is counted by that post; one that was withdrawn by itself
# has left its post too.
_COUNTED_BY_THEIR_POST = frozenset({"post_gated", "withdrawn"})


@dataclass(frozen=True)
class Stage:
    """One level of the funnel.

    Attributes:
        name: One of ``STAGES``.
        entered: How many reached it, counted in the table of this stage.
        dropped: Why some go no further, with their numbers.
    """

    name: str
    entered: int
    dropped: dict[str, int]

    @property
    def passed(self) -> int:
        """How many go on."""
        return self.entered - sum(self.dropped.values())


@dataclass(frozen=True)
class ClassFunnel:
    """Where the pictures of one class went.

    The unit is a picture; a gated post counts as one, because nothing about it is kept that could
    say how many it had. ``seen`` always equals ``kept`` plus the sum of ``dropped``. A picture
    that a person moved to another class is dropped as ``relabelled`` where it was collected and
    seen again where it went.

    Attributes:
        stages: One for each of ``STAGES``, in that order.
        posts: Posts of the class that were looked at, gated ones included.
        received: Pictures that a person moved here from another class; part of ``seen``.
        received_kept: How many of those are kept.
    """

    stages: tuple[Stage, ...]
    posts: int = 0
    received: int = 0
    received_kept: int = 0

    @property
    def seen(self) -> int:
        """Everything that was collected for the class, and what it received."""
        return self.stages[0].entered + self.received

    @property
    def kept(self) -> int:
        """The pictures to learn from."""
        return self.stages[-1].entered

    @property
    def dropped(self) -> dict[str, int]:
        """All reasons with their numbers, in the order of the stages, the largest first."""
        reasons: Counter[str] = Counter()
        for stage in self.stages:
            reasons.update(_largest_first(stage.dropped))
        return dict(reasons)

    def as_dict(self) -> dict[str, Any]:
        """Return the JSON shape of the contract (design.md, section 5)."""
        return {"seen": self.seen, "kept": self.kept, "dropped": self.dropped}


def count_funnel(
    class_name: str, posts: Rows, images: Rows, cleaned: Rows, curated: Rows
) -> ClassFunnel:
    """Count the pictures of one class by their fate.

    Where the class is curated, its data set has the last word on every cleaned picture: a person
    may keep what a rule dropped.

    Args:
        class_name: The class.
        posts: Its rows of the posts table.
        images: Its rows of the images table.
        cleaned: Its rows of the table of cleaned images.
        curated: All rows of the curated data set, of every class.
    """
    attachments = sum(len(row["media"] or ()) for row in posts if row["status"] == "kept")
    gated = Counter(row["reason"] for row in posts if row["status"] == "gated")
    asked_for = _asked_for(posts, images)
    not_stored = Counter(row["reason"] for row in asked_for if row["status"] != "stored")
    not_stored[NOT_NEEDED] += attachments - len(asked_for)
    stored = [row for row in asked_for if row["status"] == "stored"]

    judged = {row["media_key"] for row in cleaned}
    by_cleaning = Counter({NOT_CLEANED_YET: sum(row["media_key"] not in judged for row in stored)})
    by_curation: Counter[str] = Counter()
    verdicts = _verdicts(class_name, curated)
    kept = 0
    for row in cleaned:
        verdict = verdicts.get(row["media_key"]) or verdicts.get(row["sha256"])
        if verdict is None or (not row["kept"] and not _knows_cleaning(verdict)):
            reason = NOT_CURATED_YET if row["kept"] else row["drop_reason"]
        else:
            reason = _final_reason(verdict, class_name)
        if not row["kept"] and reason == row["drop_reason"]:
            by_cleaning[reason] += 1
        elif reason:
            by_curation[reason] += 1
        else:
            kept += 1
    received = [row for row in curated if _is_received(row, class_name)]
    received_kept = sum(row["kept"] for row in received)
    by_curation.update(row["drop_reason"] for row in received if not row["kept"])
    passed_cleaning = len(cleaned) - sum(by_cleaning.values()) + by_cleaning[NOT_CLEANED_YET]
    return ClassFunnel(
        stages=(
            Stage("posts", attachments + sum(gated.values()), _counts(gated)),
            Stage("pictures", attachments, _counts(not_stored)),
            Stage("stored", len(stored), _counts(by_cleaning)),
            Stage("cleaned", passed_cleaning + len(received), _counts(by_curation)),
            Stage("curated", kept + received_kept, {}),
        ),
        posts=len(posts),
        received=len(received),
        received_kept=received_kept,
    )


def class_funnels(home: Home, class_names: Iterable[str]) -> dict[str, ClassFunnel]:
    """Count the pictures of some classes in the latest tables of each stage."""
    curated = read_rows(home.table("curated_dataset"), CURATED)
    return {name: count_funnel(name, *_tables(home, name), curated) for name in class_names}


def funnel_problems(home: Home, class_names: Sequence[str]) -> list[str]:
    """Say where the counts of a curated home do not add up; nothing means that they do.

    To be asked when the data set has just been curated: in the middle of a run, tables of later
    stages are older than those of earlier ones.

    Returns:
        One sentence a problem.
    """
    curated = read_rows(home.table("curated_dataset"), CURATED)
    problems = []
    for name in class_names:
        posts, images, cleaned = _tables(home, name)
        funnel = count_funnel(name, posts, images, cleaned, curated)
        problems += [f"{name}: {text}." for text in _sums_that_differ(funnel)]
        problems += [
            f"{name}: {text}." for text in _rows_that_differ(name, posts, images, cleaned, curated)
        ]
    kept = Counter(row["sha256"] for row in curated if row["kept"])
    problems += [
        f"The data set keeps one picture {times} times." for times in kept.values() if times > 1
    ]
    strangers = sum(row["kept"] and row["class_name"] not in class_names for row in curated)
    if strangers:
        problems.append(f"The data set keeps {strangers} pictures of classes that are not chosen.")
    return problems


def _sums_that_differ(funnel: ClassFunnel) -> list[str]:
    texts = [
        f"{count} pictures count as {reason}"
        for stage in funnel.stages
        for reason, count in stage.dropped.items()
        if count < 0
    ]
    for stage, following in zip(funnel.stages, funnel.stages[1:], strict=False):
        expected = stage.passed + (funnel.received if following.name == "cleaned" else 0)
        if expected != following.entered:
            texts.append(
                f"{expected} should go from {stage.name} to {following.name}, and "
                f"{following.entered} do"
            )
    if funnel.seen != funnel.kept + sum(funnel.dropped.values()):
        texts.append(
            f"{funnel.seen} pictures were seen, {funnel.kept} are kept and "
            f"{sum(funnel.dropped.values())} dropped"
        )
    return texts


def _rows_that_differ(
    class_name: str, posts: Rows, images: Rows, cleaned: Rows, curated: Rows
) -> list[str]:
    """Compare the tables row by row; sums alone would let two mistakes cancel out."""
    willing = {row["post_key"] for row in posts if row["status"] == "kept"}
    asked_for = _asked_for(posts, images)
    stored = Counter(row["media_key"] for row in asked_for if row["status"] == "stored")
    judged = Counter(row["media_key"] for row in cleaned)
    own = [row for row in curated if _collected_as(row) == class_name]
    differences = {
        "pictures belong to no post that may be used": sum(
            row["post_key"] not in willing for row in asked_for
        ),
        "stored pictures were not cleaned": (stored - judged).total(),
        "cleaned pictures are not stored, or came out twice": (judged - stored).total(),
        "pictures were dropped without a reason, or kept with one": sum(
            bool(row["kept"]) == bool(row["drop_reason"]) for row in [*cleaned, *own]
        ),
    }
    # The data set of an older version of REDS held no row for what cleaning had dropped.
    if any(_knows_cleaning(row) for row in own):
        final = Counter(row["media_key"] for row in own)
        differences |= {
            "cleaned pictures have no verdict in the data set": (judged - final).total(),
            "pictures of the data set were not cleaned, or are in it twice": (
                final - judged
            ).total(),
        }
    return [f"{count} {what}" for what, count in differences.items() if count]


def _asked_for(posts: Rows, images: Rows) -> list[Mapping[str, Any]]:
    """Return the rows of the pictures that are not counted by their post."""
    let_go = {row["post_key"] for row in posts if row["reason"] == OUTDATED}
    return [
        row
        for row in images
        if row["reason"] not in _COUNTED_BY_THEIR_POST and row["post_key"] not in let_go
    ]


def _tables(home: Home, class_name: str) -> tuple[Rows, Rows, Rows]:
    return (
        read_rows(home.table("posts", class_name), POSTS),
        read_rows(home.table("images", class_name), IMAGES),
        read_rows(home.table("clean_images", class_name), CLEAN_IMAGES),
    )


def _verdicts(class_name: str, curated: Rows) -> dict[str, Mapping[str, Any]]:
    """Return the rows of what was collected for a class, by picture.

    Rows of an older version of REDS do not name the medium; there the content is told apart, of
    which a class kept each only once.
    """
    return {
        row["media_key"] or row["sha256"]: row
        for row in curated
        if _collected_as(row) == class_name
    }


def _collected_as(row: Mapping[str, Any]) -> str:
    return str(row["collected_as"] or row["class_name"])


def _knows_cleaning(row: Mapping[str, Any]) -> bool:
    """Whether a row of the data set was written with the verdict of cleaning in view."""
    return bool(row["media_key"])


def _final_reason(row: Mapping[str, Any], collected_as: str) -> str:
    """Return why a class lost a picture that was collected for it, or nothing if it kept it."""
    if row["class_name"] != collected_as and row["drop_reason"] != LABELLED_OTHERWISE:
        return RELABELLED
    return "" if row["kept"] else str(row["drop_reason"])


def _is_received(row: Mapping[str, Any], class_name: str) -> bool:
    return (
        row["class_name"] == class_name != _collected_as(row)
        and row["drop_reason"] != LABELLED_OTHERWISE
    )


def _counts(reasons: Mapping[str, int]) -> dict[str, int]:
    return _largest_first({reason: count for reason, count in reasons.items() if count})


def _largest_first(reasons: Mapping[str, int]) -> dict[str, int]:
    return dict(sorted(reasons.items(), key=lambda item: (-item[1], item[0])))
