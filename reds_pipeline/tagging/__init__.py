"""From a photo to recommended tags, by the models that serve now.

What belongs here: looking at a photo in several ways, asking the models, following the champion,
and the words for what they say. What does not: pages and commands, which call this, and keeping
anything of a photo, which needs consent (``feedback``).
"""
