"""Ways to run one network: each library and number format, and which of them is worth it here."""
