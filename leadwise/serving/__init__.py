"""Answers for one's own pages and recordings, without torch."""
