"""Asking a host: connections, manners, and what its answers mean.

What belongs here: everything that is the same whatever is asked for. What does not: posts and
pictures; they are one package up and beside it.
"""
