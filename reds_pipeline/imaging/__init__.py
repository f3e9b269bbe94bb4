"""Everything that looks at the pixels or the bytes of one picture, and what follows from them.

What belongs here: deciding whether a file can be used, removing what it says about people,
hashes, duplicates, the cleaning and curation rules, the 224 x 224 preparation, statistics and
contact sheets. What does not: downloading, storing, embedding and orchestration.
"""
