"""The page that tags photos, in a real Chromium."""
