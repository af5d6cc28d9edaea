"""Scores with intervals, tables, figures."""
