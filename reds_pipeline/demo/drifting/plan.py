"""What happens to a drifting instance, and in which week.

Belongs here: the choices, as a plain record. Carrying them out is ``world``; how pictures change
is ``style``. Week 1 is one night long and shows the town as it is found; each later week has seven
days.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class DriftPlan:
    """The story of a drifting instance; a week of 0 means that the event never comes.

    Attributes:
        weeks: How long the story is.
        classes: What people post from the beginning.
        first_pictures: Clean pictures of each of them that the town begins with.
        weekly_posts: Posts of each class that a week brings, one picture each.
        hidden_posts: Posts a week and kind of consent that must never be kept.
        unrelated_posts: Posts a week that show no class.
        regrets: Posts and authors a week that are taken back, of each way to do so.
        newcomer: A class that nobody posts before ``newcomer_week``.
        newcomer_week: When it begins; each week brings more of it, up to ``weekly_posts``.
        fading: The class that goes out of fashion.
        fading_week: When it begins to.
        fading_shares: What is left of its posts in that week and the next ones; after them, none.
        outage_week: The instance answers nothing but 503, for the whole week.
        flood_week: One author floods the hashtag of a class with pictures of something else, and
            a hashtag that nobody else uses.
        flooded: The class.
        flood_posts: Pictures in the flood.
        invented_tag: The hashtag that nobody else uses; it names a thing that could be a class.
        wrong_labels_week: A person mixes up the labels of pictures by mistake.
        rested_week: Nobody runs the pipeline.
        style_per_week: How far pictures change their look in a week; see ``style``.
    """

    weeks: int = 12
    classes: tuple[str, ...] = ("cat", "dog", "flower", "bird")
    first_pictures: int = 32
    weekly_posts: int = 12
    hidden_posts: int = 1
    unrelated_posts: int = 14
    regrets: int = 1
    newcomer: str = "car"
    newcomer_week: int = 4
    fading: str = "flower"
    fading_week: int = 5
    fading_shares: tuple[float, ...] = (0.5, 0.25)
    outage_week: int = 6
    flood_week: int = 8
    flooded: str = "dog"
    flood_posts: int = 40
    invented_tag: str = "teapot"
    wrong_labels_week: int = 9
    rested_week: int = 10
    style_per_week: float = 1.0

    def posts_of(self, class_name: str, week: int) -> int:
        """Return how many posts of a class a week brings."""
        if class_name == self.newcomer:
            if not self.newcomer_week or week < self.newcomer_week:
                return 0
            return min(self.weekly_posts, self.weekly_posts * (week - self.newcomer_week + 2) // 3)
        if class_name == self.fading and self.fading_week and week >= self.fading_week:
            left = self.fading_shares[week - self.fading_week :]
            return round(self.weekly_posts * left[0]) if left else 0
        return self.weekly_posts

    @property
    def all_classes(self) -> tuple[str, ...]:
        """Every class that is posted at some time."""
        return (*self.classes, self.newcomer) if self.newcomer_week else self.classes
