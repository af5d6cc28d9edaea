"""Answers for one's own pages, without torch."""
