"""The demo town: who lives there, what they post, and what ought to become of it."""
