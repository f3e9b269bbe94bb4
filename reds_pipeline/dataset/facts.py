"""What there is to say about a data set, before anybody puts it into words.

What belongs here: the facts as plain values. What does not: finding them out
(``collect_facts.py``) and writing them down (``card.py``, ``croissant.py``). Nothing here names
a person, a post or a key of one.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from reds_pipeline.fediverse.consent import ConsentPolicy
from reds_pipeline.feedback.curation import FeedbackRules
from reds_pipeline.funnel import ClassFunnel
from reds_pipeline.imaging.statistics import ClassStatistics


@dataclass(frozen=True)
class CollectionRules:
    """The settings of this installation that decide what is in its data set.

    Attributes:
        policy: Whose posts are taken.
        contact: Where people reach the operator, "" when nobody said.
        obey_ai_robots: Whether a robots.txt that refuses AI training agents is obeyed too.
        federated: Whether posts of other approved hosts are taken from the host that is asked.
        recheck_after_hours: Posts not seen for so long are looked for again before a training.
        confirmed_within_days: Posts that their host has not shown for so long are left out.
        images_per_class: How many pictures a class keeps at most.
        keep_pictures: Which ones, ``newest`` or ``oldest``.
        perceptual_radius: Largest Hamming distance of two copies of a picture, in bits of 64.
        seed: Of splits and models.
        feedback: What photos are held to that people gave on the page.
    """

    policy: ConsentPolicy
    contact: str = ""
    obey_ai_robots: bool = True
    federated: bool = False
    recheck_after_hours: float = 20.0
    confirmed_within_days: float = 30.0
    images_per_class: int = 1000
    keep_pictures: str = "newest"
    perceptual_radius: int = 8
    seed: int = 42
    feedback: FeedbackRules = field(default_factory=FeedbackRules)


@dataclass(frozen=True)
class HostFacts:
    """One host.

    Attributes:
        name: Such as ``pix.example``.
        posts: Kept posts that it showed.
        approved_on: Day of its approval, "" for a host on this machine, which needs none.
        terms_read_on: Day on which a person read its terms.
    """

    name: str
    posts: int
    approved_on: str = ""
    terms_read_on: str = ""


@dataclass(frozen=True)
class SourceFacts:
    """Where the posts come from and when.

    Attributes:
        hosts: Those that may be named, the one with the most posts first.
        unnamed_hosts: How many others there are: so few people post there that the host's name
            would say who they are.
        unnamed_posts: Kept posts of those.
        posts_seen: Posts that were looked at.
        posts_kept: Posts that passed the consent gates and are still there.
        first_month: Of the oldest kept post, such as ``2024-03``; "" without any.
        last_month: Of the newest.
        collected_from: Day of the first collection; "" without any.
        collected_until: Day of the last.
        policies: Digests of the consent policies that judged the kept posts.
    """

    hosts: tuple[HostFacts, ...]
    unnamed_hosts: int
    unnamed_posts: int
    posts_seen: int
    posts_kept: int
    first_month: str
    last_month: str
    collected_from: str
    collected_until: str
    policies: tuple[str, ...]


@dataclass(frozen=True)
class ClassFacts:
    """One class.

    Attributes:
        name: The label.
        meaning: WordNet's synset, such as ``cat.n.01``; "" when a person chose the word.
        pictures: Kept ones.
        train: Of those.
        test: Of those.
        authors: How many different people they are from.
        confirmed: How many of them a person has looked at.
        moved_in: How many of them were collected under another class.
    """

    name: str
    meaning: str
    pictures: int
    train: int
    test: int
    authors: int
    confirmed: int
    moved_in: int


@dataclass(frozen=True)
class LicenceFacts:
    """One licence.

    Attributes:
        licence: As the tables have it, "" for all rights reserved.
        stored: Pictures of this licence that were collected.
        kept: Of those, in the data set.
    """

    licence: str
    stored: int
    kept: int


@dataclass(frozen=True)
class FlagFacts:
    """One quality gate: how many pictures it hit that were kept, and that were dropped."""

    name: str
    kept: int
    dropped: int


@dataclass(frozen=True)
class ReviewFacts:
    """What people have looked at, and what the machine thinks they should look at.

    Attributes:
        kept: Kept pictures whose class a person confirmed.
        moved: Kept pictures that a person put into another class.
        discarded: Pictures that a person discarded.
        ranked: Kept pictures whose label was compared with what the others of its class show.
        suspects: Of those, labels that look wrong and that nobody has confirmed.
        outliers: Of those, pictures unlike all classes that nobody has confirmed.
    """

    kept: int = 0
    moved: int = 0
    discarded: int = 0
    ranked: int = 0
    suspects: int = 0
    outliers: int = 0


@dataclass(frozen=True)
class ContributionFacts:
    """Photos that people gave on the page, none of which is in the data set.

    Attributes:
        given: How many are kept.
        learnt: Of those, from how many the models learn beside the data set, by how the label
            came about: ``unprompted``, ``person`` or ``suggested``.
        consents: Versions of the texts that their givers agreed to.
    """

    given: int = 0
    learnt: Mapping[str, int] = field(default_factory=dict)
    consents: tuple[str, ...] = ()


@dataclass(frozen=True)
class PeopleFacts:
    """How the pictures spread over people, whom nothing names.

    Attributes:
        authors: How many different ones there are.
        largest_share: Of the kept pictures by the one who has the most, 0 to 1.
        groups: Sets of pictures that must stay on one side of a split.
    """

    authors: int
    largest_share: float
    groups: int


@dataclass(frozen=True)
class SplitFacts:
    """How much is held out; ``problem`` says why nothing is."""

    train: int
    test: int
    seed: int
    problem: str = ""


@dataclass(frozen=True)
class FileFacts:
    """The files of the kept pictures.

    Attributes:
        total_bytes: Of all together.
        by_extension: How many of each kind.
        smallest: (width, height) in pixels of the picture with the fewest.
        largest: Of the one with the most.
    """

    total_bytes: int
    by_extension: Mapping[str, int]
    smallest: tuple[int, int] = (0, 0)
    largest: tuple[int, int] = (0, 0)


@dataclass(frozen=True)
class DatasetFacts:
    """Everything that a card says.

    Attributes:
        digest: Name of the data set, 64 hexadecimal digits.
        made_at: When these facts were put together.
        reds_version: Of this program.
        rules: Settings that decide what is in.
        sources: Hosts and dates.
        classes: In the order of their names.
        licences: The most frequent among the kept pictures first.
        funnel: Where the pictures of each class went, by class.
        people: Counts of people.
        duplicates: Pictures removed as copies, by kind.
        keeper_rules: What decided which copy stayed, by rule.
        flags: Hits of the quality gates.
        review: What people and machine said of labels.
        statistics: Shapes by class, and of ``all`` together at the end.
        files: Of the kept pictures.
        split: What is held out.
    """

    digest: str
    made_at: str
    reds_version: str
    rules: CollectionRules
    sources: SourceFacts
    classes: tuple[ClassFacts, ...]
    licences: tuple[LicenceFacts, ...]
    funnel: Mapping[str, ClassFunnel]
    people: PeopleFacts
    statistics: tuple[ClassStatistics, ...]
    files: FileFacts
    split: SplitFacts
    duplicates: Mapping[str, int] = field(default_factory=dict)
    keeper_rules: Mapping[str, int] = field(default_factory=dict)
    flags: tuple[FlagFacts, ...] = ()
    review: ReviewFacts = field(default_factory=ReviewFacts)
    contributions: ContributionFacts = field(default_factory=ContributionFacts)

    @property
    def pictures(self) -> int:
        """How many pictures the data set has."""
        return sum(one.pictures for one in self.classes)

    @property
    def name(self) -> str:
        """A short name that changes when the data set does."""
        return f"reds-pictures-{self.digest[:12]}"

    @property
    def version(self) -> str:
        """A version number that changes when the data set does, in the form of SemVer 2.0."""
        return f"1.0.0+{self.digest[:12]}"
