"""What containers need beyond the commands.

What belongs here: programs that docker/ starts with ``python -m``, and running several of them as
one. What does not: what they start (``commands``, ``web``), and files of containers (docker/).
"""
