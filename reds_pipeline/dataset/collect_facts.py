"""Finding out what there is to say about a data set.

What belongs here: counting over the tables. What does not: words (``card.py``). Every number of
a card comes from here, and everything here from the tables as they are at the moment.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from importlib.metadata import PackageNotFoundError, version
from typing import Any

from reds_pipeline.approvals import approvals
from reds_pipeline.dataset.facts import (
    ClassFacts,
    CollectionRules,
    ContributionFacts,
    DatasetFacts,
    FileFacts,
    FlagFacts,
    HostFacts,
    LicenceFacts,
    PeopleFacts,
    ReviewFacts,
    SourceFacts,
    SplitFacts,
)
from reds_pipeline.dataset.records import label_origin, licences_by_picture
from reds_pipeline.dataset.splits import DatasetSplit, in_training_order, split_dataset
from reds_pipeline.errors import RedsError
from reds_pipeline.feedback.contributed_tables import judged_contributions
from reds_pipeline.feedback.contributions import contributions
from reds_pipeline.frozen_test import remembered_test
from reds_pipeline.funnel import class_funnels
from reds_pipeline.imaging.curation import dataset_digest
from reds_pipeline.imaging.statistics import class_statistics
from reds_pipeline.storage.clock import utc_now
from reds_pipeline.storage.home import Home, file_name
from reds_pipeline.storage.ledger import Ledger
from reds_pipeline.storage.partitions import partitions
from reds_pipeline.storage.tables import (
    CLASS_SELECTION,
    CURATED,
    IMAGES,
    LABEL_SUSPECTS,
    POSTS,
    read_rows,
)

# The name of a host with fewer authors than this would say who they are: many have one user.
AUTHORS_OF_A_NAMED_HOST = 5

_DAY = len("2026-11-21")
_MONTH = len("2026-11")

Row = dict[str, Any]


def collect_facts(home: Home, ledger: Ledger, rules: CollectionRules) -> DatasetFacts:
    """Put together what a card says about the data set of a home.

    Args:
        home: Whose tables to count in.
        ledger: Which hosts were approved, and when.
        rules: The settings by which the data set was made.

    Raises:
        RedsError: There is no data set yet, or a table is damaged.
    """
    rows = curated_table(home)
    split = split_dataset(rows, rules.seed, remembered_test(home))
    kept = in_training_order(rows)
    # Tables of classes that are not selected any more stay, but say nothing about this data set.
    collected = {row["collected_as"] or row["class_name"] for row in rows}
    licences = licences_by_picture(home)
    licence_of_kept = {row["sha256"]: licences.get(row["sha256"], "") for row in kept}
    return DatasetFacts(
        digest=dataset_digest(rows),
        made_at=utc_now(),
        reds_version=_reds_version(),
        rules=rules,
        sources=_sources(home, ledger, collected),
        classes=_classes(home, kept, split),
        licences=_licences(licences, licence_of_kept),
        funnel=class_funnels(home, sorted(collected | {row["class_name"] for row in kept})),
        people=_people(kept),
        statistics=tuple(class_statistics(kept)),
        files=_files(home, kept),
        split=SplitFacts(
            train=sum(part == "train" for part in split.part_of.values()),
            test=sum(part == "test" for part in split.part_of.values()),
            seed=split.seed,
            problem=split.problem,
        ),
        duplicates=_counted(row["duplicate_kind"] for row in rows if not row["kept"]),
        keeper_rules=_counted(row["keeper_rule"] for row in rows if not row["kept"]),
        flags=_flags(rows),
        review=_review(home, rows),
        contributions=_contributions(home),
    )


def curated_table(home: Home) -> list[Row]:
    """Return the rows of the curated data set.

    Raises:
        RedsError: There is none, or it keeps no picture.
    """
    rows = read_rows(home.table("curated_dataset"), CURATED)
    if not any(row["kept"] for row in rows):
        raise RedsError(
            f"There is no data set in {home.root} yet, so there is nothing to describe or to "
            "export; collect pictures with `reds run` first."
        )
    return rows


def _reds_version() -> str:
    try:
        return version("reds-pipeline")
    except PackageNotFoundError:
        return "of a source tree that is not installed"


def _counted(names: Iterable[str | None]) -> dict[str, int]:
    """Return how often each name occurs, the most frequent first; empty ones do not count."""
    return dict(Counter(name for name in names if name).most_common())


def _sources(home: Home, ledger: Ledger, class_names: Iterable[str]) -> SourceFacts:
    classes = {file_name(name) for name in class_names}
    # A post that names two classes stands in two partitions and is one post.
    posts = {
        row["post_key"]: row
        for part in partitions(home, "posts")
        if part.stem in classes
        for row in read_rows(part.table, POSTS)
    }
    kept = [row for row in posts.values() if row["status"] == "kept"]
    authors: dict[str, set[str]] = {}
    for row in kept:
        authors.setdefault(row["host"], set()).add(row["author_key"])
    posts_of = Counter(row["host"] for row in kept)
    named = {name for name, keys in authors.items() if len(keys) >= AUTHORS_OF_A_NAMED_HOST}
    approval_of = {approval["host"]: approval for approval in approvals(ledger)}
    months = sorted(row["created_at"][:_MONTH] for row in kept if row["created_at"])
    days = sorted(row["collected_at"][:_DAY] for row in kept if row["collected_at"])
    return SourceFacts(
        hosts=tuple(
            _host(name, count, approval_of.get(name))
            for name, count in posts_of.most_common()
            if name in named
        ),
        unnamed_hosts=len(posts_of.keys() - named),
        unnamed_posts=sum(count for name, count in posts_of.items() if name not in named),
        posts_seen=len(posts),
        posts_kept=len(kept),
        first_month=months[0] if months else "",
        last_month=months[-1] if months else "",
        collected_from=days[0] if days else "",
        collected_until=days[-1] if days else "",
        policies=tuple(sorted({row["policy"] for row in kept if row["policy"]})),
    )


def _host(name: str, posts: int, approval: Mapping[str, Any] | None) -> HostFacts:
    if approval is None:
        return HostFacts(name, posts)
    return HostFacts(name, posts, approval["approved_at"][:_DAY], approval["terms_read"])


def _classes(
    home: Home, kept: Sequence[Mapping[str, Any]], split: DatasetSplit
) -> tuple[ClassFacts, ...]:
    meanings = {
        row["lemma"]: row["synset"] or ""
        for row in read_rows(home.table("class_selection"), CLASS_SELECTION)
    }
    by_class: dict[str, list[Mapping[str, Any]]] = {}
    for row in kept:
        by_class.setdefault(row["class_name"], []).append(row)
    return tuple(
        ClassFacts(
            name=name,
            meaning=meanings.get(name, ""),
            pictures=len(rows),
            train=sum(split.part_of[row["sha256"]] == "train" for row in rows),
            test=sum(split.part_of[row["sha256"]] == "test" for row in rows),
            authors=len({row["author_key"] for row in rows}),
            confirmed=sum(label_origin(row) == "person" for row in rows),
            moved_in=sum((row["collected_as"] or name) != name for row in rows),
        )
        for name, rows in sorted(by_class.items())
    )


def _licences(
    licences: Mapping[str, str], licence_of_kept: Mapping[str, str]
) -> tuple[LicenceFacts, ...]:
    stored, kept = Counter(licences.values()), Counter(licence_of_kept.values())
    names = sorted(stored | kept, key=lambda name: (-kept[name], name))
    return tuple(LicenceFacts(name, stored[name], kept[name]) for name in names)


def _people(kept: Sequence[Mapping[str, Any]]) -> PeopleFacts:
    pictures_of = Counter(row["author_key"] for row in kept)
    return PeopleFacts(
        authors=len(pictures_of),
        largest_share=max(pictures_of.values()) / len(kept),
        groups=len({row["group"] for row in kept}),
    )


def _files(home: Home, kept: Sequence[Mapping[str, Any]]) -> FileFacts:
    bytes_of = {
        row["sha256"]: row["bytes"] or 0
        for part in partitions(home, "images")
        for row in read_rows(part.table, IMAGES)
        if row["status"] == "stored"
    }
    sizes = sorted(
        ((row["width"], row["height"]) for row in kept),
        key=lambda size: (size[0] * size[1], size),
    )
    return FileFacts(
        total_bytes=sum(bytes_of.get(row["sha256"], 0) for row in kept),
        by_extension=_counted(row["extension"] for row in kept),
        smallest=sizes[0],
        largest=sizes[-1],
    )


def _contributions(home: Home) -> ContributionFacts:
    rows = judged_contributions(home)
    return ContributionFacts(
        given=len(rows),
        learnt=_counted(row["origin"] for row in rows if row["kept"]),
        consents=tuple(sorted({one.consent for one in contributions(home)})),
    )


def _flags(rows: Sequence[Row]) -> tuple[FlagFacts, ...]:
    kept = _counted(flag for row in rows if row["kept"] for flag in row["flags"] or ())
    dropped = _counted(flag for row in rows if not row["kept"] for flag in row["flags"] or ())
    names = sorted({*kept, *dropped}, key=lambda name: (-kept.get(name, 0), name))
    return tuple(FlagFacts(name, kept.get(name, 0), dropped.get(name, 0)) for name in names)


def _review(home: Home, rows: Sequence[Row]) -> ReviewFacts:
    decisions = Counter((row["decision"] or "", row["kept"]) for row in rows)
    unconfirmed = {
        row["sha256"]: row["class_name"]
        for row in rows
        if row["kept"] and label_origin(row) == "hashtag"
    }
    kept = {row["sha256"] for row in rows if row["kept"]}
    ranked = [
        row
        for row in read_rows(home.table("label_suspects"), LABEL_SUSPECTS)
        if row["sha256"] in kept
    ]
    open_questions = [row for row in ranked if unconfirmed.get(row["sha256"]) == row["class_name"]]
    return ReviewFacts(
        kept=decisions["keep", True],
        moved=decisions["label", True],
        discarded=decisions["discard", False],
        ranked=len(ranked),
        suspects=sum(bool(row["is_suspect"]) for row in open_questions),
        outliers=sum(bool(row["is_outlier"]) for row in open_questions),
    )
