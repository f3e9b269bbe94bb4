"""The data set as others see it: its card, its Croissant description, and exports of it."""
