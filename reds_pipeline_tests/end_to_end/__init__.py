"""Whole jobs against the embedded instance, as a user runs them."""
