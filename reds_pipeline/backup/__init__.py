"""A home in one file, and a home out of one file."""
