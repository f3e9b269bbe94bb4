"""The words the town writes behind its number signs.

Belongs here: the spellings of a class and the vocabulary of everything else people tag. Nothing
here knows how REDS reads hashtags; which post gets which tags is ``town.builder``'s.
"""

from __future__ import annotations

from random import Random

GENERIC_TAGS: dict[str, float] = {
    "photography": 0.14,
    "Photography": 0.05,
    "StreetPhotography": 0.02,
    "NYCPhotography": 0.01,
    "art": 0.09,
    "Art": 0.04,
    "travel": 0.12,
    "TravelDiary": 0.02,
    "mastodon": 0.05,
    "Mastodon": 0.06,
    "pixelfed": 0.08,
    "nature": 0.09,
    "Nature": 0.03,
    "love": 0.10,
    "PhotoOfTheDay": 0.05,
    "Monochrome": 0.02,
    "35mmFilm": 0.03,
    "Black_And_White": 0.02,
    "Été": 0.02,
    "日本": 0.02,
    "写真": 0.02,
    "фото": 0.02,
    "عکاسی": 0.015,
    "🌈": 0.015,
    "✨📷": 0.01,
}
"""Tags that any post may carry, with the probability of each."""

SUBJECT_TAGS: dict[str, float] = {
    "sunset": 0.10,
    "Sunset": 0.03,
    "thursday": 0.05,
    "ThursdayThoughts": 0.03,
    "halloween": 0.08,
    "Halloween2024": 0.02,
    "summer": 0.06,
    "war": 0.04,
    "palestine": 0.04,
    "FreePalestine": 0.03,
    "PalestineWar": 0.015,
    "election": 0.05,
    "Election2024": 0.02,
    "ClimateAction": 0.03,
    "happiness": 0.06,
    "mindfulness": 0.04,
    "freedom": 0.03,
    "street": 0.06,
    "architecture": 0.06,
    "landscape": 0.08,
    "mountain": 0.03,
    "mountains": 0.02,
    "beach": 0.03,
    "coffee": 0.03,
    "goodmorning": 0.05,
    "WeekendVibes": 0.03,
    "music": 0.03,
}
"""Tags of posts that show none of the classes, with the probability of each."""

COMPANION_TAGS: dict[str, dict[str, float]] = {
    "cat": {"caturday": 0.30, "MyCatIsABoss": 0.04, "kitten": 0.06, "猫": 0.06},
    "dog": {"puppy": 0.07, "labrador": 0.05, "犬": 0.04},
    "flower": {"macro": 0.10, "tulip": 0.05, "garden": 0.08, "花": 0.05},
    "bird": {"birding": 0.12, "wildlife": 0.10, "BirdsUK2024": 0.03, "птица": 0.03},
    "car": {"vintage": 0.10, "roadtrip": 0.08, "automobile": 0.03},
}
"""Tags that go with a class, with the probability of each; absent classes have none."""

CAPTIONS = (
    "Seen on the way home",
    "This morning by the harbour",
    "Could not resist",
    "From the archive",
    "A quiet moment",
    "First try with the new lens",
    "Look who was waiting",
    "No filter needed",
    "One more from the weekend",
    "",
)
"""What people write around their tags."""

_FULL_WIDTH_OFFSET = 0xFEE0


def plural(word: str) -> str:
    """Return the regular English plural of a lower-case word."""
    if word.endswith(("s", "x", "z", "ch", "sh")):
        return word + "es"
    if word.endswith("y") and word[-2:-1] not in set("aeiou"):
        return word[:-1] + "ies"
    return word + "s"


def full_width(word: str) -> str:
    """Return an ASCII word in full-width letters, which NFKC makes plain again."""
    return "".join(chr(ord(letter) + _FULL_WIDTH_OFFSET) for letter in word)


def class_spellings(class_name: str, chance: Random) -> tuple[str, ...]:
    """Return how one post spells its class: one or two of the usual variants.

    Only three spellings differ by more than case (``cat``, ``cats``, ``CatsOfPixelfed``), because
    hashtag timelines are looked up without regard to case and a collector asks for a few of them.
    """
    several = plural(class_name)
    of_pixelfed = f"{several.capitalize()}OfPixelfed"
    choices: list[tuple[str, ...]] = [
        (class_name,),
        (class_name.capitalize(),),
        (several,),
        (several.capitalize(),),
        (class_name, of_pixelfed),
        (class_name, several),
        (of_pixelfed,),
    ]
    return chance.choices(choices, weights=(34, 14, 16, 8, 12, 8, 8))[0]


def sprinkled(vocabulary: dict[str, float], chance: Random) -> tuple[str, ...]:
    """Return the words of a vocabulary that this post happens to carry."""
    return tuple(word for word, probability in vocabulary.items() if chance.random() < probability)
