"""The commands of ``reds``, one file a subject; each imports what it needs inside itself."""
