"""The kinds of things that housekeeping goes about.

What belongs here: their names, which the command line offers before anything else is imported.
What does not: anything about one kind.
"""

KINDS = ("models", "trainings", "runs", "pictures", "encoders", "orphans", "samples")
"""What ``reds prune --only`` takes, in the order in which housekeeping goes about it."""
