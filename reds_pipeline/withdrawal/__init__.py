"""Withdrawing posts, people and pictures from everything that was made of them."""
