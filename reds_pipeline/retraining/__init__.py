"""When a new training is worth its price (R-IMP-5).

What belongs here: how trends, supply, pictures and the standing model's accuracy change with time,
and the rule that turns what was measured into an interval and a yes or no. What does not: starting
a training (``sensors``), running the standing model (``standing_model``).
"""
