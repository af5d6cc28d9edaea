"""Scores with their intervals, and what they are compared with."""
