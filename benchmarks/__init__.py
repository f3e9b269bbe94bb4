"""Measurements of REDS beside other programs, run by hand.

What belongs here: programs that measure, and what they measured (``README.md``). What does not:
tests, which never look at a clock, and anything that ``reds`` needs to run.
"""
