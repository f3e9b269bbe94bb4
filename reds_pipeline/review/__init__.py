"""What people decide about pictures, and what they have to see for it.

What belongs here: decisions in the ledger, the gallery as plain data made from the tables, and
the files in which decisions come and go. What does not: pages (``web``) and what a decision
does to the data set (``imaging``).
"""
