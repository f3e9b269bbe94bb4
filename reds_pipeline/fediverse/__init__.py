"""Collection from Fediverse hosts: asking politely, keeping to consent, surviving kills.

What belongs here: everything that speaks HTTP to a Pixelfed or Mastodon host, and the rules on
what may be kept of the answers. What does not: what a tag means (``lexicon``), what a picture
shows (``imaging``), where a table lies (``storage``).
"""
