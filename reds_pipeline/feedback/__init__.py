"""What people say about recommended tags, and the photos that they give for training.

What belongs here: events, consent, contributed photos, their deletion, and how much labels from
the page count. What does not: pages (``web``) and training.
"""
