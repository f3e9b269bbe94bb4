"""Looking again for posts that are held: still there, still open, still willing?"""
