"""Many pages: sample, catalogue, tables, folds, cache."""
