"""Keeping house: what nobody needs any more, and what disk the rest takes.

What belongs here: finding what may go, of every kind that REDS keeps, and removing it in an order
that a kill cannot harm. What does not: erasing what people withdrew, which never waits for
housekeeping (``withdrawal``).
"""
